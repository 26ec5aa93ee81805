"""Operations on feature maps."""
from mmcv_replace.utils.trace import trust_sizes

from .binary import THRESHOLD, class_probabilities, is_positive
from .encoding import Encoding
from .resample import concat_conv, image_mean, pyramid_conv, pyramid_pool, resize_matrices
from .wrappers import Upsample, resize, warn_unaligned

trust_sizes(__name__)

__all__ = [
    'THRESHOLD', 'Encoding', 'Upsample', 'class_probabilities', 'concat_conv', 'image_mean',
    'is_positive', 'pyramid_conv', 'pyramid_pool', 'resize', 'resize_matrices', 'warn_unaligned',
]
