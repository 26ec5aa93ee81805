"""Focal loss of pixels."""
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.ops import sigmoid_focal_loss, softmax_focal_loss
from mmcv_replace.utils.errors import ConfigError

from ..builder import LOSSES
from .base_loss import ClassWeight, PixelLoss
from .utils import by_channel, constant, one_hot, up_to_one, valid_pixels


@LOSSES.register_module()
class FocalLoss(PixelLoss):
    """Cross entropy in which what is classified well already counts little (arXiv:1708.02002).

    With `use_sigmoid` each class is decided on independently, or with one logit whether a pixel is
    class 1 of two; without, there is one softmax term a pixel, that of its class. A term is
    multiplied by (1 - p)^`gamma` for the probability p of what is true, by `class_weight`, and by
    `alpha` where the class is true, by 1 - `alpha` where not; `alpha` may be one number a class.
    The other options are PixelLoss's.
    """

    def __init__(self, use_sigmoid: bool = True, gamma: float = 2.0,
                 alpha: float | Sequence[float] = 0.5, reduction: str = 'mean',
                 class_weight: ClassWeight = None, loss_weight: float = 1.0,
                 loss_name: str = 'loss_focal', avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, class_weight, loss_weight, loss_name,
                         avg_non_ignore=avg_non_ignore)
        if gamma < 0:
            raise ConfigError(f'FocalLoss: gamma={gamma} must be 0 or more')
        several = isinstance(alpha, list | tuple)
        if not all(0 <= value <= 1 for value in (alpha if several else [alpha])):
            raise ConfigError(f'FocalLoss: alpha={alpha} must be from 0 to 1, one number or one a '
                              'class')
        self.use_sigmoid = use_sigmoid
        self.gamma = gamma
        self.alpha = tuple(alpha) if several else alpha

    def check_classes(self, classes: int) -> None:
        super().check_classes(classes)
        if isinstance(self.alpha, tuple) and len(self.alpha) != classes:
            raise ConfigError(f'FocalLoss: alpha has {len(self.alpha)} numbers for {classes} '
                              'classes; give one a class')

    def elementwise(self, logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
        valid = valid_pixels(label, ignore_index)
        self.check_classes(logits.size(1))
        if not self.use_sigmoid:
            return self._softmax_terms(logits, torch.where(valid, label, -1))
        if logits.size(1) > 1:
            return self._sigmoid_terms(logits, label) * valid.unsqueeze(1)
        positive = up_to_one(label, valid)
        # For the operator, class 1 is the only class, with the number 0.
        terms = self._sigmoid_terms(logits, (positive != 1).long())
        return terms * (valid + 0 * positive).to(terms.dtype).unsqueeze(1)  # NaN stays

    def _sigmoid_terms(self, logits: Tensor, target: Tensor) -> Tensor:
        """Terms [N, C, H, W] of pixels whose class is `target` [N, H, W], or C: none."""
        single = self.alpha if not isinstance(self.alpha, tuple) else 0.5
        terms = sigmoid_focal_loss(logits, target, self.gamma, single, None, 'none')
        if isinstance(self.alpha, tuple):
            alpha = by_channel(constant(self.alpha, logits.dtype, logits.device), logits)
            terms = terms * torch.where(one_hot(target, logits.size(1)), 2 * alpha, 2 - 2 * alpha)
        weight = self._class_weight_like(logits)
        if weight is None:
            return terms
        if len(weight) > logits.size(1):  # those of class 0 and class 1
            return terms * torch.where(target == 0, weight[1], weight[0]).unsqueeze(1)
        return terms * by_channel(weight, logits)

    def _softmax_terms(self, logits: Tensor, target: Tensor) -> Tensor:
        """Terms [N, H, W] of pixels whose class is `target` [N, H, W]; 0 where that is negative."""
        if logits.size(1) == 1:
            raise ConfigError('FocalLoss: use_sigmoid=False of one logit learns nothing: for two '
                              'classes give two logits, or one with use_sigmoid=True')
        single = self.alpha if not isinstance(self.alpha, tuple) else 1.0
        weight = self._class_weight_like(logits)
        if isinstance(self.alpha, tuple):
            alpha = constant(self.alpha, logits.dtype, logits.device)
            weight = alpha if weight is None else alpha * weight
        return softmax_focal_loss(logits, target, self.gamma, single, weight, 'none')
