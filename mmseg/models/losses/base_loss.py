"""Bases of the losses: what all share, losses of pixels, and losses of whole images."""
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from .utils import check_reduction, count_valid, get_class_weight, weight_reduce_loss

ClassWeight = Sequence[float] | str | os.PathLike | None


class BaseLoss(nn.Module, metaclass=ABCMeta):
    """Base of PixelLoss and WholeImageLoss, which define `elementwise` in different shapes.

    `reduction`: 'mean', 'sum' or 'none'. `class_weight`: one number per class, or the path of a
    .npy, .json or .yaml file with them, read at the first use. The result is multiplied by
    `loss_weight`. A head with a list of losses logs the loss as `loss_name`; it is trained only if
    this name contains 'loss'.
    """

    default_ignore_index = -100

    def __init__(self, reduction: str = 'mean', class_weight: ClassWeight = None,
                 loss_weight: float = 1.0, loss_name: str = 'loss_seg') -> None:
        super().__init__()
        self.reduction = check_reduction(reduction)
        self.class_weight = class_weight
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self._weight_tensor: Tensor | None = None

    @abstractmethod
    def elementwise(self, logits: Tensor, label: Tensor, ignore_index: int) -> Tensor:
        """The terms whose mean or sum is the loss, of logits [N, C, H, W] and labels [N, H, W]."""

    def divisor(self, label: Tensor, ignore_index: int) -> float | Tensor | None:
        """Number of labels that a mean is taken over; None: all."""
        return None

    def check_classes(self, classes: int) -> None:
        """Raise ConfigError where options do not fit logits of `classes` channels.

        A head asks this when it is built, before any data are read. Weights in a file are read,
        and counted, at the first use.
        """
        if self.class_weight is not None and not isinstance(self.class_weight, str | os.PathLike):
            self._check_weights(get_class_weight(self.class_weight), classes)

    def no_weights(self) -> ConfigError:
        """The error for weights of pixels, where there is a term for an image alone."""
        return ConfigError(f'{type(self).__name__}: a loss of whole images takes no weights of '
                           'pixels: remove `sampler` from its head')

    def _check_weights(self, weights: Sequence[float], classes: int) -> None:
        if len(weights) != classes and (len(weights), classes) != (2, 1):
            raise ConfigError(f'{type(self).__name__}: class_weight has {len(weights)} numbers '
                              f'for {classes} classes; give one a class')

    def forward(self, cls_score: Tensor, label: Tensor, weight: Tensor | None = None,
                avg_factor: float | Tensor | None = None, reduction_override: str | None = None,
                ignore_index: int | None = None) -> Tensor:
        """cls_score: [N, C, ...], label and weight: [N, ...]; a scalar unless reduction='none'.

        `avg_factor` replaces the number of terms in a mean. `ignore_index` is
        `default_ignore_index` unless it is given.
        """
        reduction = check_reduction(reduction_override or self.reduction)
        if ignore_index is None:
            ignore_index = self.default_ignore_index
        terms = self.elementwise(cls_score, label, ignore_index)
        if weight is not None and weight.dim() > terms.dim():
            raise self.no_weights()
        if avg_factor is None and reduction == 'mean':
            count = self.divisor(label, ignore_index)
            if count is not None:
                avg_factor = count * (terms.numel() // label.numel())
        return self.loss_weight * weight_reduce_loss(terms, weight, reduction, avg_factor)

    def _class_weight_like(self, logits: Tensor) -> Tensor | None:
        """Class weights [C] in the type and on the device of logits [N, C, ...], copied once.

        For a single logit they may be two, of class 0 and class 1. Raises ConfigError for another
        number of weights.
        """
        if self.class_weight is None:
            return None
        kept = self._weight_tensor
        if kept is None or kept.device != logits.device or kept.dtype != logits.dtype:
            weights = get_class_weight(self.class_weight)
            self._check_weights(weights, logits.size(1))
            # A tensor made during validation must also serve training.
            with torch.inference_mode(False):
                kept = torch.tensor(weights, dtype=logits.dtype, device=logits.device)
            self._weight_tensor = kept
        return kept


class PixelLoss(BaseLoss):
    """A loss with a term for each pixel: `elementwise` gives [N, H, W], or [N, C, H, W].

    A term depends on one pixel alone and is 0 where that is ignored, so heads compute such a loss
    in chunks of rows (`chunked_losses`). Not so a subclass with a `forward` of its own, which may
    add other terms.
    By default ignored pixels count in the mean, as the published results were trained;
    `avg_non_ignore` takes the mean over the other pixels.
    """

    def __init__(self, *args: object, avg_non_ignore: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.avg_non_ignore = avg_non_ignore

    def divisor(self, label: Tensor, ignore_index: int) -> float | Tensor | None:
        return count_valid(label, ignore_index) if self.avg_non_ignore else None

    @property
    def is_chunkable(self) -> bool:
        """Whether the loss of an image is the sum of `chunk` over chunks of its rows."""
        return type(self).forward is BaseLoss.forward and self.reduction != 'none'

    def chunk(self, logits: Tensor, label: Tensor, ignore_index: int,
              divisor: float | Tensor) -> Tensor:
        """Share of some rows in the loss: logits [N, C, rows, W], labels [N, rows, W] -> scalar.

        `divisor` is the number of labels that the mean over the whole image is taken over.
        """
        terms = self.elementwise(logits, label, ignore_index)
        factor = None if self.reduction == 'sum' else divisor * (terms.numel() // label.numel())
        return self.loss_weight * weight_reduce_loss(terms, None, self.reduction, factor)


class WholeImageLoss(BaseLoss):
    """A loss of whole images, such as an overlap of regions: `elementwise` gives values [N].

    For the batch as one image it gives [1]. A head with such a loss computes all its losses at the
    size of the labels, none in chunks of rows.
    """
