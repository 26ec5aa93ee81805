"""The shapes of CVAT's XML, made into masks as CVAT does it when it exports masks itself."""
from collections.abc import Callable, Mapping

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .raster.coco_polygon import coco_polygon
from .raster.drawn import opencv_ellipse
from .raster.points import Size, box_corners, read_points, turned
from .raster.rle import fill_runs

Attributes = Mapping[str, str]


def polygon(attributes: Attributes, size: Size) -> np.ndarray:
    """`points`: x,y;x,y;..."""
    points = [pair.split(',') for pair in attributes.get('points', '').split(';') if pair]
    return coco_polygon(read_points(points, 3), size)


def box(attributes: Attributes, size: Size) -> np.ndarray:
    """`xtl`, `ytl`, `xbr`, `ybr`, turned around its middle by `rotation` degrees."""
    left, top, right, bottom = numbers(attributes, 'xtl', 'ytl', 'xbr', 'ybr')
    corners = box_corners(left, top, right - left, bottom - top)
    return coco_polygon(turned(corners, _rotation(attributes), corners.mean(0)), size)


def ellipse(attributes: Attributes, size: Size) -> np.ndarray:
    """`cx`, `cy`, `rx`, `ry`, turned by `rotation` degrees."""
    x, y, radius_x, radius_y = numbers(attributes, 'cx', 'cy', 'rx', 'ry')
    return opencv_ellipse((x, y), (radius_x, radius_y), _rotation(attributes), size)


def mask(attributes: Attributes, size: Size) -> np.ndarray:
    """`rle`: runs along the rows of the box `left`, `top`, `width`, `height`.

    Where they end early, as those of an empty mask do, the rest is outside, as in CVAT.
    """
    left, top, width, height = numbers(attributes, 'left', 'top', 'width', 'height', kind=int)
    if not (0 <= left <= left + width <= size[1] and 0 <= top <= top + height <= size[0]):
        raise DataError(f'its box (left {left}, top {top}, {width} x {height}) leaves the image of '
                        f'{size[1]} x {size[0]} pixels')
    text = attributes.get('rle', '')
    try:
        runs = [int(run) for run in text.split(',')]
    except ValueError as error:
        raise DataError(f'its rle is no list of whole numbers: {short(text)}') from error
    rest = width * height - sum(runs)
    if rest > 0:
        runs += [rest] if len(runs) % 2 == 0 else [0, rest]
    whole = np.zeros(size, bool)
    whole[top:top + height, left:left + width] = fill_runs(runs, width * height).reshape(
        height, width)
    return whole


CVAT_SHAPES: dict[str, Callable[[Attributes, Size], np.ndarray]] = {
    'polygon': polygon, 'box': box, 'ellipse': ellipse, 'mask': mask}


def numbers(attributes: Attributes, *keys: str, kind: type = float) -> list:
    """The values of these attributes; DataError where one is missing or no finite number."""
    values = []
    for key in keys:
        try:
            values.append(kind(attributes.get(key, '')))
        except ValueError as error:
            raise DataError(f'its {key} is {attributes.get(key)!r}, which is no number') from error
    if not np.isfinite(values).all():
        raise DataError(f'its {", ".join(keys)} are {values}, which are no finite numbers')
    return values


def _rotation(attributes: Attributes) -> float:
    return numbers(attributes, 'rotation')[0] if 'rotation' in attributes else 0.0
