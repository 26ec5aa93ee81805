import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcv_replace.image import auto_contrast, clahe, imequalize
from mmcv_replace.utils.errors import ConfigError


@pytest.fixture
def images(photo, label):
    big = np.random.RandomState(3).normal(110, 40, (200, 150, 3)).clip(0, 255).astype(np.uint8)
    return photo, big, big // 3 + 40, np.zeros_like(photo), label


def test_imequalize_is_that_of_pillow(images):
    for img in images:
        expected = np.array(ImageOps.equalize(Image.fromarray(img)))
        np.testing.assert_array_equal(imequalize(img), expected)


@pytest.mark.parametrize('cutoff', [0, 3, 10.5, (5, 20), (0, 30)])
def test_auto_contrast_is_that_of_pillow(images, cutoff):
    for img in images:
        # Pillow multiplies and shifts in another order: rounding may differ by one.
        expected = np.array(ImageOps.autocontrast(Image.fromarray(img), cutoff))
        assert np.abs(auto_contrast(img, cutoff).astype(int) - expected).max() <= 1


def test_other_types_stay(photo):
    for function in (imequalize, auto_contrast):
        wide = function(photo.astype(np.uint16))
        assert wide.dtype == np.uint16
        np.testing.assert_array_equal(wide, function(photo))
        with pytest.raises(ConfigError, match='needs values from 0 to 255'):
            function(np.full((3, 3, 3), 256))


def test_channels_are_stretched_by_themselves():
    img = np.zeros((2, 2, 3), np.uint8)
    img[0, 0] = 10, 100, 200
    assert (auto_contrast(img).max(axis=(0, 1)) >= 254).all()


@pytest.mark.parametrize(('call', 'message'), [
    (lambda img: auto_contrast(img, [1, 2]), r'cutoff=\[1, 2\]: give a number'),
    (lambda img: clahe(img), r'one channel \[H, W\], not \[37, 52, 3\]'),
    (lambda img: clahe(img[..., 0], 'x'), "clip_limit='x' is no number"),
    (lambda img: clahe(img[..., 0], tile_grid_size=[8, 8]), r'tile_grid_size=\[8, 8\] is no tuple'),
    (lambda img: clahe(img[..., 0], tile_grid_size=(8., 8.)), 'no tuple of two whole numbers'),
])
def test_wrong_arguments_are_explained(photo, call, message):
    with pytest.raises(AssertionError, match=message) as error:
        call(photo)
    assert isinstance(error.value, ConfigError)
