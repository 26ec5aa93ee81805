import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError


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
