"""Averaged weights (EMA) beside the trained ones."""
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

from ...device import seed_everything
from ...parallel import scatter
from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..checkpoints.averaged import AVERAGED, TRAINED, averaged_state
from ..checkpoints.files import read_checkpoint
from ..checkpoints.run_state import random_states, restore_random_states
from ..hook import HOOKS, Hook
from ..norm_statistics import estimate_statistics
from ..weight_average import WeightAverage
from .optimizer import OptimizerHook


@HOOKS.register_module()
class EMAHook(Hook):
    """Keeps an exponential moving average of the weights, which does not affect the training.

    Every `interval` iterations average = (1 - m) * average + m * weights. m is `momentum`, raised
    to the effect of `interval` updates, but at most (1 + i) / (`warm_up` + i) in iteration i.
    Before `begin_iter` the average is a copy of the weights. Skipped steps count as updates.
    `resume_from`: a checkpoint with the averages to begin with.

    The running statistics of the trained weights do not fit the averaged ones. They are averaged
    too, and before an evaluation or a checkpoint those of batch norms are recomputed over the first
    `statistics_batches` batches of the training (0: keep the averages, for models with state that
    changes in forward passes and is not in buffers). `update_buffers=False`: use the running
    statistics of the trained weights instead.

    Each evaluation scores the trained weights, unless `evaluate_on_origin=False`, and the averaged
    ones, whose scores end in `_ema`. For checkpoints see runner/checkpoints/averaged.py.

    Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992.
    """

    default_priority = 'ABOVE_NORMAL'  # after the optimizer's step, before checkpoints

    def __init__(self, momentum: float = 0.0002, interval: int = 1, warm_up: int = 100,
                 resume_from: str | None = None, begin_iter: int = 0,
                 update_buffers: bool = True, evaluate_on_origin: bool = True,
                 statistics_batches: int = 30) -> None:
        if not 0 < momentum < 1:
            raise ConfigError(f'EMAHook: momentum={momentum} is the share of the new weights, '
                              'between 0 and 1, such as 0.0002')
        if interval < 1:
            raise ConfigError(f'EMAHook: interval={interval}: it must be at least 1')
        if warm_up < 0 or begin_iter < 0:
            raise ConfigError(f'EMAHook: warm_up={warm_up}, begin_iter={begin_iter}: neither may '
                              'be negative')
        if statistics_batches < 0:
            raise ConfigError(f'EMAHook: statistics_batches={statistics_batches}: it must not be '
                              'negative; 0 keeps the averages of the running statistics')
        self.momentum = momentum
        self.interval = interval
        self.warm_up = warm_up
        self.resume_from = resume_from
        self.begin_iter = begin_iter
        self.update_buffers = update_buffers
        self.evaluate_on_origin = evaluate_on_origin
        self.statistics_batches = statistics_batches
        self.average: WeightAverage | None = None
        # Training batches for the statistics, the same in each iteration over it; set by train.py.
        self.batches: Iterable[Any] | None = None
        self._estimated = False  # whether the running statistics fit the present averages
        self._updated_at = 0  # number of iterations done when the last update was due
        self._saves_average = False

    def after_resume(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        self.average = self._make(runner)
        if AVERAGED in checkpoint:
            self.average.load(checkpoint[AVERAGED])
        else:
            runner.logger.warning('EMAHook: the checkpoint has no averaged weights; the average '
                                  'begins with those that it has')

    def before_run(self, runner: BaseRunner) -> None:
        self._check_place(runner)
        if self.average is not None:  # resumed
            return
        self.average = self._make(runner)
        if self.resume_from is not None:
            self.average.load(averaged_state(read_checkpoint(self.resume_from), self.resume_from))

    def _make(self, runner: BaseRunner) -> WeightAverage:
        self._estimated = False
        self._updated_at = runner.finished_iters
        return WeightAverage(runner.model, runner.precision.masters, self.update_buffers)

    def _check_place(self, runner: BaseRunner) -> None:
        """Raise ConfigError for a second EMAHook; warn of one that runs before the step."""
        if sum(isinstance(hook, EMAHook) for hook in runner.hooks) > 1:
            raise ConfigError('custom_hooks has more than one EMAHook, and a checkpoint holds one '
                              'average: leave the others out')
        steps = [isinstance(hook, OptimizerHook) for hook in runner.hooks]
        if any(steps[runner.hooks.index(self):]):
            runner.logger.warning(
                'EMAHook with priority=%s runs before the step of an iteration, so that the '
                'averages lack the newest weights: leave its priority out of custom_hooks',
                self.priority)

    def after_train_iter(self, runner: BaseRunner) -> None:
        self._update(runner)

    def _update(self, runner: BaseRunner) -> None:
        """Update the averages, unless that is done in this iteration.

        A hook that evaluates or saves may run before this one.
        """
        if self._updated_at == runner.finished_iters:
            return
        self._updated_at = runner.finished_iters
        copies = runner.iter < self.begin_iter
        if copies or self.every_n_iters(runner, self.interval):
            self.average.update(1.0 if copies else self._momentum_at(runner.iter))
            self._estimated = False

    def _momentum_at(self, iteration: int) -> float:
        momentum = 1 - (1 - self.momentum)**self.interval
        return min(momentum, (1 + iteration) / (max(self.warm_up, 1) + iteration))

    def applied(self, runner: BaseRunner) -> AbstractContextManager[None]:
        """Context in which the model has the averaged weights; every process has to enter it."""
        self._estimate(runner)
        return self.average.applied()

    def _estimate(self, runner: BaseRunner) -> None:
        """Update the averages and recompute their running statistics, if needed."""
        self._update(runner)
        wanted = self.update_buffers and self.statistics_batches and self.batches is not None
        if self._estimated or not wanted:
            return
        def step(batch: Any) -> None:
            with runner.precision.autocast():
                runner.unwrapped_model.train_step(scatter(batch, runner.device), runner.optimizer)

        states = random_states(runner.device)
        seed_everything(0)  # dropout then draws the same numbers in a resumed run
        try:
            with self.average.applied():
                self.average.set_statistics(estimate_statistics(
                    runner.unwrapped_model, islice(self.batches, self.statistics_batches), step))
        finally:
            restore_random_states(states, runner.device)
        self._estimated = True

    before_collect_state = _estimate

    @contextmanager
    def saving_average(self) -> Iterator[None]:
        """Context in which checkpoints get the averaged weights as their state_dict."""
        self._saves_average = True
        try:
            yield
        finally:
            self._saves_average = False

    def before_save_checkpoint(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        averaged = self.average.put_into(checkpoint['state_dict'])
        if self._saves_average:
            checkpoint[TRAINED] = checkpoint['state_dict']
            checkpoint['state_dict'] = averaged
        else:
            checkpoint[AVERAGED] = averaged


def find_ema(runner: BaseRunner) -> EMAHook | None:
    """The EMAHook of a run, or None."""
    return next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)
