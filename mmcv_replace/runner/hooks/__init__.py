"""Hooks: everything that happens in a run besides forward passes."""
from ...utils.lazy_names import lazy_names
from ..hook import HOOKS

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    **HOOKS.modules,
    '..hook': ['HOOKS', 'Hook', 'check_unit'],
    '.determinism': ['nondeterministic_operator'],
    '.ema': ['find_ema'],
    '.evaluation': ['DistEvalHook', 'EvalHook'],
    '.logger.base': ['LoggerHook'],
    '.lr_updater': ['LrUpdaterHook'],
    '.momentum_updater': ['MomentumUpdaterHook'],
    '.preemption': ['listen_for_requests'],
    '.rank_watch': ['describe_ranks', 'note_iteration'],
})
