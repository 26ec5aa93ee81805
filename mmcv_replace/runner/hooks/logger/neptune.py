"""Curves for Neptune."""
from typing import Any

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class NeptuneLoggerHook(ServiceLoggerHook):
    """Sends scalars to Neptune.

    `init_kwargs`: arguments of neptune.new.init, such as project. `with_step`: give the number of
    the iteration as step, otherwise as `global_step` beside the scalars.
    """

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = True, with_step: bool = True,
                 by_epoch: bool = True) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.import_neptune()
        self.init_kwargs = init_kwargs
        self.with_step = with_step

    def import_neptune(self) -> None:
        """Set `neptune` to the package."""
        package = self.load_package('neptune', 'neptune-client')
        self.load_package('neptune.new', 'neptune-client')
        self.neptune = package.new
        self.run = None

    @master_only
    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self.run = self.neptune.init(**(self.init_kwargs or {}))

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags, step = self.get_loggable_tags(runner), self.get_iter(runner)
        if tags and not self.with_step:
            tags['global_step'] = step
        for name, value in tags.items():
            if self.with_step:
                self.run[name].log(value, step=step)
            else:
                self.run[name].log(value)

    @master_only
    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self.run is not None:
            self.run.stop()
