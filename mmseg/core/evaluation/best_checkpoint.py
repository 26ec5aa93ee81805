"""Keeps the checkpoint of the best evaluation so far."""
import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.hooks import find_ema
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError

from .best import best_name, find_best, forget_best, is_best_of
from .metric_names import infer_rule, listed, rule_of
from .records import AVERAGED

# The scores that a checkpoint is kept for, before any others that an evaluation lists first (aAcc).
MAIN = tuple(f'{name}{end}' for name in ('mIoU', 'mDice', 'mFscore') for end in ('', AVERAGED))


class Choice(NamedTuple):
    """By which score the weights are the best so far."""

    metric: str
    score: float
    same_kind: bool  # whether the best ones before were so by the same score


class BestCheckpoint:
    """The best checkpoint by the score `metric`, 'auto' or a name; see EvalHook.

    Raises ConfigError where neither `rule` nor the name of the score tells which value is better.
    """

    def __init__(self, metric: str, rule: str | None, by_epoch: bool) -> None:
        self.metric = metric
        self._rule = rule if metric == 'auto' else rule_of('evaluation.save_best', metric, rule)
        self._unit = 'epoch' if by_epoch else 'iter'
        self._best: dict[str, Any] = {}  # entries of the hooks' messages

    def resume(self, runner: BaseRunner) -> None:
        """Find the best score so far of a resumed run."""
        auto = self.metric == 'auto'
        self._best = find_best(runner, MAIN if auto else (self.metric,), strictly=not auto)

    def choose(self, runner: BaseRunner, scores: dict[str, float]) -> Choice | None:
        """The score by which the weights are the best so far, None if they are not."""
        metrics = self._metrics(runner, scores)
        same_kind = is_best_of(Path(self._best.get('best_ckpt', '')), metrics)
        metric, best = None, self._best['best_score'] if same_kind else None
        for name in metrics:
            if self._is_better(name, scores[name], best):
                metric, best = name, scores[name]
        return None if metric is None else Choice(metric, best, same_kind)

    def save(self, runner: BaseRunner, choice: Choice, done: int,
             finished: Callable[[], None] | None = None) -> None:
        """Write the checkpoint as the best, in the first process; then call `finished`."""
        metric, score, same_kind = choice
        known, former = self._best, Path(self._best.get('best_ckpt', ''))
        file = runner.free_path(Path(runner.work_dir, best_name(metric, self._unit, done)))
        self._best = dict(best_score=score, best_ckpt=str(file), best_metric=metric)
        runner.hook_msgs.update(self._best)
        if runner.rank != 0:
            return
        # In another folder the former best checkpoint belongs to another run.
        replaced = same_kind and former.parent.resolve() == file.parent.resolve()
        averaged = metric.endswith(AVERAGED) and find_ema(runner) is not None

        def conclude() -> None:
            if replaced and former != file and former.resolve() not in runner.begun_from:
                former.unlink(missing_ok=True)
            if finished is not None:
                finished()

        def settle(written: bool) -> None:
            if written:
                whose = ' of the averaged weights' if averaged else ''
                runner.logger.info(f'best {metric} so far: {score:.4f}{whose}, kept as {file}')
            else:
                forget_best(runner)
                runner.hook_msgs.update(known)
                self._best = known

        with find_ema(runner).saving_average() if averaged else nullcontext():
            runner.saver.save(runner.build_checkpoint(), file, f'best {self.metric}', conclude,
                              settle)
        runner.saver.poll()

    def _metrics(self, runner: BaseRunner, scores: dict[str, float]) -> list[str]:
        """Names of the scores that decide on the best checkpoint, the trained weights' first."""
        if self.metric != 'auto':
            if self.metric not in scores:
                raise ConfigError(f'evaluation.save_best={self.metric!r} is not among the '
                                  f'scores of this evaluation: {listed(scores)}')
            if not isinstance(scores[self.metric], int | float):
                raise ConfigError(f'evaluation.save_best={self.metric!r}: its score is '
                                  f'{scores[self.metric]!r}, and only a number can be the best')
            return [self.metric]
        names = [name for name, value in scores.items() if isinstance(value, int | float)]
        main = [name for name in MAIN if name in names] or names[:1]
        if find_ema(runner) is None:
            return main[:1]
        trained = main[0].removesuffix(AVERAGED) if main else ''
        return [name for name in (trained, f'{trained}{AVERAGED}') if name in names]

    def _is_better(self, metric: str, value: float, former: float | None) -> bool:
        rule = self._rule or infer_rule(metric)
        if rule is None:
            warn_once(f'no best checkpoint is kept: the name {metric!r} does not tell which value '
                      "is better; say evaluation.rule='greater' or 'less'")
        if rule is None or math.isnan(value):
            return False
        return former is None or (value > former if rule == 'greater' else value < former)
