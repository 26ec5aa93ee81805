import numpy as np
import pytest
import torch

from mmcv_replace.parallel import DataContainer, collate
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.datasets.pipelines import Compose, to_tensor
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.datasets.pipelines.fusion import fuse_steps


@pytest.mark.parametrize(('data', 'expected'), [
    (torch.tensor([1, 2]), torch.tensor([1, 2])),
    (np.array([[1.5, 2]]), torch.tensor([[1.5, 2]], dtype=torch.float64)),
    ([1, 2], torch.tensor([1, 2])),
    ((1.5,), torch.tensor([1.5])),
    (3, torch.tensor([3])),
    (0.5, torch.tensor([0.5])),
])
def test_to_tensor(data, expected):
    tensor = to_tensor(data)

    assert tensor.dtype == expected.dtype
    assert torch.equal(tensor, expected)


@pytest.mark.parametrize('data', ['text', None, {}])
def test_to_tensor_refuses_the_rest(data):
    with pytest.raises(ArgumentError, match=f'cannot make a tensor of {type(data).__name__}'):
        to_tensor(data)


def test_to_tensor_of_some_keys(build, sample):
    results = build('ToTensor', keys=['gt_extra'])(sample())

    assert torch.equal(results['gt_extra'], torch.from_numpy(sample()['gt_extra']))
    assert isinstance(results['img'], np.ndarray)


def test_image_to_tensor_puts_the_channels_first(build, sample):
    results = build('ImageToTensor', keys=['img', 'gt_extra'])(sample())

    np.testing.assert_array_equal(results['img'], sample()['img'].transpose(2, 0, 1))
    assert results['gt_extra'].shape == (1, 40, 56)
    flipped = build('ImageToTensor', keys=['img'])(dict(img=sample()['img'][:, ::-1]))
    np.testing.assert_array_equal(flipped['img'], sample()['img'][:, ::-1].transpose(2, 0, 1))


def test_transpose(build, sample):
    results = build('Transpose', keys=['img'], order=(1, 2, 0))(sample())

    np.testing.assert_array_equal(results['img'], sample()['img'].transpose(1, 2, 0))


def test_to_data_container(build, sample):
    default = build('ToDataContainer')(sample())
    fields = [dict(key='gt_extra', cpu_only=True)]
    other = build('ToDataContainer', fields=fields)(sample())

    assert (default['img'].stack, default['gt_semantic_seg'].stack) == (True, False)
    assert other['gt_extra'].cpu_only
    assert isinstance(other['img'], np.ndarray)
    assert fields == [dict(key='gt_extra', cpu_only=True)]


@pytest.mark.parametrize('flip', [False, True])
def test_default_format_bundle(build, sample, flip):
    results = build('RandomFlip', prob=float(flip))(sample())
    img, label = results['img'].copy(), results['gt_semantic_seg'].copy()

    results = build('DefaultFormatBundle')(results)

    np.testing.assert_array_equal(results['img'].data, img.transpose(2, 0, 1))
    np.testing.assert_array_equal(results['gt_semantic_seg'].data, label[None])
    assert results['gt_semantic_seg'].data.dtype == torch.int64
    assert results['img'].data.is_contiguous()
    assert results['gt_semantic_seg'].data.is_contiguous()
    assert results['img'].stack
    assert results['gt_semantic_seg'].stack


@pytest.mark.parametrize('on_device', [False, True])
def test_further_label_maps_arrive_like_the_labels(sample, on_device):
    """What a head with `extra_targets` trains on: moved with the image, padded, int64."""
    pipeline = Compose([
        dict(type='RandomFlip', prob=1.0), dict(type='Normalize', mean=[0] * 3, std=[1] * 3),
        dict(type='Pad', size_divisor=16), dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg', 'gt_extra'], meta_keys=())])
    pipeline.fusion = lambda steps: fuse_steps(steps, on_device=on_device)
    small = sample()
    small.update({key: small[key][:30] for key in ('img', 'gt_semantic_seg', 'gt_extra')})
    small['gt_extra'] = small['gt_extra'].astype(np.int32) + 300

    batch = finish(collate([pipeline(small), pipeline(sample())], samples_per_gpu=2))

    for key, added in (('gt_semantic_seg', 0), ('gt_extra', 400)):
        [labels] = batch[key].data
        assert (labels.shape, labels.dtype) == ((2, 1, 48, 64), torch.int64)
        np.testing.assert_array_equal(labels[0, 0, :30, :56],
                                      sample()['gt_semantic_seg'][:30, ::-1].astype(int) + added)
        assert (labels[0, 0, 30:] == 255).all()


def test_default_format_bundle_of_a_gray_image_and_of_nothing(build, sample):
    results = build('DefaultFormatBundle')(dict(img=sample()['img'][..., 0]))

    assert results['img'].data.shape == (1, 40, 56)
    assert build('DefaultFormatBundle')(dict(other=1)) == dict(other=1)


@pytest.mark.parametrize('ignore_index', [255, 254])
def test_what_a_batch_adds_to_a_smaller_label_map_is_ignored(build, sample, ignore_index):
    large = dict(sample(), ignore_index=ignore_index)
    small = dict(large, img=large['img'][:30], gt_semantic_seg=large['gt_semantic_seg'][:30])
    bundles = [build('DefaultFormatBundle')(results) for results in (small, large)]

    batch = collate([{key: bundle[key] for key in ('img', 'gt_semantic_seg')}
                     for bundle in bundles], samples_per_gpu=2)

    assert (batch['img'].data[0][0, :, 30:] == 0).all()
    assert (batch['gt_semantic_seg'].data[0][0, 0, 30:] == ignore_index).all()


def test_collect_keeps_the_keys_and_gathers_the_meta_data(build, sample):
    loaded = build('RandomFlip', prob=1.0)(dict(
        sample(), filename='/d/x.jpg', ori_filename='x.jpg', img_norm_cfg=dict(to_rgb=True)))

    collected = build('Collect', keys=['img', 'gt_semantic_seg'])(loaded)

    assert set(collected) == {'img_metas', 'img', 'gt_semantic_seg'}
    assert collected['img'] is loaded['img']
    assert isinstance(collected['img_metas'], DataContainer)
    assert collected['img_metas'].cpu_only
    meta = collected['img_metas'].data
    assert list(meta) == ['filename', 'ori_filename', 'ori_shape', 'img_shape', 'pad_shape',
                          'scale_factor', 'flip', 'flip_direction', 'img_norm_cfg']
    assert meta['flip_direction'] == 'horizontal'


def test_collect_other_meta_keys(build, sample):
    collected = build('Collect', keys=['img'], meta_keys=['ori_shape'])(sample())

    assert collected['img_metas'].data == dict(ori_shape=(40, 56, 3))


def test_collect_names_what_is_missing(build, sample):
    with pytest.raises(ConfigError, match=r"has made \['depth', 'flip'\]; .*RandomFlip makes"):
        build('Collect', keys=['img', 'depth'], meta_keys=['ori_shape', 'flip'])(sample())
