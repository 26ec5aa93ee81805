"""The base class of hooks, whose methods the runner calls at the stages of a run."""
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..utils import Registry
from ..utils.errors import ConfigError
from .schedules.table import POLICIES

if TYPE_CHECKING:
    from .base_runner import BaseRunner


def _stage(*general: str) -> Callable[['Hook', 'BaseRunner'], None]:
    """A method to override, which by default does what the hook does at a more general stage."""
    def stage(self: 'Hook', runner: 'BaseRunner') -> None:
        for name in general:
            getattr(self, name)(runner)
    return stage


class Hook:
    """Base class of all hooks. The stages, in the order in which a runner calls them:

        before_run
            before_train_epoch
                before_train_iter    the batch is loaded, the model has not processed it
                after_train_iter     runner.outputs holds the loss; OptimizerHook steps
            after_train_epoch
            before_val_epoch, before_val_iter, after_val_iter, after_val_epoch
        after_run                    also if the run fails: release resources here

    IterBasedRunner has no training epochs: it calls before_epoch and after_epoch once, around all
    iterations. The stages without `train` and `val` stand for both. Besides these,
    before_save_checkpoint may add to a checkpoint, in the process that writes it, what after_resume
    reads; before_collect_state precedes it in every process, unless the run is preempted.

    before_stop: the run ends with this iteration or epoch, before its length is reached.

    after_evaluation follows each evaluation of a hook that tells of it, in every process, before
    the best checkpoint is written: mmseg.core.evaluation.evidence says what an `evaluation` holds.
    """

    stages = ('before_run', 'before_train_epoch', 'before_train_iter', 'after_train_iter',
              'after_train_epoch', 'before_val_epoch', 'before_val_iter', 'after_val_iter',
              'after_val_epoch', 'after_run')
    default_priority = 'NORMAL'  # if the config sets none
    # Setting of the optimizer's groups, 'lr' or 'momentum', that the hook changes during the run.
    scheduled: str | None = None
    # What after_evaluation wants beside scores, of 'confusion', 'samples', 'pictures' and 'worst'.
    evaluation_needs: frozenset[str] = frozenset()

    before_run = after_run = _stage()
    before_epoch = after_epoch = before_iter = after_iter = _stage()
    before_train_epoch = before_val_epoch = _stage('before_epoch')
    after_train_epoch = after_val_epoch = _stage('after_epoch')
    before_train_iter = before_val_iter = _stage('before_iter')
    after_train_iter = after_val_iter = _stage('after_iter')
    before_collect_state = before_stop = _stage()

    def before_save_checkpoint(self, runner: 'BaseRunner', checkpoint: dict[str, Any]) -> None:
        pass

    def after_resume(self, runner: 'BaseRunner', checkpoint: dict[str, Any]) -> None:
        pass

    def after_evaluation(self, runner: 'BaseRunner', evaluation: Any) -> None:
        pass

    def every_n_epochs(self, runner: 'BaseRunner', n: int) -> bool:
        """Whether the number of this epoch, from 1, is a multiple of n; never for n < 1."""
        return n > 0 and (runner.epoch + 1) % n == 0

    def every_n_inner_iters(self, runner: 'BaseRunner', n: int) -> bool:
        """The same for the number of this iteration within its epoch."""
        return n > 0 and (runner.inner_iter + 1) % n == 0

    def every_n_iters(self, runner: 'BaseRunner', n: int) -> bool:
        """The same for the number of this iteration within the run."""
        return n > 0 and (runner.iter + 1) % n == 0

    def end_of_epoch(self, runner: 'BaseRunner') -> bool:
        return runner.inner_iter + 1 == len(runner.data_loader)

    def is_last_epoch(self, runner: 'BaseRunner') -> bool:
        return runner.stopped is not None or runner.epoch + 1 == runner.max_epochs

    def is_last_iter(self, runner: 'BaseRunner') -> bool:
        return runner.stopped is not None or runner.iter + 1 == runner.max_iters

    def get_triggered_stages(self) -> list[str]:
        """Stages whose methods the hook overrides."""
        def acts_at(stage: str) -> bool:
            # before_train_iter calls before_iter, and so on.
            names = stage, stage.replace('train_', '').replace('val_', '')
            return any(name in vars(self) or getattr(type(self), name) is not getattr(Hook, name)
                       for name in names)
        return [stage for stage in self.stages if acts_at(stage)]


def check_unit(key: str, by_epoch: bool, runner: 'BaseRunner') -> None:
    """Raise ConfigError for a hook that counts epochs in a run that counts iterations."""
    if by_epoch and not runner.counts_by_epoch:
        raise ConfigError(f'{key}.by_epoch=True: {type(runner).__name__} counts iterations and has '
                          'no epochs; leave by_epoch out')


# A hook is one file and one row here; the file is imported when a config names the hook.
HOOKS = Registry('hook', base=Hook, modules={
    f'{__package__}.hooks.{module}': names for module, names in {
        'checkpoint': ['CheckpointHook'],
        'closure': ['ClosureHook'],
        'determinism': ['NondeterminismHook'],
        'ema': ['EMAHook'],
        'fp16_optimizer': ['Fp16OptimizerHook', 'GradientCumulativeFp16OptimizerHook'],
        'invalid_loss': ['CheckInvalidLossHook'],
        'iter_timer': ['IterTimerHook'],
        'logger.clearml': ['ClearMLLoggerHook'],
        'logger.dvclive': ['DvcliveLoggerHook'],
        'logger.mlflow': ['MlflowLoggerHook'],
        'logger.neptune': ['NeptuneLoggerHook'],
        'logger.pavi': ['PaviLoggerHook'],
        'logger.segmind': ['SegmindLoggerHook'],
        'logger.swanlab': ['SwanlabLoggerHook'],
        'logger.tensorboard': ['TensorboardLoggerHook'],
        'logger.text': ['TextLoggerHook'],
        'logger.wandb': ['WandbLoggerHook'],
        'lr_updater': [f'{name}LrUpdaterHook' for name in (*POLICIES, 'OneCycle')],
        'memory': ['EmptyCacheHook'],
        'momentum_updater': [f'{name}MomentumUpdaterHook' for name, policy in POLICIES.items()
                             if policy.momentum is not None] + ['OneCycleMomentumUpdaterHook'],
        'preemption': ['PreemptionHook'],
        'profiler': ['ProfilerHook'],
        'progress_bar': ['ProgressBarHook'],
        'rank_watch': ['RankWatchHook'],
        'sampler_seed': ['DistSamplerSeedHook'],
        'step': ['OptimizerHook', 'GradientCumulativeOptimizerHook'],
        'sync_buffer': ['SyncBuffersHook'],
    }.items()} | {'mmcv_replace.cnn.rfsearch.search': ['RFSearchHook']})
