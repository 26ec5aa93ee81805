"""When a model is evaluated in the course of its training."""
from mmcv_replace.runner import BaseRunner, Hook


class ScheduledEvaluation(Hook):
    """Calls `_evaluate_after` every `interval` iterations (epochs with `by_epoch`) from `start` on.

    If `start` is not above the iteration at which a run begins, also before its first one.
    """

    def __init__(self, interval: int, by_epoch: bool, start: int | None) -> None:
        self.interval = interval
        self.by_epoch = by_epoch
        self.start = start
        self._at_first_step = True

    def _evaluate_after(self, runner: BaseRunner, done: int) -> None:
        """Evaluate the model after `done` iterations or epochs."""
        raise NotImplementedError

    def before_train_epoch(self, runner: BaseRunner) -> None:
        if self.by_epoch:
            self._evaluate_at_start(runner, runner.epoch)

    def before_train_iter(self, runner: BaseRunner) -> None:
        if not self.by_epoch:
            self._evaluate_at_start(runner, runner.iter)

    def after_train_epoch(self, runner: BaseRunner) -> None:
        if self.by_epoch and self._should_evaluate(runner):
            self._evaluate_after(runner, runner.epoch + 1)

    def after_train_iter(self, runner: BaseRunner) -> None:
        if not self.by_epoch and self._should_evaluate(runner):
            self._evaluate_after(runner, runner.iter + 1)

    def _evaluate_at_start(self, runner: BaseRunner, done: int) -> None:
        if self._at_first_step and self.start is not None and done >= self.start:
            self._evaluate_after(runner, done)
        self._at_first_step = False

    def _should_evaluate(self, runner: BaseRunner) -> bool:
        """Whether an evaluation is due after this epoch or iteration."""
        return self._is_due((runner.epoch if self.by_epoch else runner.iter) + 1)

    def _is_due(self, done: int) -> bool:
        since_start = done - (self.start or 0)
        return since_start >= 0 and since_start % self.interval == 0
