"""Where the time of an iteration goes."""
from pathlib import Path
from typing import TYPE_CHECKING

from ...device import profiler_activities
from ...utils.errors import ConfigError
from .hook import HOOKS, Hook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


@HOOKS.register_module()
class ProfilerHook(Hook):
    """Profile `active` iterations after `skip` others (a start is not typical) with torch.profiler.

    Writes trace.json (for chrome://tracing or Perfetto) and table.txt (operators by their own time)
    to `out_dir`, by default WORK_DIR/prof; of several processes the first one does. `record_shapes`
    and `with_stack` are torch.profiler's.
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

    def before_run(self, runner: 'BaseRunner') -> None:
        self._first = runner.iter + self.skip

    def before_train_iter(self, runner: 'BaseRunner') -> None:
        if runner.iter == self._first and runner.rank == 0:
            from torch.profiler import profile
            self._profiler = profile(activities=profiler_activities(runner.device), **self.options)
            self._profiler.start()

    def after_train_iter(self, runner: 'BaseRunner') -> None:
        if self._profiler is not None and runner.iter + 1 == self._first + self.active:
            self._write(runner)

    def after_run(self, runner: 'BaseRunner') -> None:
        if self._profiler is not None:
            self._write(runner)

    def _write(self, runner: 'BaseRunner') -> None:
        self._profiler.stop()
        folder = Path(self.out_dir or Path(runner.work_dir, 'prof'))
        folder.mkdir(parents=True, exist_ok=True)
        self._profiler.export_chrome_trace(str(folder / 'trace.json'))
        device = runner.device.type
        table = self._profiler.key_averages().table(
            sort_by=f'self_{device}_time_total', row_limit=40)
        (folder / 'table.txt').write_text(table)
        runner.logger.info('profile of iterations %d to %d: %s', self._first + 1, runner.iter + 1,
                           folder)
        self._profiler = None
