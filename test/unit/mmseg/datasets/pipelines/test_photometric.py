import numpy as np
import pytest

from mmcv_replace.image import clahe
from mmcv_replace.utils.errors import ConfigError

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.mark.parametrize('to_rgb', [True, False])
def test_normalize(build, sample, to_rgb):
    results = build('Normalize', mean=MEAN, std=STD, to_rgb=to_rgb)(sample())

    img = sample()['img'][..., ::-1] if to_rgb else sample()['img']
    np.testing.assert_allclose(results['img'], (img - np.array(MEAN)) / STD, atol=1e-6)
    assert results['img'].dtype == np.float32
    norm = results['img_norm_cfg']
    np.testing.assert_allclose(norm['mean'], MEAN)
    np.testing.assert_allclose(norm['std'], STD)
    assert norm['to_rgb'] is to_rgb


def test_normalize_refuses_to_divide_by_zero(build):
    with pytest.raises(ConfigError, match=r'std=\[1, 0, 1\]: every value must be positive'):
        build('Normalize', mean=MEAN, std=[1, 0, 1])


@pytest.mark.parametrize(('low', 'high'), [(0, 255), (-1, 1)])
def test_rerange(build, sample, low, high):
    img = sample()['img'].astype(np.float64)

    stretched = build('Rerange', min_value=low, max_value=high)(sample())['img']

    expected = (img - img.min()) / (img.max() - img.min()) * (high - low) + low
    np.testing.assert_allclose(stretched, expected, rtol=1e-5, atol=1e-5)


def test_rerange_of_an_image_of_one_value(build):
    img = np.full((3, 4, 3), 7, np.uint8)

    assert (build('Rerange', min_value=2)(dict(img=img))['img'] == 2).all()


def test_rerange_needs_a_range(build):
    with pytest.raises(ConfigError, match='min_value=3 must be below max_value=3'):
        build('Rerange', min_value=3, max_value=3)


def test_clahe_treats_each_channel(build, sample):
    img = sample()['img']
    results = build('CLAHE', clip_limit=3.0, tile_grid_size=(4, 2))(sample())
    gray = build('CLAHE')(dict(img=img[..., 0]))

    for channel in range(3):
        np.testing.assert_array_equal(results['img'][..., channel],
                                      clahe(img[..., channel], 3.0, (4, 2)))
    np.testing.assert_array_equal(gray['img'], clahe(img[..., 0], 40.0, (8, 8)))
    with pytest.raises(ConfigError, match=r'tile_grid_size=\(1, 2, 3\): give'):
        build('CLAHE', tile_grid_size=(1, 2, 3))


def test_rgb2gray(build, sample):
    expected = (sample()['img'] * np.array([0.299, 0.587, 0.114])).sum(2)

    same = build('RGB2Gray')(sample())
    one = build('RGB2Gray', out_channels=1, weights=(0.5, 0.5, 0))(sample())

    np.testing.assert_allclose(same['img'], np.dstack([expected] * 3))
    assert same['img_shape'] == same['ori_shape'] == (40, 56, 3)
    np.testing.assert_allclose(one['img'][..., 0], sample()['img'][..., :2].mean(2))
    assert one['img_shape'] == one['ori_shape'] == (40, 56, 1)


def test_rgb2gray_keeps_the_original_size(build, sample):
    resized = build('Resize', img_scale=(112, 90))(sample())

    assert build('RGB2Gray', out_channels=1)(resized)['ori_shape'] == (40, 56, 1)


def test_wrong_gray_is_explained(build, sample):
    with pytest.raises(ConfigError, match='out_channels=0: give 1 or more'):
        build('RGB2Gray', out_channels=0)
    with pytest.raises(ConfigError, match=r'2 weights do not fit an image of shape \(40, 56, 3\)'):
        build('RGB2Gray', weights=(1, 2))(sample())


@pytest.mark.parametrize('gamma', [0.5, 1.0, 2.2])
def test_adjust_gamma(build, sample, gamma):
    adjusted = build('AdjustGamma', gamma=gamma)(sample())['img']

    expected = 255 * (sample()['img'] / 255.0) ** (1 / gamma)
    assert adjusted.dtype == np.uint8
    assert np.abs(adjusted - expected).max() <= 1
    with pytest.raises(ConfigError, match='gamma=0 must be positive'):
        build('AdjustGamma', gamma=0)
