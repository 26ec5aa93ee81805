import numpy as np
import pytest

from mmcv_replace.image import (
    adjust_brightness,
    adjust_color,
    adjust_contrast,
    clahe,
    imdenormalize,
    imnormalize,
    imnormalize_,
    imnormalize_chw,
    lut_transform,
    posterize,
    solarize,
    split_channels,
)
from mmcv_replace.utils.errors import ConfigError

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
GRAY = np.array([0.114, 0.587, 0.299])  # of B, G, R


@pytest.mark.parametrize('to_rgb', [True, False])
def test_imnormalize(photo, to_rgb):
    expected = ((photo[..., ::-1] if to_rgb else photo) - np.array(MEAN)) / STD
    before = photo.copy()

    normalized = imnormalize(photo, MEAN, STD, to_rgb)

    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized, expected, atol=1e-6)
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize('to_rgb', [True, False])
def test_bytes_are_normalized_as_floats_are(photo, to_rgb):
    expected = imnormalize(photo.astype(np.float32), MEAN, STD, to_rgb)

    np.testing.assert_array_equal(imnormalize(photo, MEAN, STD, to_rgb), expected)
    planes = imnormalize_chw(photo, MEAN, STD, to_rgb)
    np.testing.assert_array_equal(planes, expected.transpose(2, 0, 1))
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous


def test_one_value_is_that_of_all_channels(photo):
    expected = (photo.transpose(2, 0, 1).astype(np.float32) - 120) / 60
    for normalized in (imnormalize_chw(photo, [120.0], [60.0], False),
                       imnormalize(photo, [120.0], [60.0], False).transpose(2, 0, 1)):
        np.testing.assert_allclose(normalized, expected, atol=1e-6)


@pytest.mark.parametrize('pad_val', [0, -1.5, (1, 2, 3)])
def test_planes_are_padded_at_the_right_and_bottom(photo, pad_val):
    inner = photo[3:30, 4:44]
    expected = np.empty((30, 48, 3), np.float32)
    expected[...] = pad_val
    expected[:27, :40] = imnormalize(inner, MEAN, STD)

    planes = imnormalize_chw(inner, MEAN, STD, shape=(30, 48), pad_val=pad_val)

    np.testing.assert_array_equal(planes, expected.transpose(2, 0, 1))


@pytest.mark.parametrize('reverse', [True, False])
def test_split_channels(photo, reverse):
    for img in (photo, photo[5:, 7:30]):
        planes = split_channels(img, reverse)
        padded = split_channels(img, reverse, (40, 60))

        expected = img.transpose(2, 0, 1)[::-1 if reverse else 1]
        np.testing.assert_array_equal(planes, expected)
        np.testing.assert_array_equal(padded[:, :img.shape[0], :img.shape[1]], expected)
        assert padded.shape == (3, 40, 60)
        assert padded.sum(dtype=int) == expected.sum(dtype=int)
        assert planes.flags.c_contiguous


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_imnormalize_keeps_the_axis_of_a_single_channel(photo, dtype):
    gray = photo[..., :1].astype(dtype)
    result = imnormalize(gray, [100.], [50.], to_rgb=False)
    assert result.shape == gray.shape
    np.testing.assert_allclose(result, (gray.astype(float) - 100) / 50, atol=1e-6)


def test_imnormalize_takes_views_and_floats(photo):
    expected = imnormalize(photo, MEAN, STD)

    np.testing.assert_array_equal(imnormalize(photo.astype(np.float64), MEAN, STD), expected)
    np.testing.assert_array_equal(imnormalize(photo[:, ::-1], MEAN, STD), expected[:, ::-1])
    np.testing.assert_array_equal(
        imnormalize(photo.transpose(1, 0, 2), MEAN, STD), expected.transpose(1, 0, 2))


def test_imnormalize_in_place(photo):
    img = photo.astype(np.float32)

    assert imnormalize_(img, MEAN, STD) is img
    np.testing.assert_array_equal(img, imnormalize(photo, MEAN, STD))
    with pytest.raises(AssertionError):
        imnormalize_(photo, MEAN, STD)


@pytest.mark.parametrize('swap', [True, False])
def test_imdenormalize_undoes_imnormalize(photo, swap):
    normalized = imnormalize(photo, MEAN, STD, to_rgb=swap)

    np.testing.assert_allclose(imdenormalize(normalized, MEAN, STD, to_bgr=swap), photo, atol=1e-4)


