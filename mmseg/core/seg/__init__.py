"""Selection of the pixels that count in a loss."""
from .builder import PIXEL_SAMPLERS, build_pixel_sampler
from .sampler import BasePixelSampler, OHEMPixelSampler

__all__ = ['PIXEL_SAMPLERS', 'BasePixelSampler', 'OHEMPixelSampler', 'build_pixel_sampler']
