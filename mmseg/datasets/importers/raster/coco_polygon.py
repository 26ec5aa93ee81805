"""The pixels inside a polygon, by the rule of COCO's own tool, pycocotools.

Coordinates count from the upper left corner of the image, so that pixel 0 reaches from 0 to 1. A
pixel is inside where its centre is, on a grid of fifths of a pixel; of centres on the outline,
those of the right and lower side count. Each column is filled between its crossings of the outline.
"""
import numpy as np

from .points import Size, check_near

_GRID = 5  # steps of the grid in a pixel
_CENTRE = 2  # the step at the left of a pixel's centre


def coco_polygon(points: np.ndarray, size: Size) -> np.ndarray:
    """What a polygon [N, 2] of x, y covers of an image [height, width]: bool [H, W].

    Equal to `pycocotools.mask.frPyObjects` of version 2.0.11, pixel by pixel. Raises DataError for
    points far outside of the image.
    """
    check_near(points, size)
    height, width = size
    columns, rows = _crossings(points)
    inside = (columns >= 0) & (columns < width)
    columns, rows = columns[inside], rows[inside].clip(0, height)
    mask = np.zeros(size, bool)
    if not columns.size:
        return mask
    left, top = columns.min(), rows.min()
    changes = np.zeros((columns.max() - left + 1, rows.max() - top + 1), np.uint8)
    np.add.at(changes, (columns - left, rows - top), 1)
    filled = np.bitwise_xor.accumulate(changes & 1, axis=1).astype(bool).T
    filled = filled[:height - top]
    mask[top:top + filled.shape[0], left:left + filled.shape[1]] = filled
    return mask


def _crossings(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the outline passes the centres of columns: the column, and the first row below it."""
    corners = _whole(_GRID * points)
    edge, x, y = _walk(corners, np.roll(corners, -1, axis=0))
    left, upper = np.minimum(x[1:], x[:-1]), np.minimum(y[1:], y[:-1])
    passes = (edge[1:] == edge[:-1]) & (x[1:] != x[:-1]) & (left % _GRID == _CENTRE)
    left, upper = left[passes], upper[passes]
    return left // _GRID, np.ceil((upper + 0.5) / _GRID - 0.5).astype(np.int64)


def _walk(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All steps along edges [N, 2]: the number of the edge, x and y.

    An edge is walked along its longer axis, in the direction in which that grows.
    """
    size = abs(ends - starts)
    longer = (size[:, 0] < size[:, 1]).astype(int)  # 0: x, 1: y
    number = np.arange(len(starts))
    backwards = (starts[number, longer] > ends[number, longer])[:, None]
    starts, ends = np.where(backwards, ends, starts), np.where(backwards, starts, ends)
    steps = size.max(1)
    slope = (ends - starts)[number, 1 - longer] / np.maximum(steps, 1)
    edge = np.repeat(number, steps + 1)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    along = starts[number, longer][edge] + step
    across = _whole(starts[number, 1 - longer][edge] + slope[edge] * step)
    level = longer[edge] == 0
    return edge, np.where(level, along, across), np.where(level, across, along)


def _whole(values: np.ndarray) -> np.ndarray:
    """Rounded halves up, but negative ones towards zero, as a conversion in C does."""
    return np.trunc(values + 0.5).astype(np.int64)
