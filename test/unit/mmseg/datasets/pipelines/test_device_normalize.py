"""Bytes that the device finishes, against the floats of the plain pipeline."""
import copy

import numpy as np
import pytest
import torch

from mmcv_replace.parallel import DataContainer, collate
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.pipelines.device_normalize import KEY, finish
from mmseg.datasets.pipelines.fusion import fuse_steps

NORM = dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
            to_rgb=True)
PAD = dict(type='Pad', size=(48, 64), pad_val=(0.5, -1, 2), seg_pad_val=7)
REST = [dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg'],
             meta_keys=('img_shape', 'pad_shape', 'img_norm_cfg'))]


def handing_over(steps):
    pipeline = Compose(steps)
    pipeline.fusion = lambda steps: fuse_steps(steps, on_device=True)
    return pipeline


def make_batch(pipeline, results, sizes):
    samples = []
    for height, width in sizes:
        part = copy.deepcopy(results)
        part['img'] = part['img'][:height, :width]
        part['gt_semantic_seg'] = part['gt_semantic_seg'][:height, :width]
        part['seg_fields'] = ['gt_semantic_seg']
        part['img_shape'] = part['pad_shape'] = part['img'].shape
        samples.append(pipeline(part))
    return collate(samples, samples_per_gpu=len(samples))


@pytest.mark.parametrize('steps', [
    [NORM, PAD], [dict(NORM, to_rgb=False), dict(PAD, pad_val=0)], [NORM],
    [NORM, dict(type='Pad', size_divisor=16, pad_val=3)]])
@pytest.mark.parametrize('ignore_index', [255, -100])
def test_the_finished_batch_is_the_plain_one(sample, steps, ignore_index):
    results = dict(sample(), ignore_index=ignore_index)
    sizes = [(40, 56), (33, 20), (1, 56)]
    expected = make_batch(Compose([*steps, *REST]), results, sizes)
    batch = make_batch(handing_over([*steps, *REST]), results, sizes)

    assert batch['img'].data[0].dtype == torch.uint8
    assert batch['gt_semantic_seg'].data[0].dtype == (
        torch.uint8 if ignore_index == 255 else torch.int64)
    finished = finish(batch)

    assert finished.keys() == expected.keys()
    np.testing.assert_equal(finished['img_metas'].data, expected['img_metas'].data)
    label, img = finished['gt_semantic_seg'].data[0], finished['img'].data[0]
    assert label.dtype == torch.int64
    assert torch.equal(label, expected['gt_semantic_seg'].data[0])
    assert img.dtype == torch.float32
    torch.testing.assert_close(img, expected['img'].data[0], rtol=1e-6, atol=1e-6)


def test_a_batch_of_floats_is_left_alone(sample):
    batch = make_batch(Compose([NORM, PAD, *REST]), sample(), [(40, 56)])

    assert finish(batch) is batch


def test_images_that_are_no_bytes_are_finished_on_the_host(sample):
    results = sample()
    results['img'] = results['img'].astype(np.float32)
    expected = make_batch(Compose([NORM, PAD, *REST]), results, [(40, 56)])
    batch = make_batch(handing_over([NORM, PAD, *REST]), results, [(40, 56)])

    assert torch.equal(batch['img'].data[0], expected['img'].data[0])
    assert torch.equal(finish(batch)['img'].data[0], expected['img'].data[0])


@pytest.mark.parametrize('floats', [(0,), (1,), (0, 2)])
def test_a_step_that_makes_floats_of_some_images(sample, floats):
    """In the order of the batch, those of bytes before or behind them."""
    calls = []

    def step(results):
        if len(calls) % 3 in floats:
            results['img'] = results['img'].astype(np.float32) / 2
        calls.append(results)
        return results

    steps, sizes = [step, NORM, dict(PAD, size=None, size_divisor=16), *REST], [(40, 56)] * 3
    expected = make_batch(Compose(steps), sample(), sizes)
    batch = finish(make_batch(handing_over(steps), sample(), sizes))

    assert batch.keys() == expected.keys()
    torch.testing.assert_close(batch['img'].data[0], expected['img'].data[0], rtol=1e-6, atol=1e-6)
    assert torch.equal(batch['gt_semantic_seg'].data[0], expected['gt_semantic_seg'].data[0])


def test_labels_of_more_than_a_byte_stay_as_they_are(sample):
    results = sample()
    results['gt_semantic_seg'] = results['gt_semantic_seg'].astype(np.int32) + 500
    batch = finish(make_batch(handing_over([NORM, *REST]), results, [(40, 56)]))

    assert batch['gt_semantic_seg'].data[0].min() >= 500


@pytest.mark.parametrize('steps', [
    [NORM, PAD, lambda results: results, *REST],
    [NORM, PAD, REST[0], dict(REST[1], keys=['gt_semantic_seg'])],
    [NORM, dict(type='ImageToTensor', keys=['img']), REST[1]],
    [NORM, NORM, *REST]])
def test_pipelines_with_another_end_are_not_changed(steps):
    assert 'DeviceNormalize' not in [type(step).__name__ for step in handing_over(steps)._steps()]


def test_nothing_depends_on_the_values_of_the_rules():
    """On the meta device there are no values, so a read of one would fail."""
    batch = {'img': DataContainer([torch.zeros(2, 3, 8, 9, dtype=torch.uint8, device='meta')]),
             KEY: DataContainer([torch.zeros(2, 13, device='meta')])}

    assert finish(batch)['img'].data[0].shape == (2, 3, 8, 9)
