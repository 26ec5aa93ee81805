"""Rows of resized images, against the whole image resized by OpenCV."""
import numpy as np
import pytest

from mmcv_replace.image import imresize, resize_rows
from mmcv_replace.image.formats.rows import WholeImage
from mmcv_replace.image.resize_rows import ResizedRows

SIZES = [((97, 130), (37, 51)), ((96, 128), (24, 32)), ((96, 128), (48, 64)), ((45, 61), (190, 97)),
         ((200, 31), (7, 31)), ((31, 200), (31, 9)), ((40, 50), (41, 51)), ((3, 2), (11, 13)),
         ((64, 64), (1, 1)), ((1, 1), (5, 4)), ((90, 80), (90, 160))]
# Numbers of channels: OpenCV has code for one to four, and takes more at once elsewhere.
CHANNELS = [None, 1, 3, 4, 5, 8]


class Counted(WholeImage):
    most = 0

    def read(self, *window):
        rows = super().read(*window)
        self.most = max(self.most, rows.shape[0])
        return rows


def image(shape, channels, dtype):
    full = shape if channels is None else (*shape, channels)
    values = np.random.default_rng(0).integers(0, 256, full)
    return (values * (257 if dtype == np.uint16 else 1)).astype(dtype)


@pytest.mark.parametrize('channels', CHANNELS)
@pytest.mark.parametrize(('source', 'target'), SIZES)
def test_bytes_are_the_same(monkeypatch, source, target, channels):
    monkeypatch.setattr(resize_rows, 'READ_BYTES', 4 * 7 * source[1])
    img = image(source, channels, np.uint8)
    expected = imresize(img, target[::-1]).reshape(*target, *img.shape[2:])
    rows = ResizedRows(WholeImage(img), target[::-1])
    assert (rows.height, rows.width) == target
    for top, bottom in ((0, target[0]), (target[0] // 2, target[0] // 2 + 1), (0, 1)):
        for left, right in ((0, None), (target[1] // 3, target[1] // 3 + 1),
                            (target[1] // 2, None)):
            found = rows.read(top, bottom, left, right)
            np.testing.assert_array_equal(found, expected[top:bottom, left:right])


@pytest.mark.parametrize('channels', CHANNELS)
@pytest.mark.parametrize(('source', 'target'), SIZES)
@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
def test_other_types_differ_by_rounding_at_most(source, target, channels, dtype):
    img = image(source, channels, dtype)
    expected = imresize(img, target[::-1]).reshape(*target, *img.shape[2:])
    found = ResizedRows(WholeImage(img), target[::-1]).read(0, target[0])
    assert found.dtype == dtype
    difference = np.abs(found.astype(np.float64) - expected)
    if dtype == np.uint16:
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


def test_few_rows_of_the_source_are_read_at_once(monkeypatch):
    monkeypatch.setattr(resize_rows, 'READ_BYTES', 4 * 300 * 50)
    source = Counted(image((1000, 300), 3, np.uint8))
    ResizedRows(source, (30, 100)).read(0, 100)
    assert 40 <= source.most <= 50
