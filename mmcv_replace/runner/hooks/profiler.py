"""Profiles the operators of a few iterations."""
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...device import PROFILED_BY_DEFAULT, is_asynchronous, kind_of
from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook
from .profiler_options import check_options, trace_handler


@HOOKS.register_module()
class ProfilerHook(Hook):
    """Profiles `active` iterations after `skip` others, since the start of a run is not typical.

    With `by_epoch=False`, another number of `profile_iters`, or a `schedule` instead the first
    `profile_iters` epochs (iterations unless `by_epoch`); `schedule`: arguments of
    torch.profiler.schedule, or a function.

    The first process writes a trace for TensorBoard, Perfetto or the vendor's viewer to `out_dir`
    (by default WORK_DIR/prof), and table.txt with the operators that take most of the time.
    `on_trace_ready` handles the trace instead: a function, dict(type='log_trace', ...) with
    arguments of the table that is logged, or dict(type='tb_trace', dir_name=...). `json_trace_path`
    is a file for the trace alone. `activities` names the devices that are recorded, besides those
    of the run. `record_shapes`, `profile_memory`, `with_stack` and `with_flops` are options of
    torch.profiler.
    """

    def __init__(self, by_epoch: bool = True, profile_iters: int = 1,
                 activities: list[str] = PROFILED_BY_DEFAULT,
                 schedule: dict[str, int] | Callable[[int], Any] | None = None,
                 on_trace_ready: dict[str, Any] | Callable[[Any], None] | None = None,
                 record_shapes: bool = False, profile_memory: bool = False,
                 with_stack: bool = False, with_flops: bool = False,
                 json_trace_path: str | None = None, skip: int = 10, active: int = 5,
                 out_dir: str | None = None) -> None:
        check_options(by_epoch, profile_iters, activities, schedule, on_trace_ready)
        if skip < 0 or active < 1:
            raise ConfigError(f'ProfilerHook(skip={skip}, active={active}): skip must not be '
                              'negative and active at least 1')
        self.by_epoch = by_epoch
        self.profile_iters = profile_iters
        self.activities = activities
        self.schedule = schedule
        self.on_trace_ready = on_trace_ready
        self.json_trace_path = json_trace_path
        self.skip = skip
        self.active = active
        self.out_dir = out_dir
        self.options = dict(record_shapes=record_shapes, profile_memory=profile_memory,
                            with_stack=with_stack, with_flops=with_flops)
        self._window = by_epoch and profile_iters == 1 and schedule is None
        self._profiler: Any = None

    def before_run(self, runner: BaseRunner) -> None:
        length = runner.max_epochs if self.by_epoch else runner.max_iters
        if not self._window and length is not None and self.profile_iters > length:
            raise ConfigError(f'ProfilerHook: profile_iters={self.profile_iters}, and the run has '
                              f'{length} {"epochs" if self.by_epoch else "iterations"}')
        self._first = runner.iter + (self.skip if self._window else 0)
        self._folder = Path(self.out_dir or Path(runner.work_dir or '.', 'prof'))

    def before_train_iter(self, runner: BaseRunner) -> None:
        if runner.iter == self._first and runner.rank == 0:
            self._start(runner)

    def _start(self, runner: BaseRunner) -> None:
        profiler = importlib.import_module(kind_of(runner.device).profiler)
        wanted = [runner.device.type] if self.activities is PROFILED_BY_DEFAULT else self.activities
        activities = [getattr(profiler.ProfilerActivity, name.upper())
                      for name in dict.fromkeys(('cpu', *wanted))]
        options = dict(self.options)
        if self.schedule is not None:
            options['schedule'] = (profiler.schedule(**self.schedule)
                                   if isinstance(self.schedule, dict) else self.schedule)
        handler = trace_handler(self.on_trace_ready, profiler, runner)
        if handler is None and self.json_trace_path is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            handler = profiler.tensorboard_trace_handler(str(self._folder))
        self._profiler = profiler.profile(activities=activities, on_trace_ready=handler, **options)
        self._profiler.start()

    def after_train_iter(self, runner: BaseRunner) -> None:
        if self._profiler is None:
            return
        done = runner.iter + 1 - self._first
        length = self.active if self._window else self.profile_iters
        if done >= length and (self._window or not self.by_epoch):
            self.after_run(runner)
        elif not self._window:
            self._profiler.step()

    def after_train_epoch(self, runner: BaseRunner) -> None:
        if not self._window and self.by_epoch and runner.epoch + 1 == self.profile_iters:
            self.after_run(runner)

    def after_run(self, runner: BaseRunner) -> None:
        if self._profiler is None:
            return
        profiler, self._profiler = self._profiler, None
        profiler.stop()
        if self.json_trace_path is not None:
            profiler.export_chrome_trace(str(self.json_trace_path))
        # The profilers of vendors write their own tables.
        if hasattr(profiler, 'key_averages') and self._folder.is_dir():
            where = 'device' if is_asynchronous(runner.device) else 'cpu'
            (self._folder / 'table.txt').write_text(profiler.key_averages().table(
                sort_by=f'self_{where}_time_total', row_limit=40))
        runner.logger.info('profile from iteration %d on: %s', self._first + 1,
                           self.json_trace_path or self._folder)
