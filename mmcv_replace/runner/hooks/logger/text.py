"""Writes a line to the log and a JSON object to TIMESTAMP.log.json each time."""
import datetime
import json
import math
import time
from pathlib import Path
from typing import Any

from ....device import max_memory_mb
from ....utils import warn_once
from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from ..momentum_updater import MomentumUpdaterHook
from ..places import check_out_dir, place_for, put_file
from .base import LoggerHook

# The beginning of a training line, and how its numbers are written.
HEAD = {'lr': '.3e', 'momentum': '.4f', 'eta': '', 'time': '.3f', 'data_time': '.3f', 'memory': '',
        'fps': '.1f'}


@HOOKS.register_module()
class TextLoggerHook(LoggerHook):
    """Training lines such as

        Iter [50/20000]\\tlr: 9.979e-03, eta: 2:31:03, time: 0.455, data_time: 0.021, memory: 6084,
        fps: 35.2, decode.loss_seg: 1.0000, loss: 1.5000

    (in one line; `memory` in MiB if the device reports it) and validation lines
    `Iter(val) [1000]\\tmIoU: 0.7521`. The first JSON object of a run is its meta data, and the
    last one of a run that was stopped early `{"stopped": REASON}`. A run whose meta data have an
    `exp_name` says it every `interval_exp_name` iterations.

    `out_dir`: a folder, or a place such as s3://bucket/runs, that gets the files of the work
    directory whose names end with one of `out_suffix` after the run, in a folder of the name of the
    work directory; `keep_local=False` then deletes them here. `file_client_args`: how to write
    there, see FileClient; by default the beginning of `out_dir` tells.
    """

    def __init__(self, by_epoch: bool = True, interval: int = 10, ignore_last: bool = True,
                 reset_flag: bool = False, interval_exp_name: int = 1000,
                 out_dir: str | Path | None = None,
                 out_suffix: str | tuple[str, ...] = ('.log.json', '.log', '.py'),
                 keep_local: bool = True,
                 file_client_args: dict[str, Any] | None = None) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        check_out_dir('TextLoggerHook', out_dir, file_client_args)
        self.interval_exp_name = interval_exp_name
        self.out_dir = out_dir
        self.out_suffix = (out_suffix,) if isinstance(out_suffix, str) else tuple(out_suffix)
        self.keep_local = keep_local
        self.file_client_args = file_client_args
        self.json_log_path: Path | None = None

    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self._start_time = time.perf_counter()
        self.start_iter = runner.iter
        if runner.work_dir is not None:
            self.json_log_path = Path(runner.work_dir) / f'{runner.timestamp}.log.json'
            meta = {key: value for key, value in runner.meta.items() if key != 'hook_msgs'}
            self._dump_log({**meta, 'start': self._start(runner)}, runner)

    def _start(self, runner: BaseRunner) -> dict[str, Any]:
        """Where the run begins, whose checkpoint that is, and what it counts up to which number."""
        return {'iter': runner.iter, 'epoch': runner.epoch, 'resumed_run': runner.resumed_run,
                'by_epoch': self.by_epoch,
                'length': runner.max_epochs if self.by_epoch else runner.max_iters,
                # Iterations of an epoch, by which hooks that count differently are compared. A
                # runner of a user may know its epochs alone.
                'epoch_length': runner.max_iters // runner.max_epochs
                if runner.max_iters and runner.max_epochs else None}

    def log(self, runner: BaseRunner) -> dict[str, Any]:
        output = {name: value.item() if self.is_scalar(value) and hasattr(value, 'item') else value
                  for name, value in runner.log_buffer.output.items()}
        entry: dict[str, Any] = {'mode': self.get_mode(runner), 'epoch': self.get_epoch(runner),
                                 'iter': self.get_iter(runner, inner_iter=True)}
        if runner.optimizer is not None:
            entry['lr'] = first_values(runner.current_lr())
        if entry['mode'] == 'train':
            self._name_experiment(runner)
            entry.update(self._train_state(runner))
        entry.update((key, output.pop(key)) for key in ('data_time', 'time', 'fps')
                     if key in output)
        log_dict = {**entry, **output}
        self._log_info(log_dict, runner)
        self._dump_log(log_dict, runner)
        return log_dict

    def _log_info(self, log_dict: dict[str, Any], runner: BaseRunner) -> None:
        """Write the line of the log."""
        head = self._train_head if log_dict['mode'] == 'train' else self._val_head
        runner.logger.info(head(runner, log_dict) + ', '.join(
            f'{name}: {value:.4f}' if isinstance(value, float) else f'{name}: {value}'
            for name, value in log_dict.items() if name not in ('mode', 'epoch', 'iter', *HEAD)))

    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if runner.stopped is not None:
            self._dump_log({'stopped': runner.stopped}, runner)
        if self.out_dir is None or runner.work_dir is None or runner.rank != 0:
            return
        work_dir = Path(runner.work_dir)
        for path in sorted(work_dir.iterdir()):
            if path.is_file() and path.name.endswith(self.out_suffix):
                put_file(path, place_for(self.out_dir, work_dir.name, path.name),
                         self.file_client_args)
                if not self.keep_local:
                    path.unlink()

    def _name_experiment(self, runner: BaseRunner) -> None:
        due = self.every_n_iters(runner, self.interval_exp_name) or (
            self.by_epoch and self.end_of_epoch(runner))
        if due and 'exp_name' in runner.meta:
            runner.logger.info('Exp name: %s', runner.meta['exp_name'])

    def _train_state(self, runner: BaseRunner) -> dict[str, float]:
        """Momentum and memory for a training line."""
        state = {}
        if any(isinstance(hook, MomentumUpdaterHook) for hook in runner.hooks):
            state = {'momentum': first_values(runner.current_momentum())}
        memory = max_memory_mb(runner.device)
        return state if memory is None else {**state, 'memory': memory}

    def _train_head(self, runner: BaseRunner, entry: dict[str, Any]) -> str:
        if self.by_epoch:
            place = f'Epoch [{entry["epoch"]}][{entry["iter"]}/{len(runner.data_loader)}]'
        else:
            place = f'Iter [{entry["iter"]}/{runner.max_iters}]'
        shown = {**entry, 'eta': self._eta(runner)}
        parts = (f'{name}: {value:{form}}' for key, form in HEAD.items() if key in shown
                 for name, value in _named(key, shown[key]))
        return f'{place}\t{", ".join(parts)}, '

    def _val_head(self, runner: BaseRunner, entry: dict[str, Any]) -> str:
        if self.by_epoch:
            return f'Epoch(val) [{entry["epoch"]}][{entry["iter"]}]\t'
        return f'Iter(val) [{entry["iter"]}]\t'

    def _eta(self, runner: BaseRunner) -> datetime.timedelta:
        """Remaining time at the mean speed of this run, including evaluation and checkpoints."""
        done = runner.finished_iters - self.start_iter
        left = runner.max_iters - runner.finished_iters
        return datetime.timedelta(
            seconds=int((time.perf_counter() - self._start_time) / done * left))

    @master_only
    def _dump_log(self, log_dict: dict[str, Any], runner: BaseRunner) -> None:
        """Write the JSON object."""
        if self.json_log_path is None:
            return
        try:
            with self.json_log_path.open('a', encoding='utf-8') as file:
                file.write(json.dumps(_for_json(log_dict), default=str) + '\n')
        except OSError as error:  # a full disk must not end the training
            warn_once(f'{self.json_log_path} cannot be written and will lack lines: {error}')


def first_values(values: list[float] | dict[str, list[float]]) -> float | dict[str, float]:
    """That of the first group of an optimizer, or of each of several optimizers by name."""
    if isinstance(values, dict):
        return {name: part[0] for name, part in values.items()}
    return values[0]


def _named(key: str, value: Any) -> list[tuple[str, Any]]:
    """(name, value) of each number that is shown for `key`: several if there are optimizers."""
    if isinstance(value, dict):
        return [(f'{key}_{name}', part) for name, part in value.items()]
    return [(key, value)]


def _for_json(value: Any) -> Any:
    """Floats rounded to six digits; infinity and NaN, which JSON does not have, become null."""
    if isinstance(value, dict):
        return {key: _for_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(item) for item in value]
    if isinstance(value, float):
        return float(f'{value:.6g}') if math.isfinite(value) else None
    return value
