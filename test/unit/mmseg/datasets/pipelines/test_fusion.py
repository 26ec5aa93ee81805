"""Which steps are replaced, and that samples are the same with and without."""
import copy

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines import Compose, RandomCrop, Resize, Transform
from mmseg.datasets.pipelines.base import match
from mmseg.datasets.pipelines.normalize import CHWNormalize
from mmseg.datasets.pipelines.resized_crop import ResizedCrop

NORM = dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
            to_rgb=True)
STEPS = [
    dict(type='Resize', img_scale=(60, 44), ratio_range=(0.5, 2.0)),
    dict(type='RandomCrop', crop_size=(32, 40), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    NORM,
    dict(type='Pad', size=(32, 40), pad_val=(1, 2, 3), seg_pad_val=255),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg'], meta_keys=(
        'img_shape', 'pad_shape', 'ori_shape', 'scale_factor', 'flip', 'flip_direction',
        'img_norm_cfg', 'pad_fixed_size', 'pad_size_divisor', 'keep_ratio', 'scale',
        'scale_idx')),
]


def kinds(pipeline):
    return [type(step).__name__ for step in pipeline._steps()]


def run(pipeline, results, seed):
    np.random.seed(seed)
    sample = pipeline(copy.deepcopy(results))
    return sample, np.random.rand()


def assert_same_samples(steps, results, seeds=20):
    planned, plain = Compose(steps), Compose(steps)
    plain.fusion = None
    assert kinds(plain) == [step['type'] for step in steps]
    for seed in range(seeds):
        (ours, drawn), (expected, also_drawn) = (
            run(pipeline, results, seed) for pipeline in (planned, plain))
        assert drawn == also_drawn
        assert ours.keys() == expected.keys()
        for key in ('img', 'gt_semantic_seg'):
            tensor = ours[key].data
            assert tensor.dtype == expected[key].data.dtype
            assert tensor.is_contiguous()
            assert torch.equal(tensor, expected[key].data)
        np.testing.assert_equal(ours['img_metas'].data, expected['img_metas'].data)


@pytest.mark.parametrize('changes', [
    {}, {5: dict(type='Pad', size_divisor=32)}, {4: dict(NORM, to_rgb=False)}, {5: None},
    {1: None, 5: None}, {2: dict(type='RandomFlip', prob=1.0, direction='vertical')}])
def test_samples_are_those_of_the_steps_in_turn(sample, changes):
    steps = [changes.get(number, step) for number, step in enumerate(STEPS)]
    steps = [copy.deepcopy(step) for step in steps if step is not None]
    if 5 in changes and changes[5] is None:
        steps[-1]['meta_keys'] = STEPS[-1]['meta_keys'][:7]
    assert_same_samples(steps, sample())


@pytest.mark.parametrize('front', [
    [STEPS[0], dict(type='Resize', img_scale=(50, 70), ratio_range=(0.5, 1.5))],
    [*STEPS[:3], dict(type='RandomFlip', prob=0.5, direction='vertical'), *STEPS[:2]],
    [STEPS[0], STEPS[2], dict(type='RandomRotate', prob=0.5, degree=20)]])
def test_samples_are_the_same_where_a_step_comes_twice(sample, front):
    assert_same_samples([*front, *STEPS[1:]], sample())


def test_images_of_another_kind(sample):
    results = sample()
    results['img'] = results['img'].astype(np.float32)
    steps = [step for step in STEPS if step['type'] != 'PhotoMetricDistortion']

    assert_same_samples(steps, results)


@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize('channels', [1, 2, 4, 5, 130])
def test_images_of_any_number_of_bands(sample, kind, channels):
    random = np.random.RandomState(0)
    img = random.randint(0, 256, (40, 56, channels)).astype(kind)
    results = dict(sample(), img=img if channels > 1 else img[..., 0])
    each = [float(value) for value in range(1, channels + 1)]
    steps = [dict(step) for step in STEPS if step['type'] != 'PhotoMetricDistortion']
    steps.insert(3, dict(type='RandomRotate', prob=0.5, degree=20, pad_val=each))
    steps[4] = dict(type='Normalize', mean=each, std=each, to_rgb=False)
    steps[5]['pad_val'] = each if channels > 1 else 1.0

    assert_same_samples(steps, results, seeds=6)
    sample = run(Compose(steps), results, 0)[0]
    assert sample['img'].data.shape == (channels, 32, 40)


