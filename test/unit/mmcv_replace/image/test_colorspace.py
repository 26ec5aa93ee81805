import colorsys

import numpy as np
import pytest

from mmcv_replace import image


def test_swapping_red_and_blue(photo):
    np.testing.assert_array_equal(image.bgr2rgb(photo), photo[..., ::-1])
    np.testing.assert_array_equal(image.rgb2bgr(photo), photo[..., ::-1])


def test_gray_is_the_luma_of_either_order(photo):
    expected = photo @ (0.114, 0.587, 0.299)

    assert np.abs(image.bgr2gray(photo) - expected).max() <= 0.6
    np.testing.assert_array_equal(image.rgb2gray(photo[..., ::-1]), image.bgr2gray(photo))
    assert image.bgr2gray(photo, keepdim=True).shape == (37, 52, 1)
    assert image.rgb2gray(photo, keepdim=True).shape == (37, 52, 1)


@pytest.mark.parametrize('convert', [image.gray2bgr, image.gray2rgb])
def test_gray_to_colour_repeats_the_channel(label, convert):
    np.testing.assert_array_equal(convert(label), np.dstack([label] * 3))
    np.testing.assert_array_equal(convert(label[..., None]), np.dstack([label] * 3))


@pytest.mark.parametrize(('name', 'reference', 'scales'), [
    ('hsv', colorsys.rgb_to_hsv, (180, 255, 255)),
    ('hls', colorsys.rgb_to_hls, (180, 255, 255)),
])
def test_hue_and_saturation(photo, name, reference, scales):
    bgr = photo[:4, :6]
    expected = [[reference(*(pixel[::-1] / 255)) for pixel in row] for row in bgr]

    converted = getattr(image, f'bgr2{name}')(bgr)
    back = getattr(image, f'{name}2bgr')(converted)

    difference = np.abs(converted - np.array(expected) * scales)
    difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
    assert difference.max() <= 1
    assert np.abs(back.astype(int) - bgr).max() <= 8  # few hues and saturations


def test_imconvert_names_both_spaces(photo):
    np.testing.assert_array_equal(image.imconvert(photo, 'bgr', 'hsv'), image.bgr2hsv(photo))


def test_converters_say_what_they_do():
    assert image.bgr2hls.__name__ == 'bgr2hls'
    assert 'BGR to HLS' in image.bgr2hls.__doc__
