"""Base and registry of the pixel samplers."""
from abc import ABC, abstractmethod

from torch import Tensor

from mmcv_replace.utils import Registry, build_from_cfg

PIXEL_SAMPLERS = Registry('pixel sampler')


class BasePixelSampler(ABC):
    """Base of the pixel samplers, which weight the pixels in the losses of a head."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__()

    @abstractmethod
    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> Tensor:
        """Weights [N, H, W] for logits [N, C, H, W] and labels [N, 1, H, W]."""


def build_pixel_sampler(cfg: dict, **default_args: object) -> BasePixelSampler:
    """Build a sampler; a head passes itself as `context`."""
    return build_from_cfg(cfg, PIXEL_SAMPLERS, default_args)
