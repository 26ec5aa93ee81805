"""Moments in one pass, against two passes over all pixels in float64."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.doctor import moments
from mmseg.datasets.doctor.moments import moments_of


def two_passes(images):
    """Mean and std [C] of all pixels together."""
    pixels = np.concatenate([img.reshape(-1, img.shape[2] if img.ndim == 3 else 1)
                             for img in images]).astype(np.float64)
    mean = pixels.mean(axis=0)
    return mean, np.sqrt(((pixels - mean) ** 2).mean(axis=0))


def images(dtype, bands, offset=0, spread=1.0):
    random = np.random.default_rng(bands)
    shapes = [(11, 13), (1, 1), (40, 7), (64, 64)]
    made = [random.normal(offset + number, spread, (*shape, bands) if bands else shape)
            for number, shape in enumerate(shapes)]
    if np.dtype(dtype).kind in 'ui':
        info = np.iinfo(dtype)
        made = [np.clip(img, max(info.min, -2.0**53), min(info.max, 2.0**53)) for img in made]
    return [img.astype(dtype) for img in made]


def check(series):
    total = None
    for img in series:
        part = moments_of(img)
        total = part if total is None else total + part
    mean, std = two_passes(series)
    np.testing.assert_allclose(total.mean, mean, rtol=1e-10, atol=1e-10 * std.max())
    np.testing.assert_allclose(total.std, std, rtol=1e-10)
    flat = [img.reshape(-1, len(mean)) for img in series]
    np.testing.assert_array_equal(total.low, np.min([each.min(0) for each in flat], 0))
    np.testing.assert_array_equal(total.high, np.max([each.max(0) for each in flat], 0))
    assert total.count == sum(map(len, flat))


@pytest.mark.parametrize('bands', [0, 1, 3, 5, 12])
@pytest.mark.parametrize(('dtype', 'offset', 'spread'), [
    (np.uint8, 120, 60), (np.uint16, 30000, 9000), (np.int16, -200, 500), (np.int32, 10**8, 10**6),
    (np.uint64, 2.0**40, 1e9), (np.float16, 0.2, 0.1), (np.float32, 0.02, 0.01),
    (np.float64, -3.0, 2.0)])
@pytest.mark.parametrize('block', [7, 2**18])
def test_one_pass_is_as_exact_as_two(monkeypatch, dtype, offset, spread, bands, block):
    monkeypatch.setattr(moments, 'BLOCK', block)
    check(images(dtype, bands, offset, spread))


def test_far_from_zero_nothing_is_lost(monkeypatch):
    """The mean square minus the square of the mean would leave no digit here."""
    monkeypatch.setattr(moments, 'BLOCK', 64)
    series = images(np.float64, 3, 1e9, 1e-2)
    assert abs((series[0]**2).mean() - series[0].mean()**2 - 1e-4) > 5e-5
    check(series)


def test_masks_of_one_bit_have_moments():
    part = moments_of(np.array([[True, False], [True, True]]))
    assert (part.mean.item(), part.count) == (0.75, 4)


def test_a_constant_image_has_no_deviation():
    assert moments_of(np.full((50, 70, 3), 0.1)).std == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(('img', 'message'), [
    (np.zeros((2, 2), complex), 'values of type complex128, which have no mean'),
    (np.zeros((0, 3, 3)), r'the image of the shape \(0, 3, 3\) has no pixel'),
    (np.array([[[1, np.nan, 1], [1, np.inf, -np.inf]]]),
     r'3 of its 6 values are infinite or no numbers \(in band 1, 2\)'),
])
def test_images_without_moments_are_refused(img, message):
    with pytest.raises(DataError, match=message):
        moments_of(img)
