"""Parts that several models share."""
from .batch_statistics import check_batch_statistics
from .init_cfg import choose_init_cfg
from .res_layer import ResLayer

__all__ = ['ResLayer', 'check_batch_statistics', 'choose_init_cfg']
