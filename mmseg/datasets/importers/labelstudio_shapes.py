"""The regions of Label Studio, whose coordinates are per cent of the image."""
from collections.abc import Callable

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .raster.brush_rle import brush_mask
from .raster.coco_polygon import coco_polygon
from .raster.points import Size, box_corners, read_points, turned

# Corners of the polygon that stands for an ellipse: far from one another by less than a pixel in
# images of 10,000 pixels.
_CORNERS = 1024


def brush(value: dict, size: Size) -> np.ndarray:
    """`rle`: bytes of Label Studio's own packing."""
    if value.get('format', 'rle') != 'rle':
        raise DataError(f'its format is {value["format"]!r}, and not rle')
    return brush_mask(value['rle'], size)


def polygon(value: dict, size: Size) -> np.ndarray:
    """`points`: pairs of x and y."""
    return coco_polygon(_pixels(read_points(value['points'], 3), size), size)


def rectangle(value: dict, size: Size) -> np.ndarray:
    """`x`, `y`, `width`, `height`, turned around the upper left corner by `rotation` degrees."""
    x, y, width, height = _numbers(value, 'x', 'y', 'width', 'height')
    corners = _pixels(box_corners(x, y, width, height), size)
    return coco_polygon(turned(corners, _rotation(value), corners[0]), size)


def ellipse(value: dict, size: Size) -> np.ndarray:
    """`x`, `y` of the middle, `radiusX`, `radiusY`, turned by `rotation` degrees."""
    x, y, radius_x, radius_y = _numbers(value, 'x', 'y', 'radiusX', 'radiusY')
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    outline = np.stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)], 1)
    centre = _pixels(np.array([[x, y]]), size)[0]
    return coco_polygon(turned(_pixels(outline, size), _rotation(value), centre), size)


Fill = Callable[[dict, Size], np.ndarray]
# The keys by which a region is known -> what fills it. Its type would not do: that of a brush with
# labels of its own is 'labels'.
_SHAPES: dict[tuple[str, ...], Fill] = {
    ('rle',): brush, ('points',): polygon, ('x', 'y', 'width', 'height'): rectangle,
    ('x', 'y', 'radiusX', 'radiusY'): ellipse}
READABLE = ('brushlabels', 'polygonlabels', 'rectanglelabels', 'ellipselabels')
WITHOUT_AREA = ('labels', 'keypointlabels')


def find_shape(value: object) -> Fill | None:
    """What fills a region with this value; None where it has no area, or one that is unknown."""
    return next((fill for keys, fill in _SHAPES.items()
                 if isinstance(value, dict) and all(key in value for key in keys)), None)


def _pixels(points: np.ndarray, size: Size) -> np.ndarray:
    return points / 100 * size[::-1]


def _numbers(value: dict, *keys: str) -> list[float]:
    found = [value[key] for key in keys]
    if not all(isinstance(number, int | float) and np.isfinite(number) for number in found):
        raise DataError(f'its {", ".join(keys)} are {short(found)}, and should be numbers')
    return found


def _rotation(value: dict) -> float:
    return _numbers(value, 'rotation')[0] if value.get('rotation') else 0.0