def test_lut_transform(photo):
    table = np.random.RandomState(0).permutation(256).astype(np.uint8)

    np.testing.assert_array_equal(lut_transform(photo, table), table[photo])


def test_clahe_raises_the_contrast_locally():
    flat = np.random.RandomState(0).randint(100, 121, (64, 64)).astype(np.uint8)

    assert clahe(flat).std() > 3 * flat.std()
    assert clahe(flat, clip_limit=1.0).std() < clahe(flat).std()
    assert not np.array_equal(clahe(flat, tile_grid_size=(2, 2)), clahe(flat))


@pytest.mark.parametrize('thr', [0, 100, 128, 256])
def test_solarize(photo, thr):
    expected = [value if value < thr else 255 - value for value in photo.ravel().tolist()]

    np.testing.assert_array_equal(solarize(photo, thr).ravel(), expected)


@pytest.mark.parametrize('bits', range(9))
def test_posterize(photo, bits):
    step = 2 ** (8 - bits)

    np.testing.assert_array_equal(posterize(photo, bits), photo // step * step if bits else 0)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
@pytest.mark.parametrize(('alpha', 'beta', 'gamma'), [
    (0, None, 0), (0.5, None, 0), (1, None, 0), (2, None, 0), (0.5, 0.7, 20)])
def test_adjust_color(photo, dtype, alpha, beta, gamma):
    gray = (photo @ GRAY)[..., None]
    weight = 1 - alpha if beta is None else beta

    adjusted = adjust_color(photo.astype(dtype), alpha, beta, gamma)

    expected = np.clip(alpha * photo.astype(float) + weight * gray + gamma, 0, 255)
    np.testing.assert_allclose(adjusted, expected, atol=1.6)
    assert adjusted.dtype == dtype


@pytest.mark.parametrize('factor', [0, 0.4, 1, 1.8])
def test_adjust_brightness(photo, factor):
    expected = np.clip(photo * factor, 0, 255)

    np.testing.assert_allclose(adjust_brightness(photo, factor), np.floor(expected), atol=1)
    np.testing.assert_allclose(adjust_brightness(photo.astype(np.float32), factor), expected,
                               rtol=1e-5)


@pytest.mark.parametrize('factor', [0, 0.4, 1, 1.8])
def test_adjust_contrast(photo, factor):
    mean = (photo @ GRAY).mean()
    expected = np.clip(photo * factor + mean * (1 - factor), 0, 255)

    np.testing.assert_allclose(adjust_contrast(photo, factor), expected, atol=1.6)


@pytest.mark.parametrize('change', [
    lambda img: clahe(img.astype(np.int32), 2.0), lambda img: lut_transform(img, TABLE),
    lambda img: adjust_color(np.dstack([img] * 3), 0.5), lambda img: adjust_brightness(img, 0.5),
    lambda img: adjust_contrast(np.dstack([img] * 3), 0.5), solarize,
    lambda img: posterize(img, 4)])
@pytest.mark.parametrize('value', [256, 65535])
def test_integers_that_a_byte_cannot_hold_are_refused(change, value):
    img = np.zeros((16, 16), np.uint16)
    change(img + 255)
    img[3, 5] = value

    with pytest.raises(ConfigError, match=rf'needs values from 0 to 255, not u?int\d+ from 0 to '
                                          rf"{value}: .*color_type='color'"):
        change(img)


@pytest.mark.parametrize(('scale', 'told'), [(1 / 255, True), (1, False), (0, False)])
def test_values_up_to_one_lose_all_but_two_steps(gradient_floats, scale, told, caplog):
    clahe(gradient_floats * scale, 2.0)
    assert ('CLAHE rounds values from 0 to 1 to whole ones' in caplog.text) is told


@pytest.fixture
def gradient_floats():
    return np.arange(256, dtype=np.float32).reshape(16, 16)


TABLE = np.arange(256, dtype=np.uint8)[::-1].copy()


def test_floats_are_rounded_to_the_entries_of_a_table():
    img = np.array([[0.4, 0.6, 254.5, 254.6, 255]], np.float32)

    np.testing.assert_array_equal(lut_transform(img, TABLE), [[255, 254, 1, 0, 0]])
