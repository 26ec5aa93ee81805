"""Largest of the samples in each bin of RoIs: RoIAlign with pool_mode='max'."""
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from .maximum import Bins, largest
from .samples import Axis, Grid, corners, numbers, positions

LOWEST = -1e4  # of mmcv


def largest_sample(x: Tensor, rois: Tensor, grid: Grid) -> Tensor:
    """Largest sample in each bin: x [N, C, H, W], rois [K, 5], float32 at least -> [K, C, P, Q].

    The gradient goes to the pixels of the first of the largest. Values of -10000 and less do not
    count, as in mmcv; what is no number is the result.
    """
    size = x.shape[2:]
    return largest(x, rois, grid.shape, partial(find_bins, grid, size), partial(sample, size),
                   LOWEST, LOWEST, 'sampling_ratio=0 of roi_align')


class Span(NamedTuple):
    """Samples of bins along one axis; each field is [K, P, Q] or, of some bins, [n]."""

    start: Tensor  # of the bin, in pixels of the map
    length: Tensor  # of the bin
    samples: Tensor  # in it
    first: Tensor  # those before it are beyond the map
    count: Tensor  # of samples from the first on, at least 1

    def position(self, number: Tensor) -> Tensor:
        """Positions of the samples with these numbers, from the first on."""
        return self.start + (self.first + number + 0.5) * self.length / self.samples.clamp(min=1)


def find_bins(grid: Grid, size: tuple[int, int], rois: Tensor) -> Bins:
    """Bins of rois [K, 5] on a map of this size.

    Where grid.ratio is 0 and samples are beyond the map, there are those on it and one beyond it.
    """
    spans = [_span(axis, bins, pixels)
             for axis, bins, pixels in zip(grid.axes(rois), grid.shape, size, strict=True)]
    rows = Span(*(x.unsqueeze(2) for x in spans[0]))
    columns = Span(*(x.unsqueeze(1) for x in spans[1]))
    fields = [x.expand(-1, *grid.shape).flatten()
              for x in (rois[:, 0].view(-1, 1, 1), *rows, *columns)]
    if grid.ratio > 0:
        return Bins(tuple(fields), grid.ratio ** 2)
    counts = [torch.where(span.samples > 0, span.count, 0) for span in (rows, columns)]
    return Bins(tuple(fields), (counts[0] * counts[1]).flatten())


def _span(axis: Axis, bins: int, size: int) -> Span:
    """Samples of the bins, each field [K, bins]."""
    gap = axis.length / axis.samples.clamp(min=1)
    first = ((-1 - positions(axis, bins, numbers(1, axis.start))) / gap).floor()
    first = torch.where(first == first, first, 0).clamp(min=0)
    count = axis.samples.clamp(1, 2 * size + 4)  # more are not on the map, at half a pixel or more
    first = torch.minimum(first, (axis.samples - count).clamp(min=0))
    start = axis.start + numbers(bins, axis.start).view(-1, 1) * axis.length
    return Span(*(x.expand(-1, bins, 1).squeeze(2)
                  for x in (start, axis.length, axis.samples, first, count)))


def sample(size: tuple[int, int], number: Tensor,
           fields: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The four pixels of each sample: a Sampler."""
    height, width = size
    image, rows, columns = fields[0], Span(*fields[1:6]), Span(*fields[6:])
    number = torch.minimum(number, rows.count * columns.count - 1)
    row = (number / columns.count).floor()
    pixels, by_row = corners(rows.position(row), height)
    across, by_column = corners(columns.position(number - row * columns.count), width)
    down = [(image.int() * height + pixel) * width for pixel in pixels]
    return (torch.stack([y + x for y in down for x in across], 2),
            torch.stack([y * x for y in by_row for x in by_column], 2))