def test_what_is_replaced():
    assert kinds(Compose(STEPS)) == ['ResizedCrop', 'RandomFlip', 'PhotoMetricDistortion',
                                     'CHWNormalize', 'DefaultFormatBundle', 'Collect']
    assert kinds(Compose([NORM, dict(type='ImageToTensor', keys=['img'])])) \
        == ['CHWNormalize', 'ImageToTensor']


def test_the_steps_of_a_user_get_ordinary_arrays():
    seen = []

    def look(results):
        seen.append(results['img'])
        return results

    class MyCrop(RandomCrop):
        pass

    pipeline = Compose([STEPS[0], look, STEPS[1], *STEPS[2:5], look, *STEPS[5:]])
    assert kinds(pipeline) == ['Resize', 'function', 'RandomCrop', 'RandomFlip',
                               'PhotoMetricDistortion', 'Normalize', 'function', 'Pad',
                               'DefaultFormatBundle', 'Collect']
    assert kinds(Compose([STEPS[0], MyCrop((5, 5))])) == ['Resize', 'MyCrop']
    MyCrop.fusible = True
    assert kinds(Compose([STEPS[0], MyCrop((5, 5))])) == ['ResizedCrop']
    img = np.zeros((40, 56, 3), np.uint8)
    pipeline(dict(img=img, img_shape=img.shape, ori_shape=img.shape,
                  gt_semantic_seg=img[..., 0], seg_fields=['gt_semantic_seg']))
    assert [array.flags.c_contiguous for array in seen] == [True, True]


class Mirrored(RandomCrop):
    """A step of mmsegmentation 0.x's kind, which overrides `__call__`."""

    def __call__(self, results):
        results = super().__call__(results)
        results['img'] = results['img'][:, ::-1]
        return results


def test_a_subclass_that_overrides_call_is_run(sample):
    """Fused with nothing, though its base class is."""
    results = {}
    for name, step in (('plain', RandomCrop((9, 9))), ('own', Mirrored((9, 9)))):
        np.random.seed(0)
        results[name] = Compose([STEPS[0], step, NORM, dict(type='ImageToTensor', keys=['img'])])(
            sample())

    assert torch.equal(results['own']['img'], results['plain']['img'].flip(2))
    np.testing.assert_array_equal(results['own']['gt_semantic_seg'],
                                  results['plain']['gt_semantic_seg'])


def test_a_step_of_a_user_says_what_it_fuses_with(sample):
    class Brighten(Transform):
        fusible = True

        def __init__(self, number):
            self.number = number

        def apply_image(self, img, params):
            return img + self.number

        def fuse_with(self, following):
            if match(following, Brighten):
                return Brighten(self.number + following[0].number), 1
            return None

    pipeline = Compose([Brighten(1.0), Brighten(2.0), Brighten(3.0), RandomCrop((9, 9))])

    assert [getattr(step, 'number', None) for step in pipeline._steps()] == [3, 3, None]
    img = sample()['img']
    results = pipeline(dict(img=img))
    assert results['img'].shape == (9, 9, 3)
    assert results['img'].min() >= img.min() + 6


def test_steps_that_are_changed_later_are_planned_anew():
    pipeline = Compose([Resize(img_scale=(60, 44))])
    assert kinds(pipeline) == ['Resize']
    pipeline.transforms.append(RandomCrop((5, 5)))
    assert kinds(pipeline) == ['ResizedCrop']
    pipeline.fusion = None
    assert kinds(pipeline) == ['Resize', 'RandomCrop']


def test_names_of_the_replaced_steps_are_in_errors():
    pipeline = Compose(STEPS[:2])
    with pytest.raises(ConfigError, match=r'a\.jpg: ResizedCrop\(resize=Resize\(img_scale'):
        pipeline(dict(img_info=dict(filename='a.jpg')))
    assert 'Resize' in repr(ResizedCrop(*pipeline.transforms))
    assert 'Normalize' in repr(CHWNormalize(Compose([NORM]).transforms[0]))
