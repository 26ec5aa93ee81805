import numpy as np
import pytest

from mmcv_replace.image import bgr2ycbcr, colorspace, rgb2ycbcr, ycbcr2bgr, ycbcr2rgb

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


def test_names_in_mmcv():
    assert colorspace.ycbcr2rgb is ycbcr2rgb
    unit = colorspace._convert_input_type_range(np.array([[0, 51, 255]], np.uint8))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [[0, 0.2, 1]], rtol=1e-6)
    values = np.array([[0, 50.6, 255]])
    np.testing.assert_array_equal(
        colorspace._convert_output_type_range(values, np.uint8), [[0, 51, 255]])
    floats = colorspace._convert_output_type_range(values, np.dtype(np.float32))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, values / 255, rtol=1e-6)
    with pytest.raises(TypeError, match='not uint64'):
        colorspace._convert_output_type_range(values, np.uint64)
