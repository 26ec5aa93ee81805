"""Operations on feature maps."""
from .binary import THRESHOLD, class_probabilities, is_positive
from .encoding import Encoding
from .resample import pyramid_conv, pyramid_pool, resize_matrices
from .wrappers import Upsample, resize, warn_unaligned

__all__ = [
    'THRESHOLD', 'Encoding', 'Upsample', 'class_probabilities', 'is_positive', 'pyramid_conv',
    'pyramid_pool', 'resize', 'resize_matrices', 'warn_unaligned',
]
