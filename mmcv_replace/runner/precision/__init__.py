"""Mixed precision: the types that a step computes in, master weights, steps that are not finite."""
from .precision import (
    LOW_TYPES,
    OPT_LEVELS,
    Precision,
    PrecisionSettings,
    precision_from_config,
    without_fp16,
)

__all__ = ['LOW_TYPES', 'OPT_LEVELS', 'Precision', 'PrecisionSettings', 'precision_from_config',
           'without_fp16']
