"""Operations on feature maps."""
from .resample import pyramid_conv, pyramid_pool, resize_matrices, upsample
from .wrappers import Upsample, resize, warn_unaligned

__all__ = ['Upsample', 'pyramid_conv', 'pyramid_pool', 'resize', 'resize_matrices', 'upsample',
           'warn_unaligned']
