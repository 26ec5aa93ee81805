"""Operations on feature maps."""
from .binary import THRESHOLD, class_probabilities, is_positive, two_logits
from .resample import pyramid_conv, pyramid_pool, resize_matrices, upsample
from .wrappers import Upsample, resize, warn_unaligned

__all__ = [
    'THRESHOLD', 'Upsample', 'class_probabilities', 'is_positive', 'pyramid_conv', 'pyramid_pool',
    'resize', 'resize_matrices', 'two_logits', 'upsample', 'warn_unaligned',
]
