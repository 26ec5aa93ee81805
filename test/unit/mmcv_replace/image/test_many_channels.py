"""Functions of OpenCV on more channels than it takes: as on each channel by itself."""
import numpy as np
import pytest

from mmcv_replace.image import imflip, imnormalize, impad, imresize, imrotate
from mmcv_replace.utils.errors import ConfigError

COUNTS = (2, 3, 4, 5, 6, 13, 130)
KINDS = ('uint8', 'uint16', 'float32')


def image(kind, channels):
    return (np.random.default_rng(0).random((33, 41, channels)) * 200).astype(kind)


def each_channel(function, img):
    return np.stack([function(np.ascontiguousarray(img[..., channel]), channel)
                     for channel in range(img.shape[2])], axis=2)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('channels', COUNTS)
@pytest.mark.parametrize('interpolation', ['bilinear', 'nearest'])
def test_imrotate(kind, channels, interpolation):
    img, border = image(kind, channels), tuple(range(channels))
    for value in (border, 7):
        found = imrotate(img, 17, border_value=value, interpolation=interpolation)
        expected = each_channel(lambda part, channel, value=value: imrotate(
            part, 17, border_value=channel if value == border else value,
            interpolation=interpolation), img)
        assert found.dtype == img.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('channels', COUNTS)
@pytest.mark.parametrize(('interpolation', 'size'), [
    ('bilinear', (57, 21)), ('nearest', (57, 21)), ('bicubic', (57, 21)), ('area', (20, 11))])
def test_imresize(kind, channels, interpolation, size):
    img = image(kind, channels)
    found = imresize(img, size, interpolation=interpolation)
    expected = each_channel(lambda part, _: imresize(part, size, interpolation=interpolation), img)
    assert found.dtype == img.dtype
    # OpenCV's ways for one and for several channels round differently.
    near = 0 if interpolation == 'nearest' else 1 if kind != 'float32' else 1e-3
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=near)


@pytest.mark.parametrize('channels', [5, 130])
def test_imresize_to_an_array(channels):
    img = image('uint8', channels)
    out = np.zeros((21, 57, channels), np.uint8)
    found = imresize(img, (57, 21), out=out)
    np.testing.assert_array_equal(out, imresize(img, (57, 21)))
    assert np.shares_memory(found, out)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('channels', COUNTS)
def test_imnormalize(kind, channels):
    img = image(kind, channels)
    mean, std = np.arange(channels) + 3.5, np.arange(channels) + 1.5
    found = imnormalize(img, mean, std, to_rgb=False)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (img.astype(np.float64) - mean) / std, rtol=0, atol=1e-5)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('channels', COUNTS)
def test_exact_ones(kind, channels):
    img = image(kind, channels)
    np.testing.assert_array_equal(imflip(img), img[:, ::-1])
    padded = impad(img, shape=(40, 50), pad_val=tuple(range(channels)))
    np.testing.assert_array_equal(padded[:33, :41], img)
    assert padded[39, 49].tolist() == list(range(channels))


@pytest.mark.parametrize(('channels', 'border'), [
    (2, (1,)), (3, (1, 2)), (5, (1, 2, 3)), (6, (1,) * 5)])
def test_too_few_values_to_fill_with(channels, border):
    with pytest.raises(ConfigError, match=f'the image has {channels} channels: give a number, or '
                                          'one for each'):
        imrotate(image('uint8', channels), 10, border_value=border)
