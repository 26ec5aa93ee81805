"""Averaged weights, beside those that are trained."""
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

from ...device import seed_everything
from ...parallel import is_module_wrapper, scatter
from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..checkpoints.averaged import AVERAGED, TRAINED, averaged_state
from ..checkpoints.files import read_checkpoint
from ..checkpoints.run_state import random_states, restore_random_states
from ..hook import HOOKS, Hook
from ..norm_statistics import estimate_statistics
from ..weight_average import WeightAverage
from .checkpoint import CheckpointHook
from .optimizer import OptimizerHook


@HOOKS.register_module()
class EMAHook(Hook):
    """Keeps an exponential moving average of the weights; training does not notice it.

    Every `interval` iterations average = (1 - m) * average + m * weights, where m is `momentum`, or
    for an interval what as many single updates would give; no more than (1 + i) / (`warm_up` + i)
    in iteration i. Up to `begin_iter` the average is the weights. An iteration whose step was left
    out counts like any other. `resume_from` starts with the averages of that checkpoint.

    Running statistics of other weights do not fit the averaged ones. They are averaged too, and
    before an evaluation or a checkpoint those of batch norms are estimated anew, over the first
    `statistics_batches` batches of the training; 0 keeps their averages, for models that count
    their passes other than in buffers.
    `update_buffers=False` takes the running statistics of the trained weights instead.

    Each evaluation scores the trained weights and the averaged ones, whose scores end in `_ema`;
    `evaluate_on_origin=False` leaves out the former. A checkpoint holds the averages as
    `ema_state_dict`. The best one by a score of theirs has them as its state_dict, and the trained
    weights as `raw_state_dict`.

    Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992.
    """

    default_priority = 'ABOVE_NORMAL'  # behind the optimizer's step, ahead of checkpoints

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
        # The same batches each time it is iterated, loaded anew; whoever has the data sets it.
        self.batches: Iterable[Any] | None = None
        self._estimated = False  # the running statistics are those of the averages as they are
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
        return WeightAverage(runner.model, runner.precision.masters, self.update_buffers)

    def _check_place(self, runner: BaseRunner) -> None:
        """The average of an iteration must be there when a checkpoint of it is written."""
        if sum(isinstance(hook, EMAHook) for hook in runner.hooks) > 1:
            raise ConfigError('custom_hooks has more than one EMAHook, and a checkpoint holds one '
                              'average: leave the others out')
        before = runner.hooks[:runner.hooks.index(self)]
        late = any(isinstance(hook, CheckpointHook) for hook in before)
        early = any(isinstance(hook, OptimizerHook) for hook in runner.hooks) and not any(
            isinstance(hook, OptimizerHook) for hook in before)
        if late or early:
            raise ConfigError(f'EMAHook with priority={self.priority} runs '
                              f'{"after the checkpoints" if late else "before the step"} of an '
                              'iteration: leave its priority out of custom_hooks')

    def after_train_iter(self, runner: BaseRunner) -> None:
        if runner.iter < self.begin_iter:
            self._update(1.0)
        elif self.every_n_iters(runner, self.interval):
            self._update(self._momentum_at(runner.iter))

    def _update(self, momentum: float) -> None:
        self.average.update(momentum)
        self._estimated = False

    def _momentum_at(self, iteration: int) -> float:
        momentum = 1 - (1 - self.momentum)**self.interval
        return min(momentum, (1 + iteration) / (max(self.warm_up, 1) + iteration))

    def applied(self, runner: BaseRunner) -> AbstractContextManager[None]:
        """The model has the averaged weights inside this context; every process has to enter it."""
        self._estimate(runner)
        return self.average.applied()

    def before_collect_state(self, runner: BaseRunner) -> None:
        self._estimate(runner)

    def _estimate(self, runner: BaseRunner) -> None:
        """Let the running statistics be those of the averaged weights."""
        wanted = self.update_buffers and self.statistics_batches and self.batches is not None
        if self._estimated or not wanted:
            return
        model = runner.model.module if is_module_wrapper(runner.model) else runner.model

        def step(batch: Any) -> None:
            with runner.precision.autocast():
                model.train_step(scatter(batch, runner.device), runner.optimizer)

        states = random_states(runner.device)
        seed_everything(0)  # dropout draws the same numbers in a run that was resumed
        try:
            with self.average.applied():
                self.average.set_statistics(estimate_statistics(
                    model, islice(self.batches, self.statistics_batches), step))
        finally:
            restore_random_states(states, runner.device)
        self._estimated = True

    @contextmanager
    def saving_average(self) -> Iterator[None]:
        """Checkpoints written in this context have the averaged weights as their state_dict."""
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
    """The hook that averages the weights of this run, if it has one."""
    return next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)
