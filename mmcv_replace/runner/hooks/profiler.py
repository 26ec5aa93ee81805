"""Profiles the operators of a few iterations."""
import importlib
from pathlib import Path

from ...device import is_asynchronous, kind_of
from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module()
class ProfilerHook(Hook):
    """Profiles `active` iterations after `skip` others, since the start of a run is not typical.

    The first process writes a trace for TensorBoard, Perfetto or the vendor's viewer to `out_dir`
    (by default WORK_DIR/prof), and table.txt with the operators that take most of the time.
    `record_shapes` and `with_stack` are options of torch.profiler.
    """

    def __init__(self, skip: int = 10, active: int = 5, out_dir: str | None = None,
                 record_shapes: bool = False, with_stack: bool = False) -> None:
        if skip < 0 or active < 1:
            raise ConfigError(f'ProfilerHook(skip={skip}, active={active}): skip must not be '
                              'negative and active at least 1')
        self.skip = skip
        self.active = active
        self.out_dir = out_dir
        self.options = dict(record_shapes=record_shapes, with_stack=with_stack)
        self._profiler = None

    def before_run(self, runner: BaseRunner) -> None:
        self._first = runner.iter + self.skip
        self._folder = Path(self.out_dir or Path(runner.work_dir, 'prof'))

    def before_train_iter(self, runner: BaseRunner) -> None:
        if runner.iter == self._first and runner.rank == 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            profiler = importlib.import_module(kind_of(runner.device).profiler)
            activities = [getattr(profiler.ProfilerActivity, name)
                          for name in dict.fromkeys(('CPU', runner.device.type.upper()))]
            self._profiler = profiler.profile(
                activities=activities, **self.options,
                on_trace_ready=profiler.tensorboard_trace_handler(str(self._folder)))
            self._profiler.start()

    def after_train_iter(self, runner: BaseRunner) -> None:
        if runner.iter + 1 == self._first + self.active:
            self.after_run(runner)

    def after_run(self, runner: BaseRunner) -> None:
        if self._profiler is None:
            return
        profiler, self._profiler = self._profiler, None
        profiler.stop()
        # The profilers of vendors write their own tables.
        if hasattr(profiler, 'key_averages'):
            where = 'device' if is_asynchronous(runner.device) else 'cpu'
            (self._folder / 'table.txt').write_text(profiler.key_averages().table(
                sort_by=f'self_{where}_time_total', row_limit=40))
        runner.logger.info('profile from iteration %d on: %s', self._first + 1, self._folder)
