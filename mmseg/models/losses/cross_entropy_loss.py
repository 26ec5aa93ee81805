"""Cross entropy: softmax, sigmoid and mask forms."""
import os
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.errors import ConfigError, DataError

from ..builder import LOSSES
from .utils import check_reduction, get_class_weight, weight_reduce_loss


def cross_entropy(
    pred: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    class_weight: Tensor | None = None,
    reduction: str = 'mean',
    avg_factor: float | Tensor | None = None,
    ignore_index: int = -100,
    avg_non_ignore: bool = False,
) -> Tensor:
    """Softmax cross entropy. pred: [N, C, ...], label and weight: [N, ...], class_weight: [C].

    Ignored elements have loss 0 and still count in the mean, unless `avg_non_ignore`. Raises
    ConfigError for C = 1, where the loss would be 0 whatever `pred` says.
    """
    if pred.dim() > 1 and pred.size(1) == 1:
        raise ConfigError('softmax cross entropy of one class is always 0: for two classes give '
                          'two logits, or one with use_sigmoid=True')
    loss = F.cross_entropy(pred, label, class_weight, reduction='none', ignore_index=ignore_index)
    if avg_non_ignore and avg_factor is None and reduction == 'mean':
        avg_factor = _count(label != ignore_index)
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


def _count(valid: Tensor) -> Tensor:
    """Number of valid elements to divide by: 1 where there are none, so that 0 stays 0."""
    return valid.sum().clamp(min=1)


def _one_hot(label: Tensor, pred: Tensor) -> Tensor:
    """[N, ...] -> [N, C, ...] with C of `pred`; all zero where the label is no class."""
    classes = torch.arange(pred.size(1), device=label.device)
    return label.unsqueeze(1) == classes.view(-1, *[1] * (label.dim() - 1))


def binary_cross_entropy(
    pred: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = 'mean',
    avg_factor: float | Tensor | None = None,
    class_weight: Tensor | None = None,
    ignore_index: int = 255,
    avg_non_ignore: bool = False,
) -> Tensor:
    """Sigmoid cross entropy, one yes-or-no question a class.

    pred: [N, C, ...]; label: class numbers [N, ...], or targets in [0, 1] of pred's shape;
    weight: as label; class_weight: [C], weight of the positive targets. With C = 1 class numbers
    are 0 and 1, `pred` is the logit of class 1, and class_weight may be that of both, [2].
    Negative and ignored labels have loss 0 for every class and count in the mean, unless
    `avg_non_ignore`. Raises DataError for targets, and labels with C = 1, above 1; on an
    accelerator, which is not waited for, the loss is NaN instead.
    """
    valid = ~(label < 0) & (label != ignore_index)
    if pred.dim() == label.dim():
        target = _up_to_one(label, valid)
    else:
        assert pred.dim() == label.dim() + 1
        target = (_up_to_one(label, valid).unsqueeze(1) if pred.size(1) == 1
                  else _one_hot(label, pred))
        valid = valid.unsqueeze(1).expand_as(pred)
        weight = None if weight is None else weight.unsqueeze(1)
    if avg_non_ignore and avg_factor is None and reduction == 'mean':
        avg_factor = _count(valid)
    weight = valid if weight is None else weight * valid
    target = target.to(pred.dtype)
    loss = _binary_terms(pred, target, class_weight)
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


