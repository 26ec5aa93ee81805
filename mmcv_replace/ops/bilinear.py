"""Bilinear samples of a feature map as weighted sums of its pixels."""
import torch
from torch import Tensor


def bilinear_corners(y: Tensor, x: Tensor, height: int | Tensor,
                     width: int | Tensor) -> tuple[Tensor, Tensor]:
    """The four pixels around each position, for `weighted_rows`.

    y, x: [...], positions in pixels, float32 or float64, where (0, 0) is the centre of the first
    pixel; height and width are those of the map, or tensors in int32 that broadcast to y, where
    the positions are on several maps. -> index [..., 4] of the pixels in int32, counted row by row,
    and weight [..., 4], differentiable in y and x. Beyond the border the map is zero, as in the
    compiled operators of mmcv: a pixel that does not exist has the weight 0 and the index of one
    that does, and so have all four of a position that is a pixel or more outside, or not a number.
    Cost: about 40 operations a position; memory: 50 bytes a position for the backward pass.
    """
    top, bottom, above, below = _neighbours(y, height)
    left, right, before, after = _neighbours(x, width)
    top, bottom = top * width, bottom * width
    # Each corner for itself: products of tensors [..., 2] take three times as long on the host.
    index = torch.stack([top + left, top + right, bottom + left, bottom + right], -1)
    weight = torch.stack([above * before, above * after, below * before, below * after], -1)
    return index, weight


def _neighbours(position: Tensor, size: int | Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two neighbours of positions on one axis of a map, and their shares; 0 if they do not exist.
    """
    has_first = (position >= 0) & (position < size)
    has_second = (position > -1) & (position < size - 1)
    first = position.detach().floor()
    part = position - first
    return (torch.where(has_first, first, 0).int(), torch.where(has_second, first + 1, 0).int(),
            torch.where(has_first, 1 - part, 0), torch.where(has_second, part, 0))
