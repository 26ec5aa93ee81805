"""Base of the losses of overlaps between predicted and labelled regions."""
import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.ops.precision import wide_type
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import class_probabilities

from .base_loss import WholeImageLoss
from .utils import IGNORED, one_hot, up_to_one, valid_pixels


class RegionLoss(WholeImageLoss):
    """1 minus the overlap of each class, times its weight, in the mean over the classes.

    A subclass defines `overlap`. Probabilities are the softmax of the logits, or the sigmoid of a
    single one, for which only the region of class 1 counts. There is a value for each image:
    `reduction` takes their mean or sum. `smooth` is added to both sides of the quotient.
    Pixels with the label `ignore_index`, or that of the head, are in no region, and classes of
    these numbers have loss 0.
    """

    default_ignore_index = IGNORED

    def __init__(self, smooth: float = 1, ignore_index: int = IGNORED, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not 0 <= smooth < math.inf:
            raise ConfigError(f'{type(self).__name__}: smooth={smooth} must be a number from 0 on')
        self.smooth = smooth
        self.ignore_index = ignore_index

    @abstractmethod
    def overlap(self, prob: Tensor, region: Tensor, label: Tensor, valid: Tensor) -> Tensor:
        """Overlaps [N, C], from 0 to 1.

        prob: probabilities, region: masks of the valid labels of each class, both [N, C, H, W];
        label, valid: [N, H, W].
        """

    def _check_weights(self, weights: Sequence[float], classes: int) -> None:
        super()._check_weights(weights, classes)
        if len(weights) != classes:
            raise ConfigError(f'{type(self).__name__}: class_weight has {len(weights)} numbers, '
                              'but with one logit only the region of class 1 counts: give '
                              'loss_weight instead')

    def elementwise(self, logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
        valid = valid_pixels(label, ignore_index) & (label != self.ignore_index)
        classes = logits.size(1)
        if classes > 1:
            region = one_hot(label, classes) & valid.unsqueeze(1)
        else:
            region = up_to_one(label, valid).unsqueeze(1) * valid.unsqueeze(1)
        prob = class_probabilities(logits.to(wide_type(logits.dtype)))
        terms = 1 - self.overlap(prob, region, label, valid)
        if classes > 1:
            number = torch.arange(classes, device=label.device)
            terms = terms * ((number != ignore_index) & (number != self.ignore_index))
        weight = self._class_weight_like(prob)
        if weight is not None:
            terms = terms * weight
        return terms.mean(1)


def over_pixels(x: Tensor) -> Tensor:
    """Sums [N, C] of [N, C, H, W]."""
    return x.flatten(2).sum(2)
