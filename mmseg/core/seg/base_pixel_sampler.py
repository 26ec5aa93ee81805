"""Interface of the pixel samplers."""
from abc import ABC, abstractmethod

from torch import Tensor


class BasePixelSampler(ABC):
    """Base of the pixel samplers, which weight the pixels in the losses of a head."""

    @abstractmethod
    def sample(self, seg_logit: Tensor, seg_label: Tensor) -> Tensor:
        """Weights [N, H, W] for logits [N, C, H, W] and labels [N, 1, H, W]."""
