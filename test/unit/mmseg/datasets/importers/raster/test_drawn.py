"""Shapes that OpenCV fills, where their pixels are known."""
import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.raster.drawn import opencv_ellipse, opencv_polygon


def test_the_outline_is_filled_too():
    expected = np.zeros((8, 9), bool)
    expected[1:6, 1:6] = True
    points = np.array([[1, 1], [5.9, 1], [5.9, 5.9], [1, 5.9]])
    np.testing.assert_array_equal(opencv_polygon(points, (8, 9)), expected)


def test_diagonals():
    """Edges of 45 degrees pass through centres of pixels, which leaves no choice."""
    points = np.array([[5, 1], [9, 5], [5, 9], [1, 5]], float)
    row, column = np.mgrid[:11, :11]
    np.testing.assert_array_equal(opencv_polygon(points, (11, 11)),
                                  abs(row - 5) + abs(column - 5) <= 4)


def test_outlines_that_opencv_finds():
    """A blob without holes comes back from its contour."""
    random = np.random.default_rng(0)
    for _ in range(30):
        blob = cv2.GaussianBlur(random.random((40, 50)), (0, 0), 4) > 0.5
        for contour in cv2.findContours(blob.astype(np.uint8), cv2.RETR_EXTERNAL,
                                        cv2.CHAIN_APPROX_NONE)[0]:
            labels = cv2.connectedComponents(blob.astype(np.uint8), connectivity=8)[1]
            own = labels == labels[contour[0, 0, 1], contour[0, 0, 0]]
            outside = cv2.connectedComponents((~own).astype(np.uint8), connectivity=4)[1]
            if outside.max() == 1:
                np.testing.assert_array_equal(opencv_polygon(contour[:, 0] + 0.4, (40, 50)), own)


def test_beyond_the_image():
    assert opencv_polygon(np.array([[-5, -5], [20, -5], [20, 20], [-5, 20]]), (8, 9)).all()
    with pytest.raises(DataError, match='far outside'):
        opencv_polygon(np.array([[0, 0], [1e7, 0], [0, 5]]), (8, 9))


def test_ellipses():
    found = opencv_ellipse((10.4, 9.6), (6.3, 2.8), 0, (21, 22))
    row, column = np.mgrid[:21, :22]
    inside = ((column - 10) / 6) ** 2 + ((row - 10) / 3) ** 2
    assert found[inside < 0.8].all()
    assert not found[inside > 1.3].any()
    assert found[10, 4:17].all()
    assert found[:, 10].sum() == 7
    turned = opencv_ellipse((10, 10), (6, 3), 90, (21, 22))
    assert (turned.sum(0).max(), turned.sum(1).max()) == (13, 7)
    with pytest.raises(DataError, match='far outside'):
        opencv_ellipse((1e9, 0), (1, 1), 0, (8, 9))
