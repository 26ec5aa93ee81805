"""RoIPool: the largest value in each bin of boxes."""
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from .function_names import as_function
from .kernels import run
from .precision import wide_type
from .roi.maximum import Bins, largest
from .roi.samples import numbers
from .roi_align import bins_of, check_rois


def roi_pool(input: Tensor, rois: Tensor, output_size: int | tuple[int, int],
             spatial_scale: float = 1.0) -> Tensor:
    """Largest value in each bin of boxes (arXiv:1504.08083).

    input: [N, C, H, W]; rois: [K, 5], numbers of images and corners x1, y1, x2, y2, both included,
    in pixels of the image, of which spatial_scale is a pixel of the map; output_size: (P, Q) ->
    [K, C, P, Q]. A bin is a (P, Q)-th of the box, widened to whole pixels; one without pixels is 0.
    Differentiable once, in the input: the gradient goes to the first of the largest.
    Cost: C operations a pixel of a bin, and at most a quarter more. Memory: an eighth of the map,
    and a byte for each value of the output, or 4 for bins of 256 pixels. The host waits for the
    device once, and no export is possible: UsageError.
    ArgumentError for other shapes.
    """
    check_rois('roi_pool', input, rois)
    return run('roi_pool', plain_roi_pool, input, rois.detach(), bins_of('roi_pool', output_size),
               float(spatial_scale))


RoIPoolFunction = as_function('RoIPoolFunction', roi_pool)


def plain_roi_pool(x: Tensor, rois: Tensor, shape: tuple[int, int], scale: float) -> Tensor:
    """`roi_pool` by comparing the pixels of each bin."""
    size = x.shape[2:]
    return largest(x, rois.to(wide_type(x.dtype)), shape, partial(_find_bins, shape, scale, size),
                   partial(_pixel, size), torch.finfo(x.dtype).min, 0,
                   'the pixels in a bin of roi_pool')


def _find_bins(shape: tuple[int, int], scale: float, size: tuple[int, int], rois: Tensor) -> Bins:
    """Bins of rois [K, 5]: image, first row, rows, first column, columns."""
    low, high = rois[:, 1:3] * scale, (rois[:, 3:] + 1) * scale
    (top, bottom), (left, right) = (
        _windows(low[:, place], high[:, place], shape[axis], size[axis])
        for axis, place in enumerate((1, 0)))
    rows, columns = (bottom - top).clamp(min=0), (right - left).clamp(min=0)
    fields = (rois[:, 0].view(-1, 1, 1), *(x.unsqueeze(2) for x in (top, rows)),
              *(x.unsqueeze(1) for x in (left, columns)))
    fields = tuple(x.expand(-1, *shape).flatten() for x in fields)
    return Bins(fields, fields[2] * fields[4])


def _pixel(size: tuple[int, int], number: Tensor,
           fields: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The pixel of each sample: a Sampler."""
    height, width = size
    image, top, rows, left, columns = fields
    columns = columns.clamp(min=1)
    number = torch.minimum(number, (rows * columns - 1).clamp(min=0))
    row = (number / columns).floor()
    column = left + number - row * columns
    pixel = (image.int() * height + (top + row).clamp(max=height - 1).int()) * width
    pixel = (pixel + column.clamp(max=width - 1).int()).unsqueeze(2)
    return pixel, column.new_ones(()).expand(pixel.shape)


def _windows(low: Tensor, high: Tensor, bins: int, size: int) -> tuple[Tensor, Tensor]:
    """First pixel of each bin of boxes from `low` to `high`, and the one after its last, [K, bins].

    Both are whole numbers on the map; they are equal in a box that ends before it begins.
    """
    low = low.view(-1, 1)
    length = (high.view(-1, 1) - low) / bins
    places = numbers(bins, low)
    start = (places * length + low).floor().clamp(0, size)
    end = ((places + 1) * length + low).ceil().clamp(0, size)
    known = (length > 0) & (start == start) & (end == end)
    return torch.where(known, start, 0), torch.where(known, end, 0)


class RoIPool(nn.Module):
    """`roi_pool` as a layer: x [N, C, H, W] and rois [K, 5] -> [K, C, P, Q]."""

    def __init__(self, output_size: int | tuple[int, int], spatial_scale: float = 1.0) -> None:
        super().__init__()
        self.output_size = _pair(output_size)
        self.spatial_scale = float(spatial_scale)

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(output_size={self.output_size}, '
                f'spatial_scale={self.spatial_scale})')
