import numpy as np
import pytest

from mmcv_replace.image import clahe, imdenormalize
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines.device_normalize import DeviceNormalize
from mmseg.datasets.pipelines.normalize import CHWNormalize, Normalize

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


def test_normalize_of_other_channels_than_the_image_has(build, sample):
    with pytest.raises(ConfigError, match='to_rgb, which is on by default, takes three channels'):
        build('Normalize', mean=[1, 2, 3, 4], std=[1] * 4)
    img = sample()['img']
    for image, message in ((np.dstack([img, img]), 'has 6 channels'), (img[..., 0], '1 channel:')):
        for step in (build('Normalize', mean=MEAN, std=STD),
                     CHWNormalize(Normalize(MEAN, STD))):
            with pytest.raises(ConfigError, match=rf'mean and std have 3 values, .* {message}.*'
                               'give a value for each, and to_rgb=False'):
                step(dict(img=image))


@pytest.mark.parametrize('make', [
    CHWNormalize, lambda normalize: DeviceNormalize(normalize, None, None, None)])
def test_more_values_than_channels_are_not_dropped(sample, make):
    with pytest.raises(ConfigError, match='have 4 values, the image .* has 3 channels'):
        make(Normalize([1, 2, 3, 4], [1] * 4, to_rgb=False))(dict(img=sample()['img']))


@pytest.mark.parametrize(('low', 'high'), [(0, 255), (-1, 1)])
def test_rerange(build, sample, low, high):
    img = sample()['img'].astype(np.float64)

    stretched = build('Rerange', min_value=low, max_value=high)(sample())['img']

    expected = (img - img.min()) / (img.max() - img.min()) * (high - low) + low
    np.testing.assert_allclose(stretched, expected, rtol=1e-5, atol=1e-5)


def test_rerange_of_an_image_of_one_value(build):
    img = np.full((3, 4, 3), 7, np.uint8)

    assert (build('Rerange', min_value=2)(dict(img=img))['img'] == 2).all()


def test_rerange_of_integers_whose_range_does_not_fit_their_type(build):
    img = np.array([[-30000, 0, 30000]], np.int16)

    stretched = build('Rerange')(dict(img=img))['img']

    np.testing.assert_allclose(stretched, [[0, 127.5, 255]])


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


def test_clahe_of_floats_and_of_one_channel_with_an_axis_of_its_own(build, sample):
    """0.299 v + 0.587 v + 0.114 v is a little less than v, and is v all the same."""
    img = sample()['img'].astype(np.float32)
    grey = np.dstack([sample()['img'][..., 0]] * 3)
    expected = clahe(grey[..., 0], 40.0, (8, 8))

    floats = build('CLAHE')(dict(img=img))['img']
    gray = build('CLAHE')(build('RGB2Gray', out_channels=1)(
        dict(img=grey, ori_shape=grey.shape)))['img']

    np.testing.assert_array_equal(floats, build('CLAHE')(sample())['img'])
    np.testing.assert_array_equal(gray, expected[..., None])


def test_clahe_of_16_bits_uses_all_of_them(build, sample):
    deep = sample()['img'].astype(np.uint16) * 257

    results = build('CLAHE')(dict(img=deep))['img']

    assert results.dtype == np.uint16
    assert len(np.unique(results)) > 256
    np.testing.assert_array_equal(results[..., 0], clahe(deep[..., 0], 40.0, (8, 8)))


@pytest.mark.parametrize('step', ['CLAHE', 'AdjustGamma'])
@pytest.mark.parametrize(('value', 'told'), [
    (300.0, 'float32 from 0 to 300'), (-1.0, 'float32 from -1 to 0'), (np.nan, 'float32 from nan')])
def test_values_beyond_a_byte_are_refused(build, step, value, told):
    img = np.zeros((16, 16, 3), np.float32)
    img[..., 1] = 0
    img[3, 4] = value

    with pytest.raises(ConfigError, match=f'needs values from 0 to 255, not {told}.*Normalize'):
        build(step)(dict(img=img))


def test_normalizing_twice_is_noted_as_one(build, sample):
    """So that an image can be recovered from what the model sees."""
    first = dict(mean=[1.0, 2.0, 3.0], std=[2.0, 4.0, 5.0])
    second = dict(mean=[0.5, -1.0, 2.0], std=[0.5, 2.0, 3.0])
    for to_rgb in ((True, True), (True, False), (False, True), (False, False)):
        results = sample()
        for settings, turned in zip((first, second), to_rgb, strict=True):
            results = build('Normalize', to_rgb=turned, **settings)(results)
        norm = results['img_norm_cfg']

        recovered = imdenormalize(results['img'], norm['mean'], norm['std'], norm['to_rgb'])

        np.testing.assert_allclose(recovered, sample()['img'], atol=1e-3)


def test_rgb2gray(build, sample):
    blue, green, red = np.moveaxis(sample()['img'].astype(float), 2, 0)
    expected = 0.299 * red + 0.587 * green + 0.114 * blue

    same = build('RGB2Gray')(sample())
    one = build('RGB2Gray', out_channels=1, weights=(0.5, 0.5, 0))(sample())

    np.testing.assert_allclose(same['img'], np.dstack([expected] * 3))
    assert same['img_shape'] == same['ori_shape'] == (40, 56, 3)
    np.testing.assert_allclose(one['img'][..., 0], sample()['img'][..., :2].mean(2))
    assert one['img_shape'] == (40, 56, 1)
    assert one['ori_shape'] == (40, 56, 3)  # that of the file


@pytest.mark.parametrize('steps', [0, 1, 2])
def test_rgb2gray_weighs_by_what_the_channels_are_at_its_place(build, steps):
    """Normalize(to_rgb=True) turns BGR to RGB, and a second one turns it back."""
    results = dict(img=np.full((2, 2, 3), (0, 0, 255), np.uint8), ori_shape=(2, 2, 3))
    for _ in range(steps):
        results = build('Normalize', mean=[0] * 3, std=[1] * 3)(results)

    gray = build('RGB2Gray', out_channels=1)(results)['img']

    np.testing.assert_allclose(gray, 0.299 * 255, rtol=1e-6)


def test_rgb2gray_keeps_the_original_shape(build, sample):
    resized = build('Resize', img_scale=(112, 90))(sample())

    assert build('RGB2Gray', out_channels=1)(resized)['ori_shape'] == (40, 56, 3)


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


@pytest.mark.parametrize('kind', ['uint8', 'uint16'])
@pytest.mark.parametrize('channels', [1, 5, 130])
def test_clahe_of_any_number_of_channels(build, kind, channels):
    img = np.random.RandomState(0).randint(0, 256, (40, 56, channels)).astype(kind)
    found = build('CLAHE')(dict(img=img))['img']
    assert found.dtype == kind
    for channel in range(channels):
        np.testing.assert_array_equal(found[..., channel], clahe(
            np.ascontiguousarray(img[..., channel]), 40.0, (8, 8)))


def test_gamma_is_not_for_sixteen_bits(build):
    img = np.full((4, 5, 3), 99, np.uint16)  # refused even where the values would fit
    with pytest.raises(ConfigError, match='AdjustGamma takes 8 bits, not images of 16: put'):
        build('AdjustGamma', gamma=2)(dict(img=img))


@pytest.mark.parametrize('shape', [(4, 5), (4, 5, 5)])
def test_distortion_is_for_three_channels(build, shape):
    with pytest.raises(ConfigError, match='needs a uint8 image.*more bands or bits leave it out'):
        build('PhotoMetricDistortion')(dict(img=np.zeros(shape, np.uint8)))
