"""Score the model during training, tell the other hooks, and keep the best checkpoint."""
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from torch.utils.data import DataLoader

from mmcv_replace.image.display import show_first
from mmcv_replace.runner import HOOKS, BaseRunner
from mmcv_replace.runner.dist_utils import from_first_rank, send_norm_statistics
from mmcv_replace.runner.hooks import check_unit, find_ema, listen_for_requests
from mmcv_replace.runner.preemption import EvaluationCut
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.checks.type_check import Range
from mmcv_replace.utils.errors import ArgumentError, ConfigError

from .best_checkpoint import BestCheckpoint
from .class_names import names_of
from .collect import gather_results
from .eval_progress import missed_evaluation, note_evaluated
from .evidence import Evaluation
from .gathering import Gatherer, choose_pictures, needs_of
from .groups import Groups, check_groups
from .metric_names import check_metric_name, score_names
from .overrides import is_own, is_own_anywhere, logged_scores, standard, takes
from .records import AVERAGED, note_earlier_run, write_evaluation
from .schedule import ScheduledEvaluation
from .sinks import CollectResults
from .testing import evaluate_model, run_test
from .val_loss import ValidationLoss

# Settings with which other evaluation loops save memory that this one does not need.
NEEDLESS = ('efficient_test', 'pre_eval', 'tmpdir', 'gpu_collect')
PREFIX = 'imgfile_prefix'  # for files to score; a data set's own `evaluate` may need them
Scores = dict[str, float]


