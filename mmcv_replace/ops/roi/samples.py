"""Where a RoI is sampled: positions in its bins, and the pixels around them with their weights."""
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

# Samples, at least half a pixel apart, whose pixels can include a given one.
NEIGHBOURS = 5


class Axis(NamedTuple):
    """Bins of RoIs along one axis; each field is [K, 1, 1]."""

    start: Tensor  # of the first bin, in pixels of the map
    length: Tensor  # of a bin
    samples: Tensor  # in a bin, whole numbers


@dataclass(frozen=True)
class Grid:
    """Bins and samples of all RoIs: the options of RoIAlign."""

    shape: tuple[int, int]  # rows and columns of bins
    scale: float  # pixels of the map in one of the image
    ratio: int  # samples in a bin along an axis; 0 for one a pixel
    aligned: bool

    def axes(self, rois: Tensor) -> tuple[Axis, Axis]:
        """Rows and columns of rois: [K, 5]."""
        boxes = rois[:, 1:] * self.scale - (0.5 if self.aligned else 0)
        sizes = boxes[:, 2:] - boxes[:, :2]
        if not self.aligned:
            sizes = sizes.clamp(min=1)
        found = []
        for bins, place in zip(self.shape, (1, 0), strict=True):
            length = sizes[:, place] / bins
            samples = length.ceil()
            if self.ratio > 0:
                samples = samples.new_zeros(samples.shape) + self.ratio
            # A RoI without a size, or with one that is no number, has no samples.
            samples = torch.where((samples > 0) & (samples < 2 ** 31), samples, 0)
            found.append(Axis(*(x.view(-1, 1, 1) for x in (boxes[:, place], length, samples))))
        return found[0], found[1]

    def largest(self, rois: Tensor, rows: int, columns: int) -> Tensor:
        """Samples of each RoI along the axes, [K, 2], at least 1 and at most `rows`, `columns`."""
        sizes = [axis.samples.flatten().clamp(1, most)
                 for axis, most in zip(self.axes(rois), (rows, columns), strict=True)]
        return torch.stack(sizes, 1).int()


def positions(axis: Axis, bins: int, samples: Tensor) -> Tensor:
    """Positions [K, bins, n] in pixels of the samples with the numbers [n] or [K, bins, n]."""
    places = torch.arange(bins, device=axis.start.device, dtype=axis.start.dtype).view(-1, 1)
    step = (samples + 0.5) * axis.length / axis.samples.clamp(min=1)
    return axis.start + places * axis.length + step


def numbers(count: int, like: Tensor) -> Tensor:
    """0 to count - 1, as positions are."""
    return torch.arange(count, device=like.device, dtype=like.dtype)


def inside(position: Tensor, size: int) -> Tensor:
    """Whether positions count: up to a pixel beyond the map. What is no number does."""
    return ~((position < -1) | (position > size))


def corners(position: Tensor, size: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two pixels around positions on an axis, in int32, and their weights.

    Beyond the map its edge counts, and nothing a pixel further. Positions that are no numbers have
    such weights too.
    """
    place = position.clamp(0, size - 1)
    low = torch.where(place == place, place, 0).floor()
    share, counts = place - low, inside(position, size)
    return ((low.int(), (low + 1).clamp(max=size - 1).int()),
            ((1 - share) * counts, share * counts))


def separate_pixels(axis: Axis, bins: int, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Pixels and weights [K, bins, 2 count] of the mean over `count` samples of each bin."""
    index, weight = corners(positions(axis, bins, numbers(count, axis.start)), size)
    return torch.cat(index, 2), torch.cat(weight, 2) / count


def merged_pixels(axis: Axis, bins: int, count: int, size: int) -> tuple[Tensor, Tensor]:
    """The same [K, bins, count + 1], with samples of up to a pixel from each other put together.

    `count` is the largest number of samples, and each bin a window of pixels. The weight of a pixel
    comes from the few samples that can touch it, whatever their number.
    """
    count = min(count + 1, size)
    begin = positions(axis, bins, numbers(1, axis.start)).clamp(0, size - 1).floor()
    begin = torch.where(begin == begin, begin, 0)
    pixel = begin + numbers(count, begin)
    gap = axis.length / axis.samples.clamp(min=1)
    origin = axis.start + numbers(bins, begin).view(-1, 1) * axis.length + 0.5 * gap
    first = ((pixel - 1 - origin) / gap).floor()
    first = torch.where(first == first, first, 0).clamp(min=0)
    first = torch.minimum(first, (axis.samples - 1).clamp(min=0))
    weight = pixel.new_zeros(pixel.shape)
    for step in range(NEIGHBOURS):
        sample = first + step
        position = positions(axis, bins, sample)
        near = (1 - (position.clamp(0, size - 1) - pixel).abs()).clamp(min=0)
        counts = inside(position, size) & (sample < axis.samples)
        weight = weight + torch.where(counts, near, 0)
    weight = weight / axis.samples.clamp(min=1) * (pixel < size)
    return pixel.clamp(max=size - 1).int(), weight


def outer(batch: Tensor, rows: tuple[Tensor, Tensor], columns: tuple[Tensor, Tensor],
          height: int, width: int) -> tuple[Tensor, Tensor]:
    """Bags of pixels for `weighted_rows`, of those of the two axes.

    batch: [K], numbers of images; rows: index and weight [K, P, m], columns: [K, Q, n] ->
    index and weight [K P Q, m n].
    """
    down = (batch.view(-1, 1, 1) * height + rows[0]) * width
    index = down[:, :, None, :, None] + columns[0][:, None, :, None, :]
    weight = rows[1][:, :, None, :, None] * columns[1][:, None, :, None, :]
    size = rows[0].shape[2] * columns[0].shape[2]
    return index.view(-1, size), weight.view(-1, size)
