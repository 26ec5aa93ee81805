"""Tversky loss."""
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError

from ..builder import LOSSES
from .base_loss import ClassWeight
from .region_loss import RegionLoss, over_pixels
from .utils import IGNORED


@LOSSES.register_module()
class TverskyLoss(RegionLoss):
    """Overlap in which the two kinds of mistakes count differently (arXiv:1706.05721).

    Of the probability in a region, T, that beside it, F, and that which lacks in it, M, the overlap
    is (T + smooth) / (T + alpha F + beta M + smooth). `alpha` and `beta` sum up to 1; 0.5 is Dice's
    coefficient. The other options are RegionLoss's.
    """

    def __init__(self, smooth: float = 1, class_weight: ClassWeight = None,
                 loss_weight: float = 1.0, ignore_index: int = IGNORED, alpha: float = 0.3,
                 beta: float = 0.7, loss_name: str = 'loss_tversky',
                 reduction: str = 'mean') -> None:
        super().__init__(smooth, ignore_index, reduction=reduction, class_weight=class_weight,
                         loss_weight=loss_weight, loss_name=loss_name)
        if min(alpha, beta) < 0 or abs(alpha + beta - 1) > 1e-6:
            raise ConfigError(f'TverskyLoss: alpha={alpha} and beta={beta} must be 0 or more and '
                              'sum up to 1')
        self.alpha = alpha
        self.beta = beta

    def overlap(self, prob: Tensor, region: Tensor, label: Tensor, valid: Tensor) -> Tensor:
        both = over_pixels(prob * region)
        predicted = over_pixels(prob * valid.unsqueeze(1))
        labelled = over_pixels(region).to(prob.dtype)
        missed = self.alpha * (predicted - both) + self.beta * (labelled - both)
        return (both + self.smooth) / (both + missed + self.smooth)
