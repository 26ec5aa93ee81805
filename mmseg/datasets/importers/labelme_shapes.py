"""The shapes of labelme, filled as its `shapes_to_label` does: by Pillow, with their outlines."""
import base64
import binascii
import math

import numpy as np

from mmcv_replace.image import imfrombytes
from mmcv_replace.utils.errors import DataError

from .raster.drawn import draw_mask
from .raster.points import Size, check_near, read_exactly, read_points

# Pixels, of which labelme lets nobody choose others.
LINE_WIDTH, POINT_RADIUS = 10, 5

# Shape -> how many points it has; at least so many where the number is negative.
LABELME_SHAPES = {'polygon': -3, 'rectangle': 2, 'oriented_rectangle': 4, 'circle': 2, 'line': 2,
                  'linestrip': -2, 'point': 1, 'mask': 2}


def labelme_mask(kind: str, points: list, mask: str | None, size: Size) -> np.ndarray:
    """What a shape covers of an image [height, width]: bool [H, W].

    `mask`: the pixels of a shape of kind 'mask' as a PNG in base64. Raises DataError for points of
    a wrong number.
    """
    number = LABELME_SHAPES[kind]
    what = f'a {kind}'
    array = read_points(points, -number, what) if number < 0 else read_exactly(
        points, number, what)
    check_near(array, size)
    if kind == 'mask':
        return _paste(mask, array, size)
    corners = [tuple(point) for point in array.tolist()]
    if kind == 'circle':
        return _disc(corners[0], math.dist(*corners), size)
    if kind == 'point':
        return _disc(corners[0], POINT_RADIUS, size)
    if kind == 'rectangle':
        box = [*array.min(0).tolist(), *array.max(0).tolist()]
        return draw_mask(size, 'rectangle', box, outline=1, fill=1)
    if kind in ('line', 'linestrip'):
        return draw_mask(size, 'line', corners, fill=1, width=LINE_WIDTH)
    return draw_mask(size, 'polygon', corners, outline=1, fill=1)


def _disc(centre: tuple[float, float], radius: float, size: Size) -> np.ndarray:
    x, y = centre
    box = [x - radius, y - radius, x + radius, y + radius]
    return draw_mask(size, 'ellipse', box, outline=1, fill=1)


def _paste(text: str | None, corners: np.ndarray, size: Size) -> np.ndarray:
    """A mask at its place, cut at the image's border; its first corner is the upper left pixel."""
    try:
        patch = imfrombytes(base64.b64decode(text, validate=True), 'unchanged', backend='pillow',
                            name='its mask') > 0
    except (TypeError, binascii.Error, ValueError) as error:
        raise DataError(f'its mask is no PNG in base64 ({error}); draw it again') from error
    if patch.ndim != 2:
        raise DataError(f'its mask has {patch.shape[2]} channels instead of one; draw it again')
    left, top = corners[0].astype(int).tolist()
    whole = np.zeros(size, bool)
    target = whole[max(top, 0):max(top + patch.shape[0], 0),
                   max(left, 0):max(left + patch.shape[1], 0)]
    target |= patch[max(-top, 0):, max(-left, 0):][:target.shape[0], :target.shape[1]]
    return whole