@HOOKS.register_module()
class EvalHook(ScheduledEvaluation):
    """Evaluate every `interval` iterations (epochs with `by_epoch`), first at `start`.

    If `start` is not above the current iteration, the hook also evaluates once before training, as
    does a resumed run whose last evaluation was interrupted. `save_best` names the metric by which
    the best checkpoint is kept, as `best_METRIC_iter_N.pth` with unsafe characters escaped; 'auto'
    stands for mIoU, mDice or mFscore, or for the first score if there is none of them. `rule`
    ('greater' or 'less') says which value is better, for metrics whose name does not tell.
    `val_loss` adds the losses of the predictions as val/loss, val/loss_seg and so on, see
    `ValidationLoss`. Further arguments are for `evaluate` of the data set.

    Other hooks learn of it by their `after_evaluation(runner, evaluation)`, see `Evaluation`, and
    their `evaluation_needs`. `pictures`: the number of validation images, spread evenly, or the
    names of those, that they get each time where they want pictures. Each evaluation is a file in
    the folder `evaluations` of the work directory, see `read_evaluations`.

    With an EMAHook the averaged weights are scored too, as mIoU_ema and so on. Then 'auto' keeps
    the better of both weights, as the file's name tells; 'mIoU' keeps the trained weights,
    'mIoU_ema' the averaged ones.
    """

    def __init__(
        self, dataloader: DataLoader, interval: Annotated[int, Range(1)] = 1,
        by_epoch: bool = False, start: Annotated[int | None, Range(0)] = None,
        save_best: str | Sequence[str] | Literal[False] | None = 'auto',
        rule: Literal['greater', 'less'] | None = None,
        pictures: Annotated[int, Range(0)] | Sequence[str] = 4, val_loss: bool = False,
        groups: Groups | None = None, **eval_kwargs: object,
    ) -> None:
        if not isinstance(dataloader, DataLoader):
            raise ArgumentError(
                f'dataloader must be a DataLoader, not {type(dataloader).__name__}')
        self.dataloader = dataloader
        super().__init__(interval, by_epoch, start)
        self.save_best = save_best or None
        self.rule = rule
        self.pictures = pictures
        self.val_loss = val_loss
        self.groups = groups
        self.pre_eval = bool(eval_kwargs.get('pre_eval'))  # for a `_do_evaluate` of 0.x
        own = is_own_anywhere(dataloader.dataset, 'evaluate')
        for name in NEEDLESS if own else (*NEEDLESS, PREFIX):
            if eval_kwargs.pop(name, None):
                warn_once(f'evaluation.{name} has no effect: scoring keeps no predictions')
        self.eval_kwargs = eval_kwargs | ({'groups': groups} if groups else {})
        self._done = 0  # iterations or epochs before the evaluation that runs
        self._concluded = False  # whether its scores have been told
        names = [self.save_best] if isinstance(self.save_best, str) else self.save_best or []
        self._best = [BestCheckpoint(name, rule, by_epoch) for name in dict.fromkeys(names)]

    def before_run(self, runner: BaseRunner) -> None:
        """After resuming, find the best score so far, and repeat an interrupted evaluation."""
        check_unit('evaluation', self.by_epoch, runner)
        self._fixed = choose_pictures(self.dataloader.dataset, self.pictures, runner.hooks)
        if self.val_loss:
            ValidationLoss(runner.unwrapped_model, self.dataloader.dataset).check()
        self._check_names(runner)
        if runner.iter > 0 and runner.work_dir is not None:
            for best in self._best:
                best.resume(runner)
        done = runner.epoch if self.by_epoch else runner.iter
        note_earlier_run(runner, done)
        if done > 0 and self._is_due(done) and missed_evaluation(runner, done):
            self._evaluate_after(runner, done)
            self._at_first_step = False

    def _evaluate_after(self, runner: BaseRunner, done: int) -> None:
        self._done, self._concluded = done, False
        if not is_own(self, '_do_evaluate'):
            self._do_evaluate(runner)
            return
        with logged_scores(runner) as found:
            self._do_evaluate(runner)
        if self._concluded:  # it called that of this class
            runner.log_buffer.output.update(found)
        elif scores := from_first_rank(found):
            if self.val_loss:
                raise ConfigError(f'evaluation.val_loss=True: _do_evaluate of {type(self).__name__}'
                                  ' predicts in its own way; leave val_loss out')
            gather = Gatherer(self.dataloader.dataset, needs_of(runner.hooks))
            gather.finish(None)
            self._conclude(runner, [self._evaluation(False, scores, gather)])

    @standard
    def _do_evaluate(self, runner: BaseRunner) -> None:
        """Score the model, log, and keep the best checkpoint.

        Where a subclass overrides it, what it puts into `runner.log_buffer.output` on the first
        process are the scores.
        """
        self.run_evaluation(runner, self._done)

    @standard
    def evaluate(self, runner: BaseRunner, results: Sequence[object]) -> float | None:
        """Put the scores of the predictions of all samples, in their order, into the log.

        Returns the one by which the best checkpoint is kept, if it is among them. Where a subclass
        overrides it, it is called on the first process with segmentation maps, and what it puts
        into `runner.log_buffer.output` are the scores.
        """
        scores = self.dataloader.dataset.evaluate(results, logger=runner.logger,
                                                  **self.eval_kwargs)
        runner.log_buffer.output.update(scores)
        runner.log_buffer.ready = True
        return next((scores[best.metric] for best in self._best if best.metric in scores), None)

    def _save_ckpt(self, runner: BaseRunner, key_score: float | None) -> None:
        """Nothing: `_do_evaluate` of 0.x calls it, but here the hook keeps the best by itself."""

    def run_evaluation(self, runner: BaseRunner, done: int) -> None:
        """Score the model after `done` iterations or epochs, log, and keep the best checkpoint.

        Scores of single classes, and of groups of them, are not logged again, as the data set
        prints tables of them. Does nothing more if the process is asked to stop at once during the
        evaluation.
        """
        self._done = done
        try:
            evaluations = self._evaluate_all(runner)
        except EvaluationCut:  # PreemptionHook saves when the other hooks are done
            return
        self._conclude(runner, evaluations)

    def _conclude(self, runner: BaseRunner, evaluations: Sequence[Evaluation]) -> None:
        """Log and record evaluations, tell the other hooks, and keep the best checkpoint."""
        self._concluded = True
        scores = self._log(runner, evaluations)
        for evaluation in evaluations:
            write_evaluation(runner, evaluation)
        for evaluation in evaluations:
            runner.call_hook('after_evaluation', evaluation)
        self._save_best(runner, scores, self._done)

    def _check_names(self, runner: BaseRunner) -> None:
        """Raise ConfigError for classes, groups and scores that do not exist."""
        dataset = self.dataloader.dataset
        if is_own(self, 'evaluate') or is_own_anywhere(dataset, 'evaluate'):
            if self.groups and not takes(dataset.evaluate, 'groups'):
                raise ConfigError('evaluation.groups: the dataset or the evaluation hook scores in '
                                  'its own way (evaluate of a user), which knows no groups; leave '
                                  'groups out')
        else:
            check_groups(self.groups, getattr(dataset, 'CLASSES', None),
                         getattr(dataset, 'score_groups', ()))
        wanted = [best.metric for best in self._best if best.metric != 'auto']
        names = score_names(self, runner) if wanted else None
        for metric in wanted:
            check_metric_name('evaluation.save_best', metric, names)

    def _save_best(self, runner: BaseRunner, scores: Scores, done: int) -> None:
        """Write the checkpoint for each score that is the best so far.

        The evaluation is recorded as finished when the last file is written.
        """
        found = []
        if self._best and runner.work_dir is not None:
            runner.collect_state()
            found = [(best, choice) for best in self._best
                     if (choice := best.choose(runner, scores)) is not None]
        for place, (best, choice) in enumerate(found, 1):
            last = place == len(found)
            best.save(runner, choice, done, partial(note_evaluated, runner, done) if last else None)
        if not found:
            note_evaluated(runner, done)

    def _log(self, runner: BaseRunner, evaluations: Sequence[Evaluation]) -> Scores:
        """Log scores, those of the averaged weights with the suffix AVERAGED; returns all."""
        scores: Scores = {}
        for evaluation in evaluations:
            end = AVERAGED if evaluation.averaged else ''
            scores |= {f'{name}{end}': value for name, value in evaluation.scores.items()}
            runner.log_buffer.output.update(
                {f'{name}{end}': value for name, value in evaluation.overall_scores().items()})
        runner.log_buffer.ready = True
        return scores

    def _evaluate_all(self, runner: BaseRunner) -> list[Evaluation]:
        """Evaluations of the trained weights and of the averaged ones, as far as wanted."""
        ema = find_ema(runner)
        found = []
        if ema is None or ema.evaluate_on_origin:
            found.append(self._evaluate_weights(runner, averaged=False))
        if ema is not None:
            runner.logger.info('Scores of the averaged weights:')
            with ema.applied(runner):
                found.append(self._evaluate_weights(runner, averaged=True))
        return found

    def _evaluate_weights(self, runner: BaseRunner, averaged: bool) -> Evaluation:
        dataset = self.dataloader.dataset
        channels = getattr(runner.unwrapped_model, 'input_bands', None)
        gather = Gatherer(dataset, needs_of(runner.hooks), self._fixed,
                          None if channels is None else show_first(channels))
        loss = ValidationLoss(runner.unwrapped_model, dataset) if self.val_loss else None
        scores = self._score(runner, gather, loss)
        if loss is not None:
            scores = {**scores, **loss.finish()}
        return self._evaluation(averaged, scores, gather)

    def _evaluation(self, averaged: bool, scores: Scores, gather: Gatherer) -> Evaluation:
        dataset = self.dataloader.dataset
        palette = getattr(dataset, 'PALETTE', None)
        return Evaluation(
            self._done, self.by_epoch, averaged, scores,
            names_of(getattr(dataset, 'CLASSES', None),
                     0 if gather.confusion is None else len(gather.confusion)),
            [] if palette is None else np.asarray(palette).tolist(),
            (*getattr(dataset, 'score_groups', ()), *(self.groups or ())),
            gather.confusion, gather.samples, gather.pictures(), gather.worst())

    def _score(self, runner: BaseRunner, gather: Gatherer,
               loss: ValidationLoss | None) -> Scores:
        if is_own(self, 'evaluate'):
            gather.finish(None)
            return self._score_by_own(runner, loss)
        return evaluate_model(
            runner.model, self.dataloader, request=listen_for_requests(runner), gather=gather,
            loss=loss, logger=runner.logger, **self.eval_kwargs)

    def _score_by_own(self, runner: BaseRunner, loss: ValidationLoss | None) -> Scores:
        """The scores that `evaluate` of a subclass logs, on every process."""
        collect = CollectResults(lambda prediction: [prediction.seg_map])
        run_test(runner.model, self.dataloader, [collect], request=listen_for_requests(runner),
                 loss=loss)
        results = gather_results(collect.results)
        scores: Scores = {}
        if results is not None:
            with logged_scores(runner) as scores:
                self.evaluate(runner, results)
        return from_first_rank(scores)


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

    def _score(self, runner: BaseRunner, gather: Gatherer,
               loss: ValidationLoss | None) -> Scores:
        """Scores of all processes together."""
        if self.broadcast_bn_buffer:
            send_norm_statistics(runner.model)
        return super()._score(runner, gather, loss)
