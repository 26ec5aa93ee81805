"""Curves for DVC."""
from pathlib import Path
from typing import Any

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class DvcliveLoggerHook(ServiceLoggerHook):
    """Writes scalars for DVC: at the end of each epoch, or every `interval` iterations.

    `model_file`: where the last checkpoint is written each time. `dvclive`: a Live object, by
    default one that is made with `kwargs`.
    """

    def __init__(self, model_file: str | None = None, interval: int = 10, ignore_last: bool = True,
                 reset_flag: bool = False, by_epoch: bool = True, dvclive: Any = None,
                 **kwargs: Any) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.model_file = model_file
        self.dvclive = dvclive or self.load_package('dvclive', 'dvclive').Live(**kwargs)

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags = self.get_loggable_tags(runner)
        if tags:
            self.dvclive.set_step(self.get_epoch(runner) if self.by_epoch
                                  else self.get_iter(runner))
            for name, value in tags.items():
                self.dvclive.log(name, value)

    def after_train_iter(self, runner: BaseRunner) -> None:
        if not self.by_epoch:
            super().after_train_iter(runner)
            if self._is_due(runner):
                self._save(runner)

    def after_train_epoch(self, runner: BaseRunner) -> None:
        if self.by_epoch:
            scores = dict(runner.log_buffer.output) if runner.log_buffer.ready else {}
            runner.log_buffer.average()
            runner.log_buffer.output.update(scores)
            self._save(runner)
        super().after_train_epoch(runner)

    def _save(self, runner: BaseRunner) -> None:
        if self.model_file is None:
            return
        runner.collect_state()
        if runner.rank == 0:
            path = Path(self.model_file)
            runner.save_checkpoint(path.parent, filename_tmpl=path.name, create_symlink=False)
