"""Losses, each imported when it is first asked for, and the training accuracy."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import LOSSES
from .accuracy import accuracy  # a name that is a module too cannot be imported late

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    **LOSSES.modules,
    '.accuracy': ['Accuracy'],
    '.base_loss': ['PixelLoss', 'WholeImageLoss'],
    '.cross_entropy_loss': ['binary_cross_entropy', 'cross_entropy', 'mask_cross_entropy'],
    '.utils': ['reduce_loss', 'weight_reduce_loss', 'weighted_loss'],
})
__all__ += ['accuracy']
