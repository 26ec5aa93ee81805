"""The base class of loggers: when to log, and what."""
import numbers
from typing import Any

import numpy as np
import torch

from ...base_runner import BaseRunner
from ...hook import Hook


class LoggerHook(Hook):
    """Base class of loggers: calls `log(runner)` when `runner.log_buffer.output` is to be written.

    That is every `interval` iterations with the means since the last time, after the last iteration
    of the run with the means of the rest, and whenever a hook has put values there and marked them
    as ready. `ignore_last`: drop the rest of any other epoch. `by_epoch`: count iterations within
    the epoch. `reset_flag`: clear the output afterwards; `before_run` sets it for the last logger.
    """

    def __init__(self, interval: int = 10, ignore_last: bool = True, reset_flag: bool = False,
                 by_epoch: bool = True) -> None:
        self.interval = interval
        self.ignore_last = ignore_last
        self.reset_flag = reset_flag
        self.by_epoch = by_epoch

    def log(self, runner: BaseRunner) -> Any:
        """Write `runner.log_buffer.output`."""
        raise NotImplementedError

    @staticmethod
    def is_scalar(value: object, include_np: bool = True, include_torch: bool = True) -> bool:
        """Whether a value is a single number."""
        if isinstance(value, numbers.Number):
            return True
        if include_np and isinstance(value, np.ndarray) and value.ndim == 0:
            return True
        return include_torch and isinstance(value, torch.Tensor) and value.numel() == 1

    def get_mode(self, runner: BaseRunner) -> str:
        """'train' for means of training iterations, otherwise 'val'."""
        timed = 'time' in runner.log_buffer.output
        return 'train' if runner.mode == 'train' and timed else 'val'

    def get_epoch(self, runner: BaseRunner) -> int:
        """Number of the epoch, from 1; in validation that of the training before it."""
        return runner.epoch + 1 if runner.finished_iters > runner.iter else runner.next_epoch

    def get_iter(self, runner: BaseRunner, inner_iter: bool = False) -> int:
        """Number of iterations done; those of the epoch if `by_epoch` and `inner_iter`."""
        if self.by_epoch and inner_iter:
            return runner.inner_iter + 1
        return runner.finished_iters

    def get_lr_tags(self, runner: BaseRunner) -> dict[str, float]:
        """Learning rate of the first group of the optimizer, or of each of several by name."""
        return {} if runner.optimizer is None else _tags('learning_rate', runner.current_lr())

    def get_momentum_tags(self, runner: BaseRunner) -> dict[str, float]:
        """The same for the momentum."""
        return {} if runner.optimizer is None else _tags('momentum', runner.current_momentum())

    def get_loggable_tags(self, runner: BaseRunner, allow_scalar: bool = True,
                          allow_text: bool = False, add_mode: bool = True,
                          tags_to_skip: tuple[str, ...] = ('time', 'data_time'),
                          ) -> dict[str, Any]:
        """Output by name, prefixed by 'train/' or 'val/', with learning rate and momentum.

        A name that has the prefix already, such as that of a validation loss, keeps it.
        """
        prefix = f'{self.get_mode(runner)}/' if add_mode else ''
        tags = {}
        for name, value in runner.log_buffer.output.items():
            unwanted = not allow_scalar if self.is_scalar(value) else not allow_text
            if name not in tags_to_skip and not unwanted:
                tags[name if name.startswith(prefix) else prefix + name] = value
        return {**tags, **self.get_lr_tags(runner), **self.get_momentum_tags(runner)}

    def before_run(self, runner: BaseRunner) -> None:
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self.reset_flag = self is loggers[-1]
        runner.log_buffer.window = max(runner.log_buffer.window, self.interval)

    def before_epoch(self, runner: BaseRunner) -> None:
        runner.log_buffer.clear_history()

    def after_train_iter(self, runner: BaseRunner) -> None:
        buffer = runner.log_buffer
        # Values of other hooks are logged apart from the means of the training.
        scores = dict(buffer.output) if buffer.ready else {}
        due = self._is_due(runner)
        if due or self._ends_run(runner):
            buffer.clear_output()
            buffer.average(self.interval if due else self._since_last(runner))
            if due or buffer.ready:
                self.log(runner)
            buffer.clear_output()
            buffer.output.update(scores)
            buffer.ready = bool(scores)
        self._log_if_ready(runner)

    def _is_due(self, runner: BaseRunner) -> bool:
        if self.by_epoch:
            return (self.every_n_inner_iters(runner, self.interval)
                    or (self.end_of_epoch(runner) and not self.ignore_last))
        return self.every_n_iters(runner, self.interval)

    def _ends_run(self, runner: BaseRunner) -> bool:
        # An epoch that was resumed between two batches is shorter than its loader.
        return self.is_last_iter(runner) or (
            runner.counts_by_epoch and self.is_last_epoch(runner) and self.end_of_epoch(runner))

    def _since_last(self, runner: BaseRunner) -> int:
        """Upper bound of the number of iterations that have not been logged."""
        done = runner.inner_iter + 1 if self.by_epoch else runner.iter + 1
        return done % self.interval if self.interval > 0 else done

    def _log_if_ready(self, runner: BaseRunner) -> None:
        if runner.log_buffer.ready:
            self.log(runner)
            if self.reset_flag:
                runner.log_buffer.clear_output()

    # The first for scores from before, such as those of an evaluation that a resume repeats.
    before_train_iter = after_train_epoch = after_run = _log_if_ready

    def after_val_epoch(self, runner: BaseRunner) -> None:
        runner.log_buffer.average()
        self.log(runner)
        if self.reset_flag:
            runner.log_buffer.clear_output()


def _tags(name: str, values: list[float] | dict[str, list[float]]) -> dict[str, float]:
    if isinstance(values, dict):
        return {f'{name}/{key}': part[0] for key, part in values.items()}
    return {name: values[0]}
