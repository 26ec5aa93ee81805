"""Score the model during training, and keep the best checkpoint."""
import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from torch.utils.data import DataLoader

from mmcv_replace.runner import HOOKS, BaseRunner, Hook
from mmcv_replace.runner.dist_utils import from_first_rank, send_norm_statistics
from mmcv_replace.runner.hooks import check_unit, find_ema, listen_for_requests
from mmcv_replace.runner.preemption import EvaluationCut
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.checks.type_check import Range
from mmcv_replace.utils.errors import ArgumentError, ConfigError

from .best import best_name, find_best, forget_best, is_best_of
from .collect import gather_results
from .eval_progress import missed_evaluation, note_evaluated
from .overrides import is_own, is_own_anywhere, standard
from .sinks import CollectResults
from .testing import evaluate_model, run_test

# Words in a metric's name that tell which value is better; the first match decides.
LESS_IS_BETTER = ('loss', 'error')
GREATER_IS_BETTER = ('acc', 'iou', 'dice', 'score', 'precision', 'recall')
AVERAGED = '_ema'  # suffix of the scores of the averaged weights
# The scores that a checkpoint is kept for, before any others that an evaluation lists first (aAcc).
MAIN = tuple(f'{name}{end}' for name in ('mIoU', 'mDice', 'mFscore') for end in ('', AVERAGED))
# Settings with which other evaluation loops save memory that this one does not need.
NEEDLESS = ('efficient_test', 'pre_eval', 'tmpdir', 'gpu_collect')
PREFIX = 'imgfile_prefix'  # for files to score; a data set's own `evaluate` may need them


