"""Windows cover an image, and end at its border."""
import numpy as np
import pytest

from mmcv_replace.image.formats.rows import WholeImage
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.converters.aerial.windows import Box, Windows, cut


def windows(size, step, other=None):
    return Windows(size, other or size, step, step, '--size')


def plain_starts(size, window, step):
    """Step by step; what would leave the image is moved back."""
    starts = []
    for start in range(0, size, step):
        start = max(min(start, size - window), 0)
        if start not in starts:
            starts.append(start)
    return starts


@pytest.mark.parametrize('step', [512, 256, 100])
@pytest.mark.parametrize('size', [100, 511, 512, 513, 1024, 1025, 1500])
def test_boxes(size, step):
    boxes = windows(512, step).boxes(size, 700)
    assert boxes == [Box(left, top, left + 512, top + 512)
                     for top in plain_starts(size, 512, step)
                     for left in plain_starts(700, 512, step)]


# Height and width of the tiles of Vaihingen for training.
VAIHINGEN = [(2569, 1919), (3007, 2006), (2557, 1887), (2557, 1887), (2566, 1893), (2558, 2818),
             (2565, 1919), (1281, 2336), (2546, 1903), (2546, 1903), (1783, 2995), (2567, 1917),
             (2563, 1934), (2555, 1980), (2555, 1388), (1995, 1996)]


def test_published_numbers_of_windows():
    """mmsegmentation documents 344 windows of Vaihingen, and 3456 and 2016 of Potsdam."""
    assert sum(len(windows(512, 512).boxes(*size)) for size in VAIHINGEN) == 344
    assert (24 * len(windows(512, 512).boxes(6000, 6000)),
            14 * len(windows(512, 512).boxes(6000, 6000))) == (3456, 2016)
    # What its --stride_size 256 would give.
    assert sum(len(windows(512, 256).boxes(*size)) for size in VAIHINGEN) == 1046


class CountedRows(WholeImage):
    def __init__(self, img):
        super().__init__(img)
        self.reads = []

    def read(self, top, bottom):
        self.reads.append((top, bottom))
        return super().read(top, bottom)


def test_rows_are_read_once_a_row_of_windows():
    img = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    rows = CountedRows(img)
    for box, window in cut(rows, Windows(20, 16, 15, 12, ''), None):
        assert (box.right - box.left, box.bottom - box.top) == (20, 16)
        np.testing.assert_array_equal(window, img[box.top:box.bottom, box.left:box.right])
    assert rows.reads == [(0, 16), (12, 28), (24, 40), (34, 50)]


@pytest.mark.parametrize('fill', [0, 7, None])
@pytest.mark.parametrize('shape', [(9, 30), (30, 9), (9, 9)])
def test_images_smaller_than_a_window(fill, shape):
    img = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for box, window in cut(WholeImage(img), windows(20, 20), fill):
        part = img[box.top:box.bottom, box.left:box.right]
        np.testing.assert_array_equal(window[:part.shape[0], :part.shape[1]], part)
        if fill is None:
            assert window.shape == part.shape == (box.bottom - box.top, box.right - box.left)
        else:
            assert window.shape == (20, 20)
            assert window.size - part.size == (np.pad(part * 0 + 1, (
                (0, 20 - part.shape[0]), (0, 20 - part.shape[1]))) == 0).sum()
            assert (window[part.shape[0]:] == fill).all()
            assert (window[:, part.shape[1]:] == fill).all()


@pytest.mark.parametrize(('size', 'step'), [(0, 1), (10, 0), (10, 11), (10, -1), (-5, -5)])
def test_windows_that_leave_gaps_or_never_end(size, step):
    with pytest.raises(ConfigError, match='--size: windows of .*must be from 1 to the size'):
        windows(size, step)
