from functools import partial

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines import PhotoMetricDistortion, distortion


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


@pytest.mark.parametrize('quick', [True, False])
@pytest.mark.parametrize('options', [dict(beta=3.7), dict(beta=-3.7), dict(beta=0.0), dict(beta=-4),
                                     dict(beta=200.5), dict(alpha=0.5), dict(alpha=1.3),
                                     dict(alpha=1.0), dict(alpha=0.0), dict(alpha=250.1)])
def test_quick_forms_give_the_values_of_the_rule(sample, monkeypatch, options, quick):
    """Of which one is left out where it would not."""
    step = PhotoMetricDistortion()
    if not quick:
        monkeypatch.setattr(distortion, '_quick_form', lambda **options: lambda img: img // 2 + 9)
    img = sample()['img']
    expected = np.clip(np.float32(img) * options.get('alpha', 1) + options.get('beta', 0),
                       0, 255).astype(np.uint8)
    change = partial(step.convert, **options)
    for part, values in ((img, expected), (img[3:9, 5:7], expected[3:9, 5:7]),
                         (img[..., 1], expected[..., 1])):
        np.testing.assert_array_equal(step._new_values(part, change), values)


def test_changes_of_the_usual_ranges_have_a_quick_form(monkeypatch):
    """Nearly all: where one has a tie that is rounded the other way, a table takes its place."""
    tables = []
    monkeypatch.setattr(distortion.cv2, 'LUT', lambda img, table: tables.append(table) or img)
    random = np.random.RandomState(0)
    step = PhotoMetricDistortion()
    for _ in range(100):
        for options in (dict(beta=random.uniform(-32, 32)), dict(alpha=random.uniform(0.5, 1.5))):
            step._new_values(np.zeros((2, 2, 3), np.uint8), partial(step.convert, **options))
    assert len(tables) < 10
