"""Ends a training that no longer gets better."""
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from mmcv_replace.runner import HOOKS, BaseRunner, Hook
from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.runner.hooks import find_ema
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.checks.type_check import Range
from mmcv_replace.utils.errors import ConfigError

from .eval_hooks import EvalHook
from .evidence import Evaluation
from .metric_names import check_metric_name, listed, rule_of, score_names
from .records import AVERAGED, EARLIER, read_evaluations

METRIC = 'EarlyStoppingHook: metric'  # the setting, in messages
HISTORY = 'early_stopping'  # entry of the hooks' messages: metric -> {done: score}
PRIORITY = 80  # after evaluations, before loggers, which log the rest of a run that ends


@dataclass(frozen=True)
class Verdict:
    """What the scores so far say."""

    best: float | None  # None before the first score that is a number
    best_at: int | None
    waited: int  # evaluations since then
    stop: bool


@HOOKS.register_module()
class EarlyStoppingHook(Hook):
    """Stop when `metric` has not got better by more than `min_delta` in `patience` evaluations.

    The last of them is that after which the training stops, and the last checkpoint is written.
    `metric` is any score of an evaluation (mIoU, IoU.person, val/loss), with _ema at the end that
    of the averaged weights. `rule`: 'greater' or 'less' is better, by default by the name. A score
    that is NaN is no improvement.

    A resumed run counts on, from the scores in the checkpoint and those in the folder `evaluations`
    of the work directory. One that had stopped is finished: it trains on only with a higher
    `patience`, a lower `min_delta`, or without this hook.
    """

    default_priority = PRIORITY

    def __init__(self, metric: str = 'mIoU', patience: Annotated[int, Range(1)] = 5,
                 min_delta: Annotated[float, Range(0)] = 0.0,
                 rule: Literal['greater', 'less'] | None = None) -> None:
        self.metric = metric
        self.patience = patience
        self.min_delta = min_delta
        self.rule = rule_of(METRIC, metric, rule)
        self._scores: dict[int, float] | None = None  # by iterations or epochs
        self._seen: dict[str, object] = {}  # scores of the evaluation that is told of
        self._reason: str | None = None  # to stop at the next occasion

    def before_run(self, runner: BaseRunner) -> None:
        """Stop at once where the resumed run had stopped."""
        self._check_place(runner)
        verdict = self._judge(runner)
        if verdict.stop:
            runner.stopped = self._reason = self._in_words(verdict)
            runner.logger.warning(
                'the run is finished: it was stopped early, as %s. To train on, raise patience of '
                'EarlyStoppingHook, or remove it from custom_hooks', self._reason)

    def _check_place(self, runner: BaseRunner) -> None:
        hooks = [hook for hook in runner.hooks if isinstance(hook, EvalHook)]
        if not hooks:
            runner.logger.warning('EarlyStoppingHook has no effect: this run has no evaluations')
        for hook in hooks:
            if runner.hooks.index(hook) > runner.hooks.index(self):
                raise ConfigError(f'EarlyStoppingHook with priority={self.priority} runs before '
                                  'the evaluation: leave its priority out of custom_hooks')
            check_metric_name(METRIC, self.metric, score_names(hook, runner))

    def after_evaluation(self, runner: BaseRunner, evaluation: Evaluation) -> None:
        end = AVERAGED if evaluation.averaged else ''
        scores = {f'{name}{end}': value for name, value in evaluation.scores.items()}
        self._seen = {**self._seen, **scores} if evaluation.averaged else scores
        if self.metric not in scores:
            if self.metric not in self._seen and (evaluation.averaged or find_ema(runner) is None):
                raise ConfigError(f'EarlyStoppingHook: metric={self.metric!r} is not among the '
                                  f'scores of this evaluation: {listed(self._seen)}')
            return
        value = scores[self.metric]
        if not isinstance(value, int | float):
            raise ConfigError(f'EarlyStoppingHook: metric={self.metric!r}: its score is '
                              f'{value!r}, and only a number gets better')
        if math.isnan(value):
            warn_once(f'EarlyStoppingHook: {self.metric} is NaN, which counts as no improvement')
        self._scores = {**self._history(runner), evaluation.done: float(value)}
        runner.hook_msgs[HISTORY] = {**runner.hook_msgs.get(HISTORY, {}), self.metric: self._scores}
        verdict = self._judge(runner)
        if verdict.stop:
            self._reason = self._in_words(verdict)
        elif verdict.waited:
            runner.logger.info('early stopping: %s has not got better in %d of %d evaluations',
                               self.metric, verdict.waited, self.patience)

    def after_train_iter(self, runner: BaseRunner) -> None:
        if self._reason is not None and runner.stopped is None:
            runner.stop(self._reason)

    after_train_epoch = after_train_iter

    def before_train_iter(self, runner: BaseRunner) -> None:
        if self._reason is not None and runner.stopped is not None:
            raise ConfigError(f'{type(runner).__name__} trains on after it was stopped: let its '
                              'loop end where runner.stopped is not None')

    def _judge(self, runner: BaseRunner) -> Verdict:
        """The verdict of the first process, in every process."""
        return from_first_rank(judge(self._history(runner), self.patience, self.min_delta,
                                     self.rule))

    def _history(self, runner: BaseRunner) -> dict[int, float]:
        """The scores so far, which checkpoints keep; a resume finds those of before."""
        if self._scores is None:
            known = runner.hook_msgs.get(HISTORY, {}).get(self.metric, {})
            self._scores = {**known, **recorded_scores(runner, self.metric)}
        return self._scores

    def _in_words(self, verdict: Verdict) -> str:
        best = 'was never a number' if verdict.best is None else (
            f'has not got better than {verdict.best:.4f}, of the evaluation at {verdict.best_at},')
        by = f' by more than {self.min_delta:g}' if self.min_delta else ''
        plural = 's' if verdict.waited > 1 else ''
        return f'{self.metric} {best}{by} in {verdict.waited} evaluation{plural}'


def judge(scores: Mapping[int, float], patience: int, min_delta: float, rule: str) -> Verdict:
    """What the scores, by iterations or epochs, say: they are taken one after the other."""
    sign = 1 if rule == 'greater' else -1
    best, best_at, waited = None, None, 0
    for done in sorted(scores):
        value = scores[done]
        if not math.isnan(value) and (best is None or sign * (value - best) > min_delta):
            best, best_at, waited = value, done, 0
        else:
            waited += 1
        if waited == patience:
            break
    return Verdict(best, best_at, waited, waited >= patience)


def recorded_scores(runner: BaseRunner, metric: str) -> dict[int, float]:
    """Scores of a resumed run up to its place, by the records beside its checkpoints.

    The last ones are in no checkpoint: that is written before the evaluation.
    """
    if runner.finished_iters == 0:
        return {}
    folders = {Path(folder) for folder in (
        runner.work_dir, runner.resumed_file and runner.resumed_file.parent) if folder}
    runs = {runner.meta.get('run_id'), runner.resumed_run,
            *(run for run, _ in runner.hook_msgs.get(EARLIER, ()))}
    found = {}
    for record in (each for folder in sorted(folders)
                   for each in read_evaluations(folder, every_run=True)):
        name = f'{metric}' if not record.averaged else metric.removesuffix(AVERAGED)
        wanted = record.averaged == (metric.endswith(AVERAGED) and metric not in record.scores)
        place = runner.epoch if record.by_epoch else runner.iter
        if wanted and record.run_id in runs and record.done <= place and isinstance(
                record.scores.get(name), int | float):
            found[record.done] = float(record.scores[name])
    return found
