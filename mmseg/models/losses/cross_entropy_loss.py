"""Cross entropy: softmax, sigmoid and mask forms."""
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError

from ..builder import LOSSES
from .base_loss import ClassWeight, PixelLoss
from .binary_sum import binary_cross_entropy_sum
from .utils import (
    by_channel,
    check_reduction,
    count_valid,
    one_hot,
    up_to_one,
    valid_pixels,
    weight_reduce_loss,
)


def cross_entropy(
    pred: Tensor, label: Tensor, weight: Tensor | None = None, class_weight: Tensor | None = None,
    reduction: str = 'mean', avg_factor: float | Tensor | None = None, ignore_index: int = -100,
    avg_non_ignore: bool = False,
) -> Tensor:
    """Softmax cross entropy. pred: [N, C, ...], label and weight: [N, ...], class_weight: [C].

    Ignored pixels have loss 0 and count in the mean, unless `avg_non_ignore`. Raises ConfigError
    for C = 1, where the loss is 0 for every `pred`.
    """
    if pred.dim() > 1 and pred.size(1) == 1:
        raise ConfigError('softmax cross entropy of one class is always 0: for two classes give '
                          'two logits, or one with use_sigmoid=True')
    loss = F.cross_entropy(pred, label, class_weight, reduction='none', ignore_index=ignore_index)
    if avg_non_ignore and avg_factor is None and reduction == 'mean':
        avg_factor = count_valid(label, ignore_index)
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


def binary_cross_entropy(
    pred: Tensor, label: Tensor, weight: Tensor | None = None, reduction: str = 'mean',
    avg_factor: float | Tensor | None = None, class_weight: Tensor | None = None,
    ignore_index: int = 255, avg_non_ignore: bool = False,
) -> Tensor:
    """Sigmoid cross entropy, with an independent yes-or-no decision for each class.

    pred: [N, C, ...]; label: class numbers [N, ...], or targets in [0, 1] of pred's shape;
    weight: as label; class_weight: [C], factor of the positive targets. With C = 1, class numbers
    are 0 and 1, `pred` is the logit of class 1, and class_weight may hold both classes, [2].
    Negative and ignored labels have loss 0 for every class and count in the mean, unless
    `avg_non_ignore`. Raises DataError for targets, and for labels with C = 1, above 1; on an
    accelerator, to avoid waiting for it, the loss becomes NaN instead.
    """
    valid = valid_pixels(label, ignore_index)
    if pred.dim() == label.dim():
        target = up_to_one(label, valid)
    else:
        assert pred.dim() == label.dim() + 1
        target = (up_to_one(label, valid).unsqueeze(1) if pred.size(1) == 1
                  else one_hot(label, pred.size(1)))
        valid = valid.unsqueeze(1)
    loss = _binary_terms(pred, target.to(pred.dtype), class_weight) * valid.to(pred.dtype)
    if avg_non_ignore and avg_factor is None and reduction == 'mean':
        avg_factor = count_valid(label, ignore_index) * (loss.numel() // label.numel())
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


def _binary_terms(pred: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
    if class_weight is not None and pred.dim() > 1 and len(class_weight) > pred.size(1):
        negative, positive = class_weight
        return (-positive * target * F.logsigmoid(pred)
                - negative * (1 - target) * F.logsigmoid(-pred))
    if class_weight is not None:
        class_weight = by_channel(class_weight, pred)
    return F.binary_cross_entropy_with_logits(
        pred, target, pos_weight=class_weight, reduction='none')


def mask_cross_entropy(pred: Tensor, target: Tensor, label: Tensor, reduction: str = 'mean',
                       avg_factor: float | None = None, class_weight: Tensor | None = None,
                       ignore_index: int | None = None) -> Tensor:
    """Sigmoid cross entropy of one mask per sample, that of the sample's class. Returns shape [1].

    pred: [N, C, H, W], target: [N, H, W] in [0, 1], label: class numbers [N], class_weight: [C].
    Only the plain mean is defined; raises ConfigError for anything else.
    """
    if reduction != 'mean' or avg_factor is not None or ignore_index is not None:
        raise ConfigError("mask cross entropy knows reduction='mean' alone, without avg_factor "
                          f'and ignore_index; got {reduction!r}, {avg_factor}, {ignore_index}')
    chosen = pred[torch.arange(pred.size(0), device=pred.device), label]
    weight = None if class_weight is None else class_weight[label].view(-1, 1, 1)
    return F.binary_cross_entropy_with_logits(chosen, target, weight)[None]


@LOSSES.register_module()
class CrossEntropyLoss(PixelLoss):
    """Cross entropy: softmax, or sigmoid (`use_sigmoid`), or sigmoid of masks (`use_mask`).

    `use_sigmoid` decides on each class independently or, with one logit, whether a pixel is class
    1 of two. The other options are PixelLoss's. With `use_mask`, `forward` takes the mask targets
    as `label` and the classes of the masks as `weight`: see `mask_cross_entropy`. `cls_criterion`
    is the function of these forms; a subclass may set another, with the same parameters.
    """

    def __init__(self, use_sigmoid: bool = False, use_mask: bool = False, reduction: str = 'mean',
                 class_weight: ClassWeight = None, loss_weight: float = 1.0,
                 loss_name: str = 'loss_ce', avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, class_weight, loss_weight, loss_name,
                         avg_non_ignore=avg_non_ignore)
        if use_sigmoid and use_mask:
            raise ConfigError('CrossEntropyLoss: use_sigmoid and use_mask exclude each other')
        if use_mask and avg_non_ignore:
            raise ConfigError('CrossEntropyLoss: use_mask ignores no pixels, so avg_non_ignore '
                              'has no meaning with it')
        self.use_sigmoid = use_sigmoid
        self.use_mask = use_mask
        self.cls_criterion = (binary_cross_entropy if use_sigmoid
                              else mask_cross_entropy if use_mask else cross_entropy)
        if use_sigmoid:
            self.default_ignore_index = 255

    @property
    def is_chunkable(self) -> bool:
        """As for every PixelLoss, but for the form of masks and a criterion of the user's."""
        return (type(self).forward is CrossEntropyLoss.forward and self.reduction != 'none'
                and self.cls_criterion in (binary_cross_entropy, cross_entropy))

    def elementwise(self, logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
        return self.cls_criterion(logits, label, reduction='none', ignore_index=ignore_index,
                                  class_weight=self._class_weight_like(logits))

    def chunk(self, logits: Tensor, label: Tensor, ignore_index: int,
              divisor: float | Tensor) -> Tensor:
        """See PixelLoss: for sigmoids of several classes, without masks of the classes."""
        if not (self.use_sigmoid and self.class_weight is None and logits.size(1) > 1
                and self.cls_criterion is binary_cross_entropy):
            return super().chunk(logits, label, ignore_index, divisor)
        total = binary_cross_entropy_sum(logits, label, valid_pixels(label, ignore_index))
        return self.loss_weight * (total if self.reduction == 'sum'
                                   else total / (divisor * logits.size(1)))

    def forward(self, cls_score: Tensor, label: Tensor, weight: Tensor | None = None,
                avg_factor: float | Tensor | None = None, reduction_override: str | None = None,
                ignore_index: int | None = None) -> Tensor:
        if not self.use_mask:
            return super().forward(cls_score, label, weight, avg_factor, reduction_override,
                                   ignore_index)
        return self.loss_weight * self.cls_criterion(
            cls_score, label, weight, check_reduction(reduction_override or self.reduction),
            avg_factor, self._class_weight_like(cls_score), ignore_index)