@HOOKS.register_module()
class EvalHook(Hook):
    """Evaluate every `interval` iterations (epochs with `by_epoch`), first at `start`.

    If `start` is not above the current iteration, the hook also evaluates once before training, as
    does a resumed run whose last evaluation was interrupted. `save_best` names the metric by which
    the best checkpoint is kept, as `best_METRIC_iter_N.pth` with unsafe characters escaped; 'auto'
    stands for mIoU, mDice or mFscore, or for the first score if there is none of them. `rule`
    ('greater' or 'less') says which value is better, for metrics whose name does not tell. Further
    arguments are for `evaluate` of the data set.

    With an EMAHook the averaged weights are scored too, as mIoU_ema and so on. Then 'auto' keeps
    the better of both weights, as the file's name tells; 'mIoU' keeps the trained weights,
    'mIoU_ema' the averaged ones.
    """

    def __init__(
        self, dataloader: DataLoader, interval: Annotated[int, Range(1)] = 1,
        by_epoch: bool = False, start: Annotated[int | None, Range(0)] = None,
        save_best: str | Literal[False] | None = 'auto',
        rule: Literal['greater', 'less'] | None = None, **eval_kwargs: object,
    ) -> None:
        if not isinstance(dataloader, DataLoader):
            raise ArgumentError(
                f'dataloader must be a DataLoader, not {type(dataloader).__name__}')
        self.dataloader = dataloader
        self.interval = interval
        self.by_epoch = by_epoch
        self.start = start
        self.save_best = save_best or None
        self.rule = rule
        if self.save_best not in (None, 'auto') and not (rule or infer_rule(self.save_best)):
            raise ConfigError(f"which value of evaluation.save_best={save_best!r} is better? say "
                              "evaluation.rule='greater' or 'less'")
        own = is_own_anywhere(dataloader.dataset, 'evaluate')
        for name in NEEDLESS if own else (*NEEDLESS, PREFIX):
            if eval_kwargs.pop(name, None):
                warn_once(f'evaluation.{name} has no effect: scoring keeps no predictions')
        self.eval_kwargs = eval_kwargs
        self._at_first_step = True
        self._done = 0  # iterations or epochs before the evaluation that runs
        self._best: dict[str, Any] = {}  # this hook's entries of the hooks' messages

    def before_run(self, runner: BaseRunner) -> None:
        """After resuming, find the best score so far, and repeat an interrupted evaluation."""
        check_unit('evaluation', self.by_epoch, runner)
        if runner.iter > 0 and self.save_best and runner.work_dir is not None:
            auto = self.save_best == 'auto'
            self._best = find_best(runner, MAIN if auto else (self.save_best,), strictly=not auto)
        done = runner.epoch if self.by_epoch else runner.iter
        if done > 0 and self._is_due(done) and missed_evaluation(runner, done):
            self._evaluate_after(runner, done)
            self._at_first_step = False

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

    def _evaluate_after(self, runner: BaseRunner, done: int) -> None:
        self._done = done
        self._do_evaluate(runner)

    # A subclass may override the two, as in later versions of 0.x.
    def _should_evaluate(self, runner: BaseRunner) -> bool:
        """Whether an evaluation is due after this epoch or iteration."""
        return self._is_due((runner.epoch if self.by_epoch else runner.iter) + 1)

    def _do_evaluate(self, runner: BaseRunner) -> None:
        """Score the model, log, and keep the best checkpoint."""
        self.run_evaluation(runner, self._done)

    def _is_due(self, done: int) -> bool:
        since_start = done - (self.start or 0)
        return since_start >= 0 and since_start % self.interval == 0

    @standard
    def evaluate(self, runner: BaseRunner, results: Sequence[np.ndarray]) -> None:
        """Score segmentation maps of all samples and put the scores into the log.

        Where a subclass overrides it, it is called on the first process, and what it puts into
        `runner.log_buffer.output` are the scores.
        """
        runner.log_buffer.output.update(self.dataloader.dataset.evaluate(
            results, logger=runner.logger, **self.eval_kwargs))
        runner.log_buffer.ready = True

    def run_evaluation(self, runner: BaseRunner, done: int) -> None:
        """Score the model after `done` iterations or epochs, log, and keep the best checkpoint.

        Scores of single classes, and of groups of them, are not logged again, as the data set
        prints tables of them. Does nothing more if the process is asked to stop at once during the
        evaluation.
        """
        try:
            scores = self._score_all(runner)
        except EvaluationCut:  # PreemptionHook saves when the other hooks are done
            return
        dataset = self.dataloader.dataset
        classes = {*(getattr(dataset, 'CLASSES', None) or ()),
                   *getattr(dataset, 'score_groups', ())}
        runner.log_buffer.output.update(
            {name: value for name, value in scores.items()
             if not {name.partition('.')[2], name.removesuffix(AVERAGED).partition('.')[2]}
             & classes})
        runner.log_buffer.ready = True
        saving = False
        if self.save_best and runner.work_dir is not None:
            runner.collect_state()
            saving = self._save_best(runner, scores, done)
        if not saving:
            note_evaluated(runner, done)

    def _score_all(self, runner: BaseRunner) -> dict[str, float]:
        """Scores of the trained weights, and of the averaged ones with the suffix AVERAGED."""
        ema = find_ema(runner)
        scores = {} if ema is not None and not ema.evaluate_on_origin else self._score(runner)
        if ema is not None:
            runner.logger.info('Scores of the averaged weights:')
            with ema.applied(runner):
                averaged = self._score(runner)
            scores |= {f'{name}{AVERAGED}': value for name, value in averaged.items()}
        return scores

    def _score(self, runner: BaseRunner) -> dict[str, float]:
        if is_own(self, 'evaluate'):
            return self._score_by_own(runner)
        return evaluate_model(
            runner.model, self.dataloader, request=listen_for_requests(runner),
            logger=runner.logger, **self.eval_kwargs)

    def _score_by_own(self, runner: BaseRunner) -> dict[str, Any]:
        """The scores that `evaluate` of a subclass logs, on every process."""
        collect = CollectResults(lambda prediction: [prediction.seg_map])
        run_test(runner.model, self.dataloader, [collect], request=listen_for_requests(runner))
        results = gather_results(collect.results)
        output, scores = runner.log_buffer.output, None
        if results is not None:
            logged = dict(output)
            output.clear()
            self.evaluate(runner, results)
            scores = dict(output)
            output.clear()
            output.update(logged)
        return from_first_rank(scores)

    def _save_best(self, runner: BaseRunner, scores: dict[str, float], done: int) -> bool:
        """Write the checkpoint and return True, if it is the best so far.

        The evaluation is recorded as finished when the file is written.
        """
        metrics = self._best_metrics(runner, scores)
        known = self._best
        former = Path(known.get('best_ckpt', ''))
        same_kind = is_best_of(former, metrics)
        metric, best = None, known['best_score'] if same_kind else None
        for name in metrics:
            if self._is_better(name, scores[name], best):
                metric, best = name, scores[name]
        if metric is None:
            return False
        unit = 'epoch' if self.by_epoch else 'iter'
        file = runner.free_path(Path(runner.work_dir, best_name(metric, unit, done)))
        self._best = dict(best_score=scores[metric], best_ckpt=str(file), best_metric=metric)
        runner.hook_msgs.update(self._best)
        if runner.rank != 0:
            return True
        # In another folder the former best checkpoint belongs to another run.
        replaced = same_kind and former.parent.resolve() == file.parent.resolve()
        averaged = metric.endswith(AVERAGED) and find_ema(runner) is not None

        def conclude() -> None:
            if replaced and former != file and former.resolve() not in runner.begun_from:
                former.unlink(missing_ok=True)
            note_evaluated(runner, done)

        def settle(written: bool) -> None:
            if written:
                whose = ' of the averaged weights' if averaged else ''
                runner.logger.info(f'best {metric} so far: {scores[metric]:.4f}{whose}, kept as '
                                   f'{file}')
            else:
                forget_best(runner)
                runner.hook_msgs.update(known)
                self._best = known

        with find_ema(runner).saving_average() if averaged else nullcontext():
            runner.saver.save(runner.build_checkpoint(), file, f'best {self.save_best}', conclude,
                              settle)
        runner.saver.poll()
        return True

    def _best_metrics(self, runner: BaseRunner, scores: dict[str, float]) -> list[str]:
        """Names of the scores that decide on the best checkpoint, the trained weights' first."""
        if self.save_best != 'auto':
            if self.save_best not in scores:
                raise ConfigError(f'evaluation.save_best={self.save_best!r} is not among the '
                                  f'scores of this evaluation: {", ".join(scores)}')
            if not isinstance(scores[self.save_best], int | float):
                raise ConfigError(f'evaluation.save_best={self.save_best!r}: its score is '
                                  f'{scores[self.save_best]!r}, and only a number can be the best')
            return [self.save_best]
        names = [name for name, value in scores.items() if isinstance(value, int | float)]
        main = [name for name in MAIN if name in names] or names[:1]
        if find_ema(runner) is None:
            return main[:1]
        trained = main[0].removesuffix(AVERAGED) if main else ''
        return [name for name in (trained, f'{trained}{AVERAGED}') if name in names]

    def _is_better(self, metric: str, value: float, former: float | None) -> bool:
        rule = self.rule or infer_rule(metric)
        if rule is None:
            warn_once(f'no best checkpoint is kept: the name {metric!r} does not tell which value '
                      "is better; say evaluation.rule='greater' or 'less'")
        if rule is None or math.isnan(value):
            return False
        return former is None or (value > former if rule == 'greater' else value < former)


