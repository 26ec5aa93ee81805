"""Operations on feature maps."""
from .resample import pyramid_conv, pyramid_pool, upsample
from .wrappers import Upsample, resize

__all__ = ['Upsample', 'pyramid_conv', 'pyramid_pool', 'resize', 'upsample']
