"""Losses, each imported when it is first asked for, and the training accuracy."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import LOSSES
from .accuracy import Accuracy, accuracy
from .utils import reduce_loss, weight_reduce_loss, weighted_loss

_MODULES = LOSSES.modules | dict.fromkeys(
    ('binary_cross_entropy', 'cross_entropy', 'mask_cross_entropy'), '.cross_entropy_loss')
__getattr__, __dir__ = lazy_names(__name__, _MODULES)
__all__ = [
    'Accuracy', 'accuracy', 'reduce_loss', 'weight_reduce_loss', 'weighted_loss', *_MODULES,
]