@HOOKS.register_module()
class DistEvalHook(EvalHook):
    """EvalHook for several processes: each scores its share, and all get the scores of all samples.

    `broadcast_bn_buffer` first sends the batch-norm statistics of rank 0 to all processes, so that
    all evaluate the same model, the one that is saved.
    """

    def __init__(self, dataloader: DataLoader, interval: Annotated[int, Range(1)] = 1,
                 gpu_collect: bool = False, by_epoch: bool = False,
                 broadcast_bn_buffer: bool = True, **kwargs: object) -> None:
        super().__init__(dataloader, interval, by_epoch, gpu_collect=gpu_collect, **kwargs)
        self.gpu_collect = gpu_collect
        self.broadcast_bn_buffer = broadcast_bn_buffer

    def _score(self, runner: BaseRunner) -> dict[str, float]:
        """Scores of all processes together."""
        if self.broadcast_bn_buffer:
            send_norm_statistics(runner.model)
        return super()._score(runner)


def infer_rule(metric: str) -> str | None:
    """'greater' or 'less', from a metric's name; None if the name does not tell.

    The part before a dot is tried first: IoU.blossom is not a loss.
    """
    for name in (metric.lower().partition('.')[0], metric.lower()):
        if any(word in name for word in LESS_IS_BETTER):
            return 'less'
        if any(word in name for word in GREATER_IS_BETTER):
            return 'greater'
    return None
