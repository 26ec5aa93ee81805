"""Dice loss."""
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError

from ..builder import LOSSES
from .base_loss import ClassWeight
from .region_loss import RegionLoss, over_pixels
from .utils import IGNORED, one_hot


@LOSSES.register_module()
class DiceLoss(RegionLoss):
    """Dice's coefficient of probabilities and regions (V-Net, arXiv:1606.04797).

    The overlap is (2 T + smooth) / (P + R + smooth), with the probability T in the region, the sum
    P of all probabilities to the power of `exponent`, and the size R of the region. As in
    mmsegmentation, ignored pixels count in P, and in R as pixels of the last class; with
    `count_ignored=False` they do not, which leaves them without gradient. The other options are
    RegionLoss's.
    """

    def __init__(self, smooth: float = 1, exponent: float = 2, reduction: str = 'mean',
                 class_weight: ClassWeight = None, loss_weight: float = 1.0,
                 ignore_index: int = IGNORED, loss_name: str = 'loss_dice',
                 count_ignored: bool = True) -> None:
        super().__init__(smooth, ignore_index, reduction=reduction, class_weight=class_weight,
                         loss_weight=loss_weight, loss_name=loss_name)
        if exponent <= 0:
            raise ConfigError(f'DiceLoss: exponent={exponent} must be more than 0')
        self.exponent = exponent
        self.count_ignored = count_ignored

    def overlap(self, prob: Tensor, region: Tensor, label: Tensor, valid: Tensor) -> Tensor:
        both, powers = over_pixels(prob * region), prob ** self.exponent
        if not self.count_ignored:
            powers = powers * valid.unsqueeze(1)
        elif prob.size(1) > 1:
            region = one_hot(label.clamp(0, prob.size(1) - 1), prob.size(1))
        size = over_pixels(powers) + over_pixels(region)
        return (2 * both + self.smooth) / (size + self.smooth)
