"""Paint the objects of an image over one another."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.utils.errors import DataError

from .export import Painting, PlacedError, Shape
from .legend import Legend
from .raster.points import Size

Window = tuple[slice, slice]


def paint_shapes(size: Size, legend: Legend, shapes: Sequence[Shape],
                 larger_first: bool = False) -> Painting:
    """Paint objects in their order, later over earlier ones.

    With `larger_first` one of more pixels lies below one of fewer, and those without a class lie
    below all others. Raises PlacedError for an object that cannot be painted.
    """
    label_map = np.full(size, legend.unlabelled, np.uint8)
    covered = np.zeros(size, bool)
    contested = vanished = 0
    regions = ((shape, *_cut_out(shape, size)) for shape in shapes)
    if larger_first:
        regions = sorted(regions, key=lambda region: (
            region[0].label is not None, -np.count_nonzero(region[2])))
    for shape, window, mask in regions:
        try:
            value = legend.value(shape.label)
        except DataError as error:
            raise PlacedError(f'{shape.place}: {error}') from error
        below = label_map[window]
        contested += np.count_nonzero(covered[window] & mask & (below != value))
        below[mask] = value
        covered[window] |= mask
        vanished += not mask.any()
    return Painting(label_map, contested, vanished)


def _cut_out(shape: Shape, size: Size) -> tuple[Window, np.ndarray]:
    """The smallest window around an object and its mask there: masks of whole images are large."""
    try:
        mask = shape.mask(size)
    except DataError as error:
        raise PlacedError(f'{shape.place}: {error}') from error
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return (slice(0), slice(0)), mask[:0, :0]
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return window, mask[window].copy()
