"""Registry of the pixel samplers."""
from mmcv_replace.utils import Registry, build_from_cfg

from .base_pixel_sampler import BasePixelSampler

PIXEL_SAMPLERS = Registry('pixel sampler')


def build_pixel_sampler(cfg: dict, **default_args: object) -> BasePixelSampler:
    """Build a sampler; a head passes itself as `context`."""
    return build_from_cfg(cfg, PIXEL_SAMPLERS, default_args)
