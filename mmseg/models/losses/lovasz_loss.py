"""Lovasz loss."""
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.ops.parts import parts
from mmcv_replace.ops.precision import wide_type
from mmcv_replace.utils.errors import ConfigError

from ..builder import LOSSES
from .base_loss import ClassWeight, WholeImageLoss
from .utils import IGNORED, by_channel, constant, up_to_one, valid_pixels

# Elements that are sorted at a time; sorting takes some 30 bytes for each.
SORTED_AT_ONCE = 2 ** 20


@LOSSES.register_module()
class LovaszLoss(WholeImageLoss):
    """A convex surrogate of 1 - IoU, the Lovasz extension of the Jaccard loss (arXiv:1705.08790).

    `loss_type`: 'multi_class', errors of softmax probabilities, with the mean over `classes`: those
    'present' in the labels, 'all', or a list of numbers; or 'binary', hinge errors of one logit.
    `per_image`: a value for each image, of which `reduction` takes the mean or sum; otherwise the
    batch is one image, whose value is the loss for every `reduction`.
    Pixels without a class are sorted behind all others, where they change no value.
    """

    default_ignore_index = IGNORED

    def __init__(self, loss_type: str = 'multi_class', classes: str | Sequence[int] = 'present',
                 per_image: bool = False, reduction: str = 'mean',
                 class_weight: ClassWeight = None, loss_weight: float = 1.0,
                 loss_name: str = 'loss_lovasz') -> None:
        super().__init__(reduction, class_weight, loss_weight, loss_name)
        self.loss_type = loss_type
        self.classes = classes
        self.per_image = per_image
        self._check()

    def _check(self) -> None:
        if self.loss_type not in ('binary', 'multi_class'):
            raise ConfigError(f"LovaszLoss: loss_type={self.loss_type!r} must be 'binary' or "
                              "'multi_class'")
        if self.classes not in ('all', 'present') and not (
                isinstance(self.classes, list | tuple) and self.classes
                and all(isinstance(k, int) and k >= 0 for k in self.classes)):
            raise ConfigError(f"LovaszLoss: classes={self.classes!r} must be 'all', 'present', or "
                              'a list of class numbers')
        if self.loss_type == 'binary' and (self.classes != 'present'
                                           or self.class_weight is not None):
            raise ConfigError("LovaszLoss: loss_type='binary' knows no classes to choose or to "
                              'weigh: remove classes and class_weight')

    @property
    def use_sigmoid(self) -> bool:
        """Whether the loss is one of a single logit."""
        return self.loss_type == 'binary'

    def check_classes(self, classes: int) -> None:
        if (classes == 1) != self.use_sigmoid:
            kind = 'binary' if classes == 1 else 'multi_class'
            raise ConfigError(f'LovaszLoss: loss_type={self.loss_type!r} does not fit {classes} '
                              f'logits a pixel: use {kind!r}')
        super().check_classes(classes)
        if not isinstance(self.classes, str) and max(self.classes) >= classes:
            raise ConfigError(f'LovaszLoss: classes={list(self.classes)} holds '
                              f'{max(self.classes)}, but there are {classes} classes, from 0 on')

    def elementwise(self, logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
        if logits.dim() == label.dim():
            logits = logits.unsqueeze(1)
        self.check_classes(logits.size(1))
        valid = valid_pixels(label, ignore_index)
        logits = logits.to(wide_type(logits.dtype))
        if self.use_sigmoid:
            return self._hinge(logits.squeeze(1), up_to_one(label, valid), valid)
        return self._softmax(logits.softmax(1), label, valid)

    def _rows(self, x: Tensor) -> Tensor:
        """[N, H, W] -> [N, H * W], or [1, N * H * W] for the batch as one image."""
        return x.flatten(1) if self.per_image else x.reshape(1, -1)

    def _hinge(self, logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        sign = 2 * target.to(logits.dtype) - 1
        errors = self._rows(1 - logits * sign)
        weights = jaccard_slopes(errors.detach(), self._rows(sign > 0), self._rows(valid))
        return (errors.relu() * weights).sum(1)

    def _softmax(self, prob: Tensor, label: Tensor, valid: Tensor) -> Tensor:
        # The errors |region - prob| are linear in prob, and their weights are constant where the
        # order is: only one factor for each probability is kept for the backward pass.
        factors, constants = self._factors(prob.detach(), label, valid)
        values = (prob * factors).flatten(1).sum(1)
        return (values if self.per_image else values.sum(0, keepdim=True)) + constants

    @torch.no_grad()
    def _factors(self, prob: Tensor, label: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Factors [N, C, H, W] and constants [rows], with which the loss is sum(f prob) + c."""
        factors, label, rows = torch.empty_like(prob), self._rows(label), self._rows(valid)
        present, constants = [], []
        for part in parts(prob.size(1), label.numel(), SORTED_AT_ONCE):
            number = torch.arange(part.start, part.stop, device=label.device).view(-1, 1, 1)
            region = (label == number) & rows  # [classes, rows, pixels]
            own = torch.stack([self._rows(each) for each in prob[:, part].unbind(1)])
            slopes = jaccard_slopes((region.to(own.dtype) - own).abs(), region, rows)
            factors[:, part] = torch.where(region, -slopes, slopes).view(
                -1, *prob[:, 0].shape).transpose(0, 1)
            present.append(region.any(2))
            constants.append((region * slopes).sum(2))
        share = self._shares(torch.cat(present), prob)  # [C, rows]
        factors *= by_channel(share.T, prob)
        return factors, (torch.cat(constants) * share).sum(0)

    def _shares(self, present: Tensor, like: Tensor) -> Tensor:
        """Factor of each class in the mean: present [C, rows] -> [C, rows]."""
        count = present.size(0)
        if self.classes == 'present':
            share = present / present.sum(0).clamp(min=1).to(like.dtype)
        else:
            chosen = list(range(count)) if self.classes == 'all' else list(self.classes)
            shares = tuple(chosen.count(k) / len(chosen) for k in range(count))
            share = constant(shares, like.dtype, like.device).unsqueeze(1).expand_as(present)
        weight = self._class_weight_like(like)
        return share if weight is None else share * weight.unsqueeze(1)


@torch.no_grad()
def jaccard_slopes(errors: Tensor, region: Tensor, valid: Tensor) -> Tensor:
    """Weights of errors: what the Jaccard loss grows by where the errors before are mistakes.

    errors, region: [..., pixels], valid: a mask that fits them -> [..., pixels]. The errors of one
    row are taken from the largest on; those that are not valid have weight 0.
    """
    order = errors.masked_fill(~valid, float('-inf')).argsort(dim=-1, descending=True)
    inside = (region & valid).gather(-1, order)
    beside = (valid & ~region).gather(-1, order).cumsum(-1, dtype=torch.int32)
    missed = inside.cumsum(-1, dtype=torch.int32)
    size = missed[..., -1:]
    both, union = (size - missed).to(errors.dtype), (size + beside).to(errors.dtype)
    # Of 1 - both / union where either `both` shrinks or `union` grows by 1: as differences, these
    # would lose most of their digits.
    slopes = torch.where(inside, 1 / union, both / (union * (union - 1)))
    slopes = torch.where(size == 0, (beside == 1).to(errors.dtype), slopes)
    return torch.zeros_like(errors).scatter_(-1, order, slopes).masked_fill(~valid, 0)
