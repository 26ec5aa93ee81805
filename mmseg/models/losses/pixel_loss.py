"""Base of the losses that are a mean, or a sum, over pixels."""
from torch import Tensor

from .base_loss import BaseLoss
from .utils import count_valid, weight_reduce_loss


class PixelLoss(BaseLoss):
    """A loss with a term for each pixel: `elementwise` gives [N, H, W], or [N, C, H, W].

    A term depends on one pixel alone and is 0 where that is ignored, so heads compute such a loss
    in chunks of rows (chunked_loss.py). Not so a subclass with a `forward` of its own, which may
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
