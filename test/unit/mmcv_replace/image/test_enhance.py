import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from mmcv_replace.image import (
    adjust_brightness,
    adjust_color,
    adjust_contrast,
    adjust_hue,
    adjust_lighting,
    adjust_sharpness,
)
from mmcv_replace.utils.errors import ConfigError

FACTORS = [0, 0.4, 1, 1.8]


def by_pillow(photo, change):
    """A BGR image changed as RGB image of Pillow."""
    return np.array(change(Image.fromarray(photo[..., ::-1].copy())))[..., ::-1]


@pytest.mark.parametrize('factor', FACTORS)
@pytest.mark.parametrize(('function', 'kind'), [
    (adjust_brightness, ImageEnhance.Brightness), (adjust_contrast, ImageEnhance.Contrast),
    (adjust_color, ImageEnhance.Color)])
def test_backend_pillow_is_pillow_and_near_to_opencv(photo, function, kind, factor):
    expected = by_pillow(photo, lambda image: kind(image).enhance(factor))
    result = function(photo, factor, backend='pillow')
    np.testing.assert_array_equal(result, expected)
    # Their greys differ by one.
    assert np.abs(function(photo, factor, backend='cv2').astype(int) - result).max() <= 2


@pytest.mark.parametrize('factor', FACTORS)
def test_adjust_sharpness_is_near_to_pillow(photo, factor):
    smooth = by_pillow(photo, lambda image: image.filter(ImageFilter.SMOOTH)).astype(float)
    expected = np.clip(factor * photo + (1 - factor) * smooth, 0, 255)
    inner = np.s_[1:-1, 1:-1]  # Pillow leaves the edges as they are
    off = np.abs(adjust_sharpness(photo, factor) - expected)[inner]
    assert off.max() <= 1 + abs(1 - factor)


def test_adjust_sharpness_by_a_kernel(photo):
    blur = np.ones((3, 3)) / 9
    np.testing.assert_array_equal(adjust_sharpness(photo, 0, blur), cv2.blur(photo, (3, 3)))
    np.testing.assert_array_equal(adjust_sharpness(photo, 1, blur), photo)


@pytest.mark.parametrize('backend', [None, 'cv2', 'pillow'])
def test_adjust_hue_turns_the_circle_of_colours(photo, backend):
    assert np.abs(adjust_hue(photo, 0, backend=backend).astype(int) - photo).max() <= 5
    red = np.array([[[0, 0, 200]]], np.uint8)
    for factor, expected in ((1 / 3, [0, 200, 0]), (-1 / 3, [200, 0, 0]), (0.5, [200, 200, 0]),
                             (-0.5, [200, 200, 0])):
        turned = adjust_hue(red, factor, backend=backend)
        assert np.abs(turned.astype(int) - expected).max() <= 10, (factor, turned)
        assert turned.dtype == np.uint8


def test_backends_of_adjust_hue_differ(photo):
    assert not np.array_equal(adjust_hue(photo, 0.2), adjust_hue(photo, 0.2, backend='pillow'))


def test_adjust_lighting(photo):
    values, vectors = np.array([1., 2, 3]), np.arange(9).reshape(3, 3) / 9
    same = adjust_lighting(photo, values, vectors, alphastd=0)
    np.testing.assert_array_equal(same, photo[..., ::-1])
    np.testing.assert_array_equal(adjust_lighting(photo, values, vectors, 0, to_rgb=False), photo)
    np.random.seed(5)
    lit = adjust_lighting(photo, values, vectors, alphastd=0.5)
    np.random.seed(5)
    noise = np.random.normal(0, 0.5, 3)
    expected = [sum(vectors[row, k] * noise[k] * values[k] for k in range(3)) for row in range(3)]
    np.testing.assert_allclose(lit - same, np.broadcast_to(expected, photo.shape), atol=1e-9)


@pytest.mark.parametrize(('call', 'kind', 'message'), [
    (lambda img: adjust_hue(img, 0.6), ValueError, 'not from -0.5 to 0.5'),
    (lambda img: adjust_hue('x', 0.1), TypeError, r'an array \[H, W, 3\]'),
    (lambda img: adjust_hue(img, 0.1, backend='x'), ValueError, "backend 'x'.*cv2, pillow"),
    (lambda img: adjust_brightness(img / 2, backend='pillow'), AssertionError, 'not float64'),
    (lambda img: adjust_color(img[..., 0], backend='pillow'), AssertionError, 'choose cv2'),
    (lambda img: adjust_sharpness(img, kernel=[[1]]), AssertionError, r'an array \[h, w\]'),
    (lambda img: adjust_sharpness(img, kernel=np.ones(3)), AssertionError, r'an array \[h, w\]'),
    (lambda img: adjust_lighting(img, [1], np.ones((3, 1))), AssertionError, 'must be arrays'),
    (lambda img: adjust_lighting(img, np.ones(2), np.ones((3, 3))), AssertionError, r'\(3, 3\)'),
])
def test_wrong_arguments_are_explained(photo, call, kind, message):
    with pytest.raises(kind, match=message) as error:
        call(photo)
    assert isinstance(error.value, ConfigError)


def test_pillow_has_no_gamma(photo, caplog):
    adjust_color(photo, 0.5, gamma=3, backend='pillow')
    assert 'pillow ignores gamma' in caplog.text
