import numpy as np
import pytest

from mmcv_replace.image import bgr2ycbcr, rgb2ycbcr, ycbcr2bgr, ycbcr2rgb
from mmcv_replace.image.colorspace import ycbcr2rgb as in_colorspace

# Red, green, blue in 0 to 1 -> Y, Cb, Cr in 0 to 255: the bars of BT.601.
BARS = {(0, 0, 0): (16, 128, 128), (1, 1, 1): (235, 128, 128), (1, 0, 0): (81, 90, 240),
        (0, 1, 0): (145, 54, 34), (0, 0, 1): (41, 240, 110), (1, 1, 0): (210, 16, 146)}
RGB = np.array([list(BARS)], np.float32)
YCBCR = np.array([list(BARS.values())], np.uint8)


def test_bars():
    rgb = (RGB * 255).astype(np.uint8)
    np.testing.assert_array_equal(rgb2ycbcr(rgb), YCBCR)
    np.testing.assert_array_equal(bgr2ycbcr(rgb[..., ::-1]), YCBCR)
    np.testing.assert_array_equal(rgb2ycbcr(rgb, y_only=True), YCBCR[..., 0])
    np.testing.assert_array_equal(bgr2ycbcr(rgb[..., ::-1], y_only=True), YCBCR[..., 0])
    np.testing.assert_allclose(rgb2ycbcr(RGB) * 255, YCBCR, atol=0.6)


@pytest.mark.parametrize(('there', 'back'), [(rgb2ycbcr, ycbcr2rgb), (bgr2ycbcr, ycbcr2bgr)])
def test_back(photo, there, back):
    floats = (photo / 255).astype(np.float32)
    again = back(there(floats))
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, floats, atol=1e-4)
    assert back(there(photo)).dtype == np.uint8
    assert np.abs(back(there(photo)).astype(int) - photo).max() <= 2
    assert there(photo).shape == photo.shape
    assert there(photo, y_only=True).shape == photo.shape[:2]


def test_other_types_are_refused(photo):
    for function in (rgb2ycbcr, bgr2ycbcr, ycbcr2rgb, ycbcr2bgr):
        with pytest.raises(TypeError, match='uint8, or float32 from 0 to 1, not float64'):
            function(photo / 255)


def test_name_in_mmcv():
    assert in_colorspace is ycbcr2rgb
