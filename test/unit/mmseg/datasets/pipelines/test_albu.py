"""What is particular to albumentations; what holds for torchvision too: test_foreign."""
import os
import subprocess
import sys

import numpy as np
import pytest

from mmcv_replace.utils.errors import ArgumentError, ConfigError, ConfigKeyError

from .step_cases import MISSING, make_sample

if 'Albu' in MISSING:
    pytest.skip(MISSING['Albu'], allow_module_level=True)
import albumentations  # noqa: E402  known to load

FLIP = dict(type='HorizontalFlip', p=1.0)


class OfTheirs(albumentations.ImageOnlyTransform):
    """A user's transform."""

    def apply(self, img, **params):
        return img.astype(np.float32)


class Failing(albumentations.ImageOnlyTransform):
    def apply(self, img, **params):
        raise ValueError('my own fault')


class Unbuilt(albumentations.NoOp):
    def __init__(self, number=0):
        raise ValueError('my own fault')


@pytest.mark.parametrize('keymap', [dict(img='image', gt_semantic_seg='mask'),
                                    dict(img='image', gt_semantic_seg='masks'), {}])
def test_label_maps_follow_whatever_the_keymap_names(build, keymap):
    sample = make_sample()
    results = build('Albu', transforms=[FLIP], keymap=keymap)(dict(sample))
    for key in ('img', 'gt_semantic_seg', 'gt_extra'):
        np.testing.assert_array_equal(results[key], sample[key][:, ::-1])
    assert results['depth'] is sample['depth']


@pytest.mark.parametrize('kind', ['float32', 'uint8', 'int64'])
def test_other_maps_of_a_keymap(build, kind):
    sample = make_sample()
    sample['depth'] = (sample['depth'] * 1.001).astype(kind)
    results = build('Albu', transforms=[FLIP], keymap=dict(depth='mask'))(dict(sample))
    assert results['depth'].dtype == kind
    np.testing.assert_array_equal(results['depth'], sample['depth'][:, ::-1])

    sample['seg_fields'] = []
    with pytest.raises(ConfigError, match='pixels of an image without label maps'):
        build('Albu', transforms=[FLIP], keymap=dict(depth='mask'))(dict(sample))
    results = build('Albu', transforms=[dict(type='ToGray', p=1.0)],
                    keymap=dict(depth='mask'))(dict(sample))
    np.testing.assert_array_equal(results['depth'], sample['depth'])


@pytest.mark.parametrize('keymap', [dict(img='mask'), dict(depth='image'), dict(boxes='bboxes')])
def test_a_keymap_of_something_else(build, keymap):
    with pytest.raises(ConfigError, match=r"Albu: keymap has .*'img' is the 'image', and everyt"):
        build('Albu', transforms=[FLIP], keymap=keymap)


def test_a_keymap_with_a_misspelt_key(build):
    step = build('Albu', transforms=[FLIP], keymap=dict(gt_depht='mask'))
    sample = make_sample()
    sample['gt_depth'] = sample.pop('depth')
    with pytest.raises(ConfigKeyError, match="names 'gt_depht', which no .*did you mean 'gt_depth"):
        step(sample)


def test_covered_pixels_keep_their_labels_unless_a_label_is_given(build):
    for options, changed in (({}, set()), (dict(fill_mask=3), {3})):
        sample = make_sample()
        hole = dict(type='CoarseDropout', num_holes_range=(4, 4), hole_height_range=(9, 9),
                    hole_width_range=(9, 9), fill=255, p=1.0, **options)
        results = build('Albu', transforms=[hole])(dict(sample))
        covered = (results['img'] == 255).all(axis=2)
        assert covered.sum() > 50
        differs = results['gt_semantic_seg'] != sample['gt_semantic_seg']
        assert set(np.unique(results['gt_semantic_seg'][differs])) == changed
        assert not differs[~covered].any()


def test_transforms_that_look_at_the_labels(build):
    """They see those of gt_semantic_seg, wherever it stands among the label maps."""
    sample = make_sample()
    sample['seg_fields'].reverse()
    sample['gt_semantic_seg'] = np.zeros((41, 57), np.uint8)
    sample['gt_semantic_seg'][30:, 40:] = 3
    crop = dict(type='CropNonEmptyMaskIfExists', height=8, width=8, p=1.0)
    results = build('Albu', transforms=[crop])(dict(sample))
    assert (results['gt_semantic_seg'] == 3).any()

    cover = dict(type='ConstrainedCoarseDropout', num_holes_range=(1, 1), mask_indices=[3],
                 hole_height_range=(0.9, 1.0), hole_width_range=(0.9, 1.0), fill=255, p=1.0)
    sample['img'] = np.zeros_like(sample['img'])
    results = build('Albu', transforms=[cover])(dict(sample))
    covered = results['img'][..., 0] == 255
    assert covered.any()
    assert covered[30:, 40:].sum() > 0.2 * covered.sum()


