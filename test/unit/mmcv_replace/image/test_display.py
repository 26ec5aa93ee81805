"""Images of any type as pictures of three bytes a pixel."""
import numpy as np
import pytest

from mmcv_replace.image import to_displayable
from mmcv_replace.utils.errors import DataError


def bytes_of(channels=3):
    img = np.random.default_rng(0).integers(0, 256, (6, 7, channels), np.uint8)
    img[0, 0], img[0, 1] = 0, 255
    return img


def test_a_picture_stays_itself():
    img = bytes_of()
    assert np.shares_memory(to_displayable(img), img)


@pytest.mark.parametrize(('channels', 'shown'), [
    (1, [0, 0, 0]), (2, [0, 0, 0]), (4, [0, 1, 2]), (5, [0, 1, 2]), (12, [0, 1, 2])])
def test_channels(channels, shown):
    img = bytes_of(channels)
    assert np.array_equal(to_displayable(img), img[..., shown])
    assert np.array_equal(to_displayable(img.astype(np.float32)), img[..., shown])


def test_grey():
    img = bytes_of(1)
    assert np.array_equal(to_displayable(img[..., 0]), img.repeat(3, axis=2))


@pytest.mark.parametrize('convert', [
    lambda img: img.astype(np.float32),
    lambda img: img.astype(np.float16),
    lambda img: img + np.float64(1e-5) * np.where(img > 99, 1, -1),  # as after denormalising
    lambda img: img.astype(np.float32) / 255,
    lambda img: img.astype(np.uint16),
    lambda img: img.astype(np.int64),
    lambda img: img.astype(np.uint16) * 257,
    lambda img: img.astype(np.int32) * 3 - 300,
    lambda img: img.astype(np.float32) / 40 - 2,  # as after normalising
    lambda img: img.astype(np.float64) / 50 + 1])
def test_values_of_every_type_look_like_the_bytes(convert):
    img = bytes_of()
    assert np.array_equal(to_displayable(convert(img)), img)


@pytest.mark.parametrize(('value', 'expected'), [
    (np.zeros((2, 2)), 0), (np.full((2, 2), 200.25), 200), (np.full((2, 2), 3, np.uint16), 3),
    (np.full((2, 2), 40000, np.uint16), 0), (np.ones((2, 2), bool), 255),
    (np.full((2, 2), np.nan), 0)])
def test_flat_images(value, expected):
    assert (to_displayable(value) == expected).all()


def test_what_is_no_number_takes_an_end_of_the_scale():
    img = np.array([[0.0, 255, 90], [np.nan, np.inf, -np.inf]])
    assert to_displayable(img)[..., 1].tolist() == [[0, 255, 90], [0, 255, 0]]


@pytest.mark.parametrize('shape', [(4,), (2, 4, 5, 3), (0, 4, 3), (4, 5, 0)])
def test_what_is_no_image(shape):
    with pytest.raises(DataError, match='is no image to show: give'):
        to_displayable(np.zeros(shape))
