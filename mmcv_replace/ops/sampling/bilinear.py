"""Bilinear samples of a feature map as weighted sums of its pixels."""
import torch
from torch import Tensor


def bilinear_corners(y: Tensor, x: Tensor, height: int | Tensor, width: int | Tensor,
                     share: Tensor | None = None, first: int | Tensor = 0,
                     step: int = 1) -> tuple[Tensor, Tensor]:
    """The four pixels around each position, for `weighted_rows`.

    y, x: [...], positions in pixels, float32 or float64, where (0, 0) is the centre of the first
    pixel; height and width are those of the map, or tensors in int32 that broadcast to y, where
    the positions are on several maps. -> index [..., 4] of the pixels in int32 and weight [..., 4],
    differentiable in y and x. Pixels are counted row by row; `first` is the row of the table with
    the first pixel (int32 tensors broadcast to y), and from one pixel to the next there are `step`
    rows. `share`: a factor of the weights, which broadcasts to y.

    Beyond the border the map is zero, as in the compiled operators of mmcv: a pixel that does not
    exist has the weight 0 and the index of one that does, and so have all four of a position that
    is a pixel or more outside, or not a number.
    Cost: about 40 operations a position; memory: 50 bytes a position for the backward pass.
    """
    top, bottom, above, below = _neighbours(y, height)
    left, right, before, after = _neighbours(x, width)
    if share is not None:
        above, below = above * share, below * share
    top, bottom = top * (width * step) + first, bottom * (width * step) + first
    left, right = left * step, right * step
    # Each corner for itself: products of tensors [..., 2] take three times as long on the host.
    index = torch.stack([top + left, top + right, bottom + left, bottom + right], -1)
    weight = torch.stack([above * before, above * after, below * before, below * after], -1)
    return index, weight


def _neighbours(position: Tensor, size: int | Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two neighbours of positions on one axis of a map, and their shares; 0 if they do not exist.
    """
    if isinstance(size, Tensor):
        size = size.to(position.dtype)  # comparisons of unequal types are slow
    has_first = (position >= 0) & (position < size)
    has_second = (position > -1) & (position < size - 1)
    first = position.detach().floor()
    part = position - first
    return (torch.where(has_first, first, 0).int(), torch.where(has_second, first + 1, 0).int(),
            torch.where(has_first, 1 - part, 0), torch.where(has_second, part, 0))
