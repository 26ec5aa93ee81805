"""The training loop: runners, hooks, checkpoints, optimizers, processes."""
from .base_module import BaseModule, ModuleList, Sequential
from .base_runner import BaseRunner
from .builder import RUNNERS, build_runner
from .checkpoint import _load_checkpoint, load_checkpoint, load_state_dict, save_checkpoint
from .dist_utils import get_dist_info, init_dist, master_only
from .epoch_based_runner import EpochBasedRunner
from .fp16_utils import auto_fp16, force_fp32, wrap_fp16_model
from .hooks import (
    HOOKS,
    CheckInvalidLossHook,
    CheckpointHook,
    ClosureHook,
    DistSamplerSeedHook,
    EMAHook,
    Hook,
    IterTimerHook,
    LoggerHook,
    LrUpdaterHook,
    MomentumUpdaterHook,
    OptimizerHook,
    ProfilerHook,
    ProgressBarHook,
    TensorboardLoggerHook,
    TextLoggerHook,
)
from .iter_based_runner import IterBasedRunner
from .iter_loader import IterLoader
from .log_buffer import LogBuffer
from .optimizer import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    DefaultOptimizerConstructor,
    build_optimizer,
    build_optimizer_constructor,
)
from .precision import Precision, precision_from_config
from .priority import Priority, get_priority
from .utils import get_host_info, get_time_str, obj_from_dict

__all__ = [
    'HOOKS', 'OPTIMIZERS', 'OPTIMIZER_BUILDERS', 'RUNNERS', 'BaseModule', 'BaseRunner',
    'CheckInvalidLossHook', 'CheckpointHook', 'ClosureHook', 'DefaultOptimizerConstructor',
    'DistSamplerSeedHook', 'EMAHook', 'EpochBasedRunner', 'Hook', 'IterBasedRunner', 'IterLoader',
    'IterTimerHook', 'LogBuffer', 'LoggerHook', 'LrUpdaterHook', 'ModuleList',
    'MomentumUpdaterHook', 'OptimizerHook', 'Precision', 'Priority', 'ProfilerHook',
    'ProgressBarHook', 'Sequential', 'TensorboardLoggerHook', 'TextLoggerHook',
    '_load_checkpoint', 'auto_fp16', 'build_optimizer', 'build_optimizer_constructor',
    'force_fp32', 'build_runner', 'get_dist_info', 'get_host_info', 'get_priority',
    'get_time_str', 'init_dist', 'load_checkpoint', 'load_state_dict', 'master_only',
    'obj_from_dict', 'precision_from_config', 'wrap_fp16_model', 'save_checkpoint',
]
