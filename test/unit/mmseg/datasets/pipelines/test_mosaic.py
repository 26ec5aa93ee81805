"""Errors of RandomMosaic; its values: test_registry, test_multi_image_mix."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError

from .step_cases import make_sample


@pytest.mark.parametrize(('options', 'match'), [
    (dict(prob=1.5), 'prob=1.5: give a number from 0 to 1'),
    (dict(prob=1.0, img_scale=(0, 9)), 'img_scale=.*: give two whole numbers'),
    (dict(prob=1.0, center_ratio_range=(0.5, 3.0)), 'center_ratio_range=.*: give 2 numbers from 0'),
    (dict(prob=1.0, pad_val=()), 'pad_val=.*: give a number, or one a channel'),
    (dict(prob=1.0, seg_pad_val=256), 'seg_pad_val=256: give a number from 0 to 255')])
def test_settings(build, options, match):
    with pytest.raises(ConfigError, match=f'RandomMosaic: {match}'):
        build('RandomMosaic', **options)


@pytest.mark.parametrize('others', [None, []])
def test_without_other_samples(build, others):
    sample = dict(make_sample(), mix_results=others)
    with pytest.raises(ConfigError, match='needs 3 other samples: put it into the pipeline of'):
        build('RandomMosaic', prob=1.0)(sample)


def test_images_of_two_kinds(build):
    sample = make_sample()
    sample['mix_results'][1]['img'] = sample['mix_results'][1]['img'].astype(np.uint16)
    with pytest.raises(ConfigError, match=r'one type and number of channels: x.jpg has uint8 \[41, '
                                          r'57, 3\], .* has uint16'):
        build('RandomMosaic', prob=1.0)(sample)


def test_a_sample_without_label_maps(build):
    sample = make_sample()
    del sample['mix_results'][2]['gt_extra']
    with pytest.raises(ConfigError, match='x.jpg has no gt_extra, but the sample that it'):
        build('RandomMosaic', prob=1.0)(sample)


def test_the_added_pixels_are_ignored(build):
    sample = dict(make_sample(), ignore_index=254)
    results = build('RandomMosaic', prob=1.0, img_scale=(60, 60),
                    center_ratio_range=(1.0, 1.0))(sample)
    assert (results['gt_semantic_seg'][0] == 254).all()
    assert results['gt_semantic_seg'].shape == (120, 120)


def test_a_label_that_is_no_class(build):
    sample = dict(make_sample(), ignore_index=255, num_classes=5)
    with pytest.raises(ConfigError, match='seg_pad_val=9 is none of the 5 classes'):
        build('RandomMosaic', prob=1.0, seg_pad_val=9)(sample)


@pytest.mark.parametrize(('value', 'expected'), [
    (300, 255), (-1, 0), (7.6, 8), ((300, 4, 0), (255, 4, 0)), ((5, 5, 5), 5)])
def test_a_fill_is_within_the_limits_of_the_image(build, value, expected):
    results = build('RandomMosaic', prob=1.0, img_scale=(60, 60), center_ratio_range=(1.0, 1.0),
                    pad_val=value)(make_sample())
    assert (results['img'][0] == expected).all()


def test_a_fill_of_other_channels(build):
    with pytest.raises(ConfigError, match=r'RandomMosaic: pad_val=\(1, 2, 3\) does not fit'):
        build('RandomMosaic', prob=1.0, pad_val=(1, 2, 3))(make_sample(channels=5))


@pytest.mark.parametrize('ratios', [(0.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
def test_a_point_at_the_border(build, ratios):
    for seed in range(5):
        np.random.seed(seed)
        results = build('RandomMosaic', prob=1.0, img_scale=(20, 30),
                        center_ratio_range=ratios)(make_sample())
        assert results['img'].shape == (40, 60, 3)
