"""Hooks: everything that happens in a run besides forward passes."""
from ..hook import HOOKS, Hook, check_unit
from .checkpoint import CheckpointHook
from .closure import ClosureHook
from .determinism import NondeterminismHook, nondeterministic_operator
from .ema import EMAHook, find_ema
from .invalid_loss import CheckInvalidLossHook
from .iter_timer import IterTimerHook
from .logger import LoggerHook, TensorboardLoggerHook, TextLoggerHook
from .lr_updater import LrUpdaterHook
from .momentum_updater import MomentumUpdaterHook
from .optimizer import OptimizerHook
from .preemption import PreemptionHook, listen_for_requests
from .profiler import ProfilerHook
from .progress_bar import ProgressBarHook
from .rank_watch import RankWatchHook, describe_ranks, note_iteration
from .sampler_seed import DistSamplerSeedHook

__all__ = [
    'HOOKS', 'CheckInvalidLossHook', 'CheckpointHook', 'ClosureHook', 'DistSamplerSeedHook',
    'EMAHook', 'Hook', 'IterTimerHook', 'LoggerHook', 'LrUpdaterHook', 'MomentumUpdaterHook',
    'NondeterminismHook', 'OptimizerHook', 'PreemptionHook', 'ProfilerHook', 'ProgressBarHook',
    'RankWatchHook', 'TensorboardLoggerHook', 'TextLoggerHook',
    'check_unit', 'describe_ranks', 'find_ema', 'listen_for_requests', 'nondeterministic_operator',
    'note_iteration',
]
