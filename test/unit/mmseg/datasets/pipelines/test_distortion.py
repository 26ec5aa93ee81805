import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines import PhotoMetricDistortion


@pytest.mark.parametrize('what', ['brightness', 'contrast', 'saturation', 'hue'])
def test_one_property_can_be_changed_alone(build, sample, what):
    step = build('PhotoMetricDistortion')
    changed = []
    for seed in range(20):
        np.random.seed(seed)
        draw = np.random.randint(2)
        np.random.seed(seed)
        img = getattr(step, what)(sample()['img'])
        changed.append(not np.array_equal(img, sample()['img']))
        assert changed[-1] <= draw
    assert any(changed)


@pytest.mark.parametrize('img', [
    np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1), np.uint8)])
def test_images_of_another_kind_are_refused(build, img):
    with pytest.raises(ConfigError, match=r'needs a uint8 image \[H, W, 3\], not .*Normalize'):
        build('PhotoMetricDistortion')(dict(img=img))


@pytest.mark.parametrize('what', ['brightness', 'contrast', 'saturation', 'hue'])
@pytest.mark.parametrize('seed', range(4))
def test_a_subclass_can_override_one_change(sample, what, seed):
    def darken(self, img):
        return getattr(PhotoMetricDistortion, what)(self, img) // 2

    np.random.seed(seed)
    step = type('Own', (PhotoMetricDistortion,), {what: darken})()
    result = step(sample())
    np.random.seed(seed)  # in plain form, with the draws in the order of mmsegmentation
    img = step.brightness(sample()['img'])
    last = np.random.randint(2) == 0
    for name in ('saturation', 'hue', 'contrast') if last else ('contrast', 'saturation', 'hue'):
        img = getattr(step, name)(img)
    np.testing.assert_array_equal(result['img'], img)
    np.testing.assert_array_equal(result['gt_semantic_seg'], sample()['gt_semantic_seg'])
