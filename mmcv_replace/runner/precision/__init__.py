"""Numeric precision of a training step.

precision.py: autocast, loss scaling and the settings `fp16` and `bf16`. master_weights.py: float32
copies of low-precision weights. nonfinite_step.py: how a step with NaN or infinity is skipped.
"""
from ...utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {'.precision': [
    'LOW_TYPES', 'OPT_LEVELS', 'Precision', 'PrecisionSettings', 'precision_from_config',
    'without_fp16']})