def test_an_own_label_of_a_transform_is_kept(build):
    pad = dict(type='PadIfNeeded', min_height=60, min_width=60, fill_mask=2, p=1.0)
    results = build('Albu', transforms=[pad])(make_sample())
    assert results['gt_semantic_seg'].shape == (60, 60)
    assert (results['gt_semantic_seg'][0] == 2).all()


@pytest.mark.parametrize('args', [dict(mask_value=255), dict(value=0)])
def test_arguments_of_former_versions_are_refused(build, args):
    """albumentations only warns, and fills label maps with 0."""
    with pytest.raises(ArgumentError, match=f"'{next(iter(args))}'"):
        build('Albu', transforms=[dict(type='PadIfNeeded', min_height=60, min_width=60, **args)])


@pytest.mark.parametrize(('name', 'match'), [
    ('ToTensorV2', 'DefaultFormatBundle makes tensors'), ('ToFloat', 'Normalize makes floats'),
    ('FromFloat', 'Normalize makes floats'), ('Mosaic', 'RandomMosaic of a MultiImageMixDataset')])
def test_what_other_steps_do(build, name, match):
    with pytest.raises(ConfigError, match=fr'Albu: transforms\[0\] \({name}\): .*{match}'):
        build('Albu', transforms=[dict(type=name)])


def test_transforms_of_users(build):
    built = albumentations.VerticalFlip(p=1.0)
    sample = make_sample()
    results = build('Albu', transforms=[built, dict(type=albumentations.HorizontalFlip, p=1.0)])(
        dict(sample))
    np.testing.assert_array_equal(results['img'], sample['img'][::-1, ::-1])

    with pytest.raises(ConfigError, match=(
            r'have turned an image of uint8 \[41, 57, 3\] into float32 \[41, 57, 3\], and label '
            'maps of uint8 into uint8')):
        build('Albu', transforms=[dict(type=OfTheirs, p=1.0)])(make_sample())
    # Errors of their own code stay as they are.
    with pytest.raises(ValueError, match='my own fault') as error:
        build('Albu', transforms=[dict(type=Failing, p=1.0)])(make_sample())
    assert type(error.value) is ValueError
    with pytest.raises(ValueError, match='my own fault'):
        build('Albu', transforms=[dict(type=Unbuilt, number=2)])


def test_transforms_with_named_parts(build):
    step = build('Albu', transforms=[dict(
        type='OneOrOther', first=FLIP, second=dict(type='VerticalFlip', p=1.0), p=0.5)])
    sample = make_sample()
    seen = set()
    for seed in range(20):
        np.random.seed(seed)
        img = step(dict(sample))['img']
        seen |= {axis for axis in (0, 1) if np.array_equal(img, np.flip(sample['img'], axis))}
    assert seen == {0, 1}
    with pytest.raises(ConfigError, match=r'transforms\[0\].first \(Normalize\)'):
        build('Albu', transforms=[dict(type='OneOrOther', first=dict(type='Normalize'),
                                       second=FLIP)])


@pytest.mark.parametrize('value', [None, '0'])
def test_the_import_asks_no_server(value):
    """Whether a newer version exists, unless the user wants to know."""
    code = ("import os, sys, types\n"
            "from mmseg.datasets.pipelines.foreign.albu import _import\n"
            "class Albumentations(types.ModuleType):\n    pass\n"
            "sys.modules['albumentations'] = types.ModuleType('albumentations')\n"
            "_import()\nprint(os.environ['NO_ALBUMENTATIONS_UPDATE'])")
    environ = {key: entry for key, entry in os.environ.items() if key != 'NO_ALBUMENTATIONS_UPDATE'}
    if value is not None:
        environ['NO_ALBUMENTATIONS_UPDATE'] = value
    done = subprocess.run([sys.executable, '-c', code], env=environ, capture_output=True, text=True)
    assert done.stdout.strip() == (value or '1'), done.stderr
