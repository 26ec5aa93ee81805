"""Polygons as pycocotools fills them: published areas, its own results, and the package itself."""
import json
from pathlib import Path

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.raster.coco_polygon import coco_polygon
from mmseg.datasets.importers.raster.rle import coco_rle

# Polygons, and what pycocotools 2.0.11 makes of them as its compressed RLE.
GOLDEN = json.loads(Path(__file__).with_name('pycocotools_polygons.json').read_text())


def random_polygon(random, size):
    """Any corners: concave, crossing itself, beyond the image, with repeated or whole points."""
    corners = random.uniform(-0.3, 1.3, (random.integers(3, 12), 2)) * size[::-1]
    if random.random() < 0.3:
        corners = corners.round()
    if random.random() < 0.2:
        corners[1] = corners[0]
    return corners


def square(first, last):
    return np.array([[first, first], [last, first], [last, last], [first, last]], float)


@pytest.mark.parametrize('turn', [1, -1])
def test_the_right_and_lower_border_are_left_out(turn):
    expected = np.zeros((8, 9), bool)
    expected[1:5, 1:5] = True
    np.testing.assert_array_equal(coco_polygon(square(1, 5)[::turn], (8, 9)), expected)


def test_half_pixels():
    """A centre on the right or lower side is inside, one on the left or upper side is not."""
    expected = np.zeros((6, 6), bool)
    expected[2:4, 2:4] = True
    np.testing.assert_array_equal(coco_polygon(square(1.5, 3.5), (6, 6)), expected)


def test_centres_that_are_far_from_the_outline():
    """By the definition: a pixel whose centre is inside by winding of angles."""
    random = np.random.default_rng(3)
    for _ in range(20):
        size = tuple(random.integers(5, 30, 2).tolist())
        angles = np.sort(random.uniform(0, 2 * np.pi, 7))
        polygon = (0.5 + random.uniform(0.1, 0.5, (7, 1)) * np.stack(
            [np.cos(angles), np.sin(angles)], 1)) * size[::-1]
        found = coco_polygon(polygon, size)
        for row in range(size[0]):
            for column in range(size[1]):
                to = polygon - (column + 0.5, row + 0.5)
                after = np.roll(to, -1, axis=0)
                if distance_to_edges(to, after) > 0.3:
                    turn = np.arctan2(to[:, 0] * after[:, 1] - to[:, 1] * after[:, 0],
                                      (to * after).sum(1)).sum()
                    assert found[row, column] == (abs(turn) > 1), (polygon, row, column)


def distance_to_edges(starts, ends):
    """From the origin to the nearest of these edges."""
    way = ends - starts
    share = (-(starts * way).sum(1) / np.maximum((way ** 2).sum(1), 1e-9)).clip(0, 1)
    return np.linalg.norm(starts + share[:, None] * way, axis=1).min()


@pytest.mark.parametrize('case', GOLDEN, ids=range(len(GOLDEN)))
def test_results_of_pycocotools(case):
    size = tuple(case['rle']['size'])
    np.testing.assert_array_equal(coco_polygon(np.array(case['points']), size),
                                  coco_rle(case['rle'], size))


def test_pycocotools_itself():
    package = pytest.importorskip('pycocotools.mask')
    random = np.random.default_rng(0)
    for _ in range(500):
        size = tuple(random.integers(1, 50, 2).tolist())
        polygon = random_polygon(random, size)
        expected = package.decode(package.frPyObjects([polygon.ravel().tolist()], *size))[..., 0]
        np.testing.assert_array_equal(coco_polygon(polygon, size), expected, str(polygon.tolist()))


@pytest.mark.parametrize('points', [square(30, 40), square(-40, -30), square(2.2, 2.4)])
def test_polygons_without_a_pixel(points):
    assert not coco_polygon(points, (8, 9)).any()


def test_points_far_away():
    with pytest.raises(DataError, match=r'point \[1000000000.0, 0.0\] lies far outside of the '
                                        'image of 9 x 8 pixels'):
        coco_polygon(np.array([[0, 0], [1e9, 0], [0, 5]]), (8, 9))