def _binary_terms(pred: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
    if class_weight is not None and pred.dim() > 1 and len(class_weight) > pred.size(1):
        negative, positive = class_weight
        return (-positive * target * F.logsigmoid(pred)
                - negative * (1 - target) * F.logsigmoid(-pred))
    if class_weight is not None:
        class_weight = class_weight.view(-1, *[1] * (pred.dim() - 2))
    return F.binary_cross_entropy_with_logits(
        pred, target, pos_weight=class_weight, reduction='none')


def _up_to_one(label: Tensor, valid: Tensor) -> Tensor:
    """Labels or targets from 0 to 1 as floats of the same shape, 0 where they do not count."""
    wrong = valid & (label > 1)
    if not is_asynchronous(label.device) and wrong.any():
        found = ', '.join(map(str, label[wrong].unique()[:8].tolist()))
        raise DataError(f'labels {found} in a problem of two classes, 0 and 1: correct the masks, '
                        'or give the data set `classes` or a label_map; mark pixels without a '
                        'class by ignore_index')
    target = label if label.is_floating_point() else label.float()
    return target.masked_fill(wrong, float('nan')).masked_fill(~valid, 0)


def mask_cross_entropy(
    pred: Tensor,
    target: Tensor,
    label: Tensor,
    reduction: str = 'mean',
    avg_factor: float | None = None,
    class_weight: Tensor | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Sigmoid cross entropy of one mask a sample: that of its class. Returns shape [1].

    pred: [N, C, H, W], target: [N, H, W] in [0, 1], label: [N] class numbers, class_weight: [C].
    Only the plain mean is defined; raises ConfigError for anything else.
    """
    if reduction != 'mean' or avg_factor is not None or ignore_index is not None:
        raise ConfigError("mask cross entropy knows reduction='mean' alone, without avg_factor "
                          f'and ignore_index; got {reduction!r}, {avg_factor}, {ignore_index}')
    chosen = pred[torch.arange(pred.size(0), device=pred.device), label]
    weight = None if class_weight is None else class_weight[label].view(-1, 1, 1)
    return F.binary_cross_entropy_with_logits(chosen, target, weight)[None]


@LOSSES.register_module()
class CrossEntropyLoss(nn.Module):
    """Cross entropy, times `loss_weight`: softmax, or `use_sigmoid`, or `use_mask`.

    `use_sigmoid` asks yes or no for each class, or, with one logit, whether a pixel is class 1 of
    two. `class_weight`: a list, or the path of a .npy, .json or .yaml file, read at the first use.
    By default the mean is over all pixels, ignored ones too, as the published results were
    trained; `avg_non_ignore` leaves them out. With `use_mask`, `forward` takes the mask targets
    as `label` and the masks' classes as `weight`.
    """

    def __init__(
        self,
        use_sigmoid: bool = False,
        use_mask: bool = False,
        reduction: str = 'mean',
        class_weight: Sequence[float] | str | os.PathLike | None = None,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_ce',
        avg_non_ignore: bool = False,
    ) -> None:
        super().__init__()
        if use_sigmoid and use_mask:
            raise ConfigError('CrossEntropyLoss: use_sigmoid and use_mask exclude each other')
        if use_mask and avg_non_ignore:
            raise ConfigError('CrossEntropyLoss: use_mask ignores no pixels, so avg_non_ignore '
                              'has no meaning with it')
        self.use_sigmoid = use_sigmoid
        self.use_mask = use_mask
        self.reduction = check_reduction(reduction)
        self.class_weight = class_weight
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.avg_non_ignore = avg_non_ignore
        self._weight_tensor: Tensor | None = None

    def _class_weight_like(self, pred: Tensor) -> Tensor | None:
        """The class weights beside `pred`, copied to its device once."""
        if self.class_weight is None:
            return None
        kept = self._weight_tensor
        if kept is None or kept.device != pred.device or kept.dtype != pred.dtype:
            weights = get_class_weight(self.class_weight)
            binary = self.use_sigmoid and pred.size(1) == 1
            if len(weights) != pred.size(1) and not (binary and len(weights) == 2):
                raise ConfigError(f'CrossEntropyLoss: class_weight has {len(weights)} numbers for '
                                  f'{pred.size(1)} classes; give one a class')
            with torch.inference_mode(False):  # what a validation makes must also serve training
                kept = torch.tensor(weights, dtype=pred.dtype, device=pred.device)
            self._weight_tensor = kept
        return kept

    @property
    def is_pixelwise(self) -> bool:
        """Whether the loss of a picture is the sum of those of its parts over one `divisor`."""
        # A subclass may add what is none: the Dice loss of a picture, say.
        return (type(self).forward is CrossEntropyLoss.forward
                and self.reduction != 'none' and not self.use_mask)

    def divisor(self, label: Tensor, classes: int, ignore_index: int) -> int | Tensor | None:
        """What the mean over pixels `label` divides by (an `avg_factor`); None for a sum."""
        if self.reduction == 'sum':
            return None
        terms = classes if self.use_sigmoid else 1
        if not self.avg_non_ignore:
            return label.numel() * terms
        valid = label != ignore_index
        return _count(valid & (label >= 0) if self.use_sigmoid else valid) * terms

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
        ignore_index: int | None = None,
    ) -> Tensor:
        """cls_score: [N, C, ...], label and weight: [N, ...]; a scalar unless reduction='none'.

        `ignore_index` is -100 unless it is given.
        """
        options = dict(
            reduction=check_reduction(reduction_override or self.reduction),
            avg_factor=avg_factor,
            class_weight=self._class_weight_like(cls_score),
            ignore_index=ignore_index)
        if self.use_mask:
            return self.loss_weight * mask_cross_entropy(cls_score, label, weight, **options)
        options['ignore_index'] = -100 if ignore_index is None else ignore_index
        criterion = binary_cross_entropy if self.use_sigmoid else cross_entropy
        return self.loss_weight * criterion(
            cls_score, label, weight, avg_non_ignore=self.avg_non_ignore, **options)
