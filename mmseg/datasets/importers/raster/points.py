"""Points as annotations hold them: checked, and turned."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

Size = tuple[int, int]  # height, width

# Sloppy outlines leave the image a little; what is farther away than this many images is a mistake,
# and would take much memory to fill.
FARTHEST = 10


def shown(values: object) -> str:
    """Numbers of an annotation in messages, as a list, and cut where they are many."""
    return short(values.tolist() if isinstance(values, np.ndarray) else values)


def read_points(points: object, least: int, what: str = 'a polygon') -> np.ndarray:
    """Points [N, 2] float64 from a list of pairs, or of x, y, x, y, ...

    Raises DataError where they are no finite numbers, or fewer than `least`.
    """
    try:
        array = np.asarray(points, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f'{what} is a list of points x, y, and not {shown(points)}') from error
    if array.ndim == 1 and array.size % 2 == 0:
        array = array.reshape(-1, 2)
    if array.ndim != 2 or array.shape[1] != 2:
        raise DataError(f'{what} is a list of points x, y, and not {shown(points)}')
    if not np.isfinite(array).all():
        raise DataError(f'{what} has a coordinate that is no finite number: {shown(points)}')
    if len(array) < least:
        raise DataError(f'{what} needs {least} points, and this one has {len(array)}: '
                        f'{shown(points)}; delete it, or draw it again')
    return array


def read_exactly(points: object, count: int, what: str) -> np.ndarray:
    """Points [count, 2] of a shape that has this many."""
    array = read_points(points, count, what)
    if len(array) != count:
        raise DataError(f'{what} has {count} point{"s" * (count > 1)}, and this one has '
                        f'{len(array)}: {shown(points)}')
    return array


def check_near(points: np.ndarray, size: Size) -> None:
    """Raise DataError for points that are many images away from an image [height, width]."""
    height, width = size
    limit = FARTHEST * max(height, width)
    far = points[(abs(points) > limit).any(1)]
    if len(far):
        raise DataError(f'the point {far[0].tolist()} lies far outside of the image of {width} x '
                        f'{height} pixels; are the coordinates those of another image?')


def turned(points: np.ndarray, degrees: float, centre: Sequence[float]) -> np.ndarray:
    """Points [N, 2] turned around `centre`, clockwise as an image is seen."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - centre) @ turn + centre


def box_corners(x: float, y: float, width: float, height: float) -> np.ndarray:
    """The corners [4, 2] of an upright box, whose upper left one is x, y."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64)
