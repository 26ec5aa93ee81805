"""Numeric precision of a training step.

precision.py: autocast, loss scaling and the settings `fp16` and `bf16`. master_weights.py: float32
copies of low-precision weights. nonfinite_step.py: how a step with NaN or infinity is skipped.
"""
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
