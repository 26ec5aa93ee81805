"""Images of any type as pictures of three bytes a pixel."""
import numpy as np
import pytest

from mmcv_replace.image import to_displayable
from mmcv_replace.image.display import show_first
from mmcv_replace.utils.errors import ConfigError, DataError


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


def test_chosen_bands_of_bytes_stay_as_they_are():
    img = bytes_of(6)
    assert np.array_equal(to_displayable(img, (5, 0, 3)), img[..., [3, 0, 5]])  # red is the last
    assert np.array_equal(to_displayable(img, [4]), img[..., [4, 4, 4]])
    assert np.array_equal(to_displayable(img[..., 2], (0,)), img[..., [2, 2, 2]])


@pytest.mark.parametrize('kind', [np.uint16, np.float32, np.float64])
def test_chosen_bands_are_stretched_by_percentiles(kind):
    img = (np.random.default_rng(0).random((50, 40, 4)) * [100, 3000, 1, 20]).astype(kind) + 7
    img[0, 0] = 60000  # one bright pixel does not darken the rest
    shown = to_displayable(img, (1, 3, 0))
    for place, band in enumerate((0, 3, 1)):
        low, high = np.percentile(img[..., band].astype(float), (2, 98))
        share = (img[..., band].astype(float) - low) / (high - low)
        expected = np.clip(np.round(share * 255), 0, 255)
        assert np.abs(shown[..., place] - expected).max() <= 1
        assert shown[..., place].min() == 0
        assert shown[..., place].max() == 255


def test_bands_without_contrast_or_with_what_is_no_number():
    flat = np.full((4, 5, 1), 3000, np.uint16)
    assert (to_displayable(flat, (0,)) == 0).all()
    flat[0, 0] = 4000  # too few to count in the percentiles
    assert to_displayable(flat, (0,))[0, 0].tolist() == [255] * 3
    holes = np.array([[np.nan, -np.inf, np.inf, 0, 1]], np.float32)
    assert to_displayable(holes, (0,))[0, :, 0].tolist() == [0, 0, 255, 0, 255]
    assert (to_displayable(np.full((2, 2), np.nan), (0,)) == 0).all()


@pytest.mark.parametrize('bands', [(0, 1), (0, 1, 6), (-1,), ()])
def test_bands_that_an_image_lacks(bands):
    with pytest.raises(ConfigError, match='give one or three numbers of bands of the image, which '
                                          'are 0 to 5'):
        to_displayable(bytes_of(6), bands)


@pytest.mark.parametrize(('channels', 'bands'), [(1, (0,)), (2, (0,)), (3, (0, 1, 2)),
                                                 (9, (0, 1, 2))])
def test_the_bands_that_are_shown_unless_told(channels, bands):
    assert show_first(channels) == bands
