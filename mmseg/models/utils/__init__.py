"""Parts that several models share."""
from .batch_statistics import check_batch_statistics
from .res_layer import ResLayer

__all__ = ['ResLayer', 'check_batch_statistics']
