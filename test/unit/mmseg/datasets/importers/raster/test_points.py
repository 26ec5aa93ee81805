"""Points of annotations."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.raster.points import box_corners, read_exactly, read_points, turned


@pytest.mark.parametrize('points', [[[1, 2], [3, 4.5], [5, 6]], [1, 2, 3, 4.5, 5, 6],
                                    [['1', '2'], ['3', '4.5'], ['5', '6']]])
def test_forms(points):
    np.testing.assert_array_equal(read_points(points, 3), [[1, 2], [3, 4.5], [5, 6]])


@pytest.mark.parametrize(('points', 'message'), [
    ([[1, 2], [3, 4]], r'a polygon needs 3 points, and this one has 2: \[\[1, 2\], \[3, 4\]\]; '
                       'delete it, or draw it again'),
    ([], 'needs 3 points, and this one has 0'),
    ([1, 2, 3, 4, 5], 'a list of points x, y'), ([[1, 2, 3]] * 3, 'a list of points x, y'),
    ([[1], [2, 3]], 'a list of points x, y'), ('polygon', 'a list of points x, y'),
    (None, 'a list of points x, y'), ([{'x': 1}], 'a list of points x, y'),
    ([[1, 2], [3, float('nan')], [5, 6]], 'no finite number'),
    ([[1, 2], [3, float('inf')], [5, 6]], 'no finite number')])
def test_errors(points, message):
    with pytest.raises(DataError, match=message):
        read_points(points, 3)


def test_a_number_of_points():
    assert read_exactly([[1, 2]], 1, 'a point').shape == (1, 2)
    with pytest.raises(DataError, match='a circle has 2 points, and this one has 3'):
        read_exactly([[1, 2]] * 3, 2, 'a circle')


def test_turned_clockwise():
    """The right end of a horizontal line goes down, where y grows."""
    np.testing.assert_allclose(turned(np.array([[3.0, 1.0]]), 90, (1, 1)), [[1, 3]], atol=1e-12)
    np.testing.assert_allclose(turned(box_corners(0, 0, 2, 4), 180, (1, 2)),
                               [[2, 4], [0, 4], [0, 0], [2, 0]], atol=1e-12)
