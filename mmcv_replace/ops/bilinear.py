"""Bilinear samples of a feature map as weighted sums of its pixels."""
import torch
from torch import Tensor


def bilinear_corners(y: Tensor, x: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The four pixels around each position, for `weighted_rows`.

    y, x: [...], positions in pixels, float32 or float64, where (0, 0) is the centre of the first
    pixel; height and width are those of the map. -> index [..., 4] of the pixels, counted row by
    row, and weight [..., 4], differentiable in y and x. Beyond the border the map is zero, as in
    the compiled operators of mmcv: a pixel that does not exist has the weight 0, and so have all
    four of a position that is a pixel or more outside, or not a number.
    """
    inside = (y > -1) & (x > -1) & (y < height) & (x < width)
    y, x = torch.where(inside, y, 0), torch.where(inside, x, 0)
    top, left = y.detach().floor(), x.detach().floor()
    down, right = y - top, x - left
    rows, columns = torch.stack([top, top + 1], -1), torch.stack([left, left + 1], -1)
    by_row = torch.stack([1 - down, down], -1) * ((rows >= 0) & (rows < height))
    by_column = torch.stack([1 - right, right], -1) * ((columns >= 0) & (columns < width))
    by_row = by_row * inside.unsqueeze(-1)
    weight = by_row.unsqueeze(-1) * by_column.unsqueeze(-2)
    rows, columns = rows.clamp(0, height - 1).long(), columns.clamp(0, width - 1).long()
    return (rows.unsqueeze(-1) * width + columns.unsqueeze(-2)).flatten(-2), weight.flatten(-2)
