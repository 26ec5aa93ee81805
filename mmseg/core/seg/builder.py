"""Registry of the pixel samplers."""
from typing import TYPE_CHECKING

from mmcv_replace.utils import Registry, build_from_cfg

if TYPE_CHECKING:
    from .sampler import BasePixelSampler

PIXEL_SAMPLERS = Registry('pixel sampler')


def build_pixel_sampler(cfg: dict, **default_args: object) -> 'BasePixelSampler':
    """Build a sampler; heads pass themselves as `context`."""
    return build_from_cfg(cfg, PIXEL_SAMPLERS, default_args)
