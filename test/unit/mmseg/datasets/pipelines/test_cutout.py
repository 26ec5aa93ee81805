"""Errors and options of RandomCutOut; its values: test_registry."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError

from .step_cases import make_sample


@pytest.mark.parametrize(('options', 'match'), [
    (dict(prob=2), 'prob=2: give a number from 0 to 1'),
    (dict(cutout_ratio=(0.1, 0.1)), 'give either cutout_shape or cutout_ratio'),
    (dict(cutout_shape=None), 'give either cutout_shape or cutout_ratio'),
    (dict(n_holes=(3, 1)), r'n_holes=\(3, 1\): give a whole number, or \(fewest, most\)'),
    (dict(n_holes=10**9), 'n_holes=1000000000: .*, up to 10000'),
    (dict(n_holes=-1), 'n_holes=-1: give a whole number'),
    (dict(cutout_shape=(5, 0)), r'cutout_shape=\(5, 0\): give \(width, height\)'),
    (dict(cutout_shape=[(5, 5), (3,)]), r'cutout_shape=.*: give \(width, height\)'),
    (dict(cutout_shape=None, cutout_ratio=(0.5, 1.5)), 'cutout_ratio=.*: give 2 numbers from 0'),
    (dict(fill_in=()), 'fill_in=.*: give a number, or one a channel'),
    (dict(seg_fill_in=256), 'seg_fill_in=256: give a number from 0 to 255')])
def test_settings(build, options, match):
    with pytest.raises(ConfigError, match=f'RandomCutOut: {match}'):
        build('RandomCutOut', **{**dict(prob=1.0, n_holes=1, cutout_shape=(5, 5)), **options})


def test_a_colour(build):
    step = build('RandomCutOut', prob=1.0, n_holes=4, cutout_shape=(9, 9), fill_in=(1, 2, 3))
    sample = make_sample()
    before = sample['img'].copy()
    img = step(sample)['img']
    changed = (img != before).any(axis=2)
    assert changed.any()
    assert (img[changed] == (1, 2, 3)).all()
    with pytest.raises(ConfigError, match=r'fill_in=\(1, 2, 3\) does not fit an image of shape'):
        step(make_sample(channels=5))


@pytest.mark.parametrize(('value', 'expected'), [(300, 255), (-1, 0), ((300, 4, 0), (255, 4, 0))])
def test_a_fill_is_within_the_limits_of_the_image(build, value, expected):
    step = build('RandomCutOut', prob=1.0, n_holes=1, cutout_ratio=(1.0, 1.0), fill_in=value)
    np.random.seed(0)
    assert (step(make_sample())['img'][-1, -1] == expected).all()


@pytest.mark.parametrize(('label', 'refused'), [(9, True), (255, False), (3, False)])
def test_a_label_that_is_no_class(build, label, refused):
    step = build('RandomCutOut', prob=1.0, n_holes=1, cutout_shape=(5, 5), seg_fill_in=label)
    sample = dict(make_sample(), ignore_index=255, num_classes=5)
    if not refused:
        assert (step(sample)['gt_semantic_seg'] == label).any()
        return
    with pytest.raises(ConfigError, match='seg_fill_in=9 is none of the 5 classes'):
        step(sample)


def test_labels_stay_by_default(build):
    sample = make_sample()
    before = sample['gt_semantic_seg'].copy()
    results = build('RandomCutOut', prob=1.0, n_holes=9, cutout_ratio=(0.5, 0.5))(sample)
    np.testing.assert_array_equal(results['gt_semantic_seg'], before)
