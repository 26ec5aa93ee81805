"""A traced sample is that of the training, and its steps are noted with what they drew."""
import copy

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets import PIPELINES, build_dataloader, build_dataset
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines.draws import tell
from mmseg.datasets.pipelines.fusion import fuse_steps
from mmseg.datasets.tracing import skip_steps, trace_sample

SEED = 3


def wrapped(cfg, kind):
    if kind == 'repeated':
        return dict(type='RepeatDataset', times=2, dataset=cfg)
    if kind == 'joined':
        return [cfg, copy.deepcopy(cfg)]
    if kind == 'mixed':
        steps = cfg['pipeline']
        inner = dict(cfg, pipeline=steps[:3])
        mosaic = dict(type='RandomMosaic', prob=0.8, img_scale=(20, 24))
        return dict(type='MultiImageMixDataset', dataset=inner, pipeline=[mosaic, *steps[3:]])
    return cfg


@pytest.mark.parametrize('kind', ['plain', 'repeated', 'joined', 'mixed'])
def test_it_is_the_sample_of_the_training_bit_for_bit(dataset_cfg, kind):
    loaded = build_dataset(wrapped(copy.deepcopy(dataset_cfg), kind))
    set_pipeline_options(loaded, dict(plan_pipeline=True, cache='decoded'), asynchronous=False)
    loader = build_dataloader(loaded, 2, 0, dist=False, shuffle=True, seed=SEED, pin_memory=False)
    traced = build_dataset(wrapped(copy.deepcopy(dataset_cfg), kind))
    seen = []
    for epoch in (0, 2):
        loader.sampler.set_epoch(epoch)
        order = list(map(int, loader.sampler))
        batches = [(img, label) for batch in loader for img, label in zip(
            batch['img'].data[0], batch['gt_semantic_seg'].data[0], strict=True)]
        for index, (img, label) in zip(order, batches, strict=True):
            trace = trace_sample(traced, SEED, epoch, index)
            assert trace.error is None
            assert torch.equal(trace.sample['img'].data, img)
            assert torch.equal(trace.sample['gt_semantic_seg'].data, label)
            seen.append(img.numpy().tobytes())
    assert len(set(seen)) > len(seen) // 2  # epochs differ
    fused = [part.pipeline.fusion for part in (traced, *getattr(traced, 'datasets', ()))
             if 'pipeline' in vars(part)]
    assert all(fusion is fuse_steps for fusion in fused)


def test_steps_and_their_draws(dataset_cfg):
    dataset = build_dataset(dataset_cfg)
    trace = trace_sample(dataset, SEED, 1, 4)
    assert [step.name for step in trace.steps] == [step['type'] for step in dataset_cfg['pipeline']]
    assert (trace.index, trace.epoch, trace.file) == (4, 1, '4.jpg')
    drawing = [step.name for step in trace.steps if step.drew]
    assert drawing == ['Resize', 'RandomCrop', 'RandomFlip', 'PhotoMetricDistortion']
    steps = {step.name: step for step in trace.steps}
    crop, flip = steps['RandomCrop'], steps['RandomFlip']
    top, left = crop.draws['top'], crop.draws['left']
    whole, cropped = crop.before.img, crop.after.img
    assert np.array_equal(cropped, whole[top:top + 24, left:left + 20])
    mirrored = flip.before.img[:, ::-1] if flip.draws['flip'] == 'horizontal' else flip.before.img
    assert np.array_equal(flip.after.img, mirrored)
    assert flip.changed['flip'] == (None, flip.draws['flip'] == 'horizontal')
    assert crop.changed['img_shape'][1] == cropped.shape
    assert steps['Resize'].draws['size'] == '{1} x {0}'.format(*whole.shape)
    assert np.array_equal(steps['LoadAnnotations'].after.labels['gt_semantic_seg'],
                          dataset.get_gt_seg_map(4))


def test_arrays_are_copies(dataset_cfg):
    def spoil(results):
        results['img'][:] = 0
        return results

    dataset_cfg['pipeline'] = [*dataset_cfg['pipeline'][:2], spoil]
    trace = trace_sample(build_dataset(dataset_cfg), SEED, 0, 0)
    assert trace.steps[1].after.img.any()
    assert trace.steps[2].name == 'spoil'
    assert trace.steps[2].before.img.any()
    assert not trace.steps[2].after.img.any()


def test_steps_of_users(dataset_cfg):
    class Silent:
        def __call__(self, results):
            results['noise'] = float(np.random.rand())
            return results

    def telling(results):
        tell(chosen=7)
        return results

    dataset_cfg['pipeline'] = [*dataset_cfg['pipeline'][:2], Silent(), telling]
    silent, told = trace_sample(build_dataset(dataset_cfg), SEED, 0, 0).steps[2:]
    assert (silent.name, silent.drew, silent.draws) == ('Silent', True, {})
    assert 0 < silent.changed['noise'][1] < 1
    assert (told.name, told.drew, told.draws) == ('telling', False, {'chosen': 7})


@pytest.mark.parametrize('error', [DataError('no image'), RuntimeError('a fault')])
def test_a_step_that_fails(dataset_cfg, error):
    def fail(results):
        raise error

    dataset_cfg['pipeline'] = [*dataset_cfg['pipeline'][:2], fail, *dataset_cfg['pipeline'][2:]]
    trace = trace_sample(build_dataset(dataset_cfg), SEED, 0, 0)
    assert trace.error is error
    assert [step.error for step in trace.steps] == [None, None, error]
    assert trace.steps[-1].after is None


def test_a_data_set_that_fails_by_itself(dataset_cfg):
    dataset = build_dataset(dataset_cfg)
    dataset.prepare_train_img = lambda idx: 1 / 0
    trace = trace_sample(dataset, SEED, 0, 0)
    assert isinstance(trace.error, ZeroDivisionError)
    assert trace.steps == []


def test_a_step_that_drops_the_sample(dataset_cfg):
    names = []

    def drop_first(results):
        names.append(results['ori_filename'])
        return None if len(names) == 1 else results

    dataset_cfg['pipeline'] = [*dataset_cfg['pipeline'][:2], drop_first]
    trace = trace_sample(build_dataset(dataset_cfg), SEED, 0, 0)
    assert [step.after is None for step in trace.steps] == [False, False, True, *[False] * 3]
    assert trace.error is None


def test_steps_within_steps(dataset_cfg):
    views = dict(type='MultiScaleFlipAug', img_scale=(40, 40), flip=True, transforms=[
        dict(type='Resize'), dict(type='RandomFlip'), dict(type='ImageToTensor', keys=['img']),
        dict(type='Collect', keys=['img'], meta_keys=['img_norm_cfg'])])
    inner = dict(type='Compose', transforms=[dict(type='RandomFlip', prob=1.0)])
    cfg = dict(dataset_cfg, test_mode=True, pipeline=[dict(type='LoadImageFromFile'), views])
    steps = trace_sample(build_dataset(cfg), SEED, 0, 0).steps
    assert [(step.name, step.depth) for step in steps] == [
        ('LoadImageFromFile', 0), ('MultiScaleFlipAug', 0),
        *[(step['type'], 1) for step in views['transforms']] * 2]
    assert [step.draws['flip'] for step in steps if step.name == 'RandomFlip'] == [
        'no', 'horizontal']
    cfg = dict(dataset_cfg, pipeline=[*dataset_cfg['pipeline'][:2], inner])
    steps = trace_sample(build_dataset(cfg), SEED, 0, 0).steps
    assert [(step.name, step.depth) for step in steps[2:]] == [('Compose', 0), ('RandomFlip', 1)]


def test_the_other_samples_of_a_mosaic(dataset_cfg):
    cfg = wrapped(dataset_cfg, 'mixed')
    cfg['pipeline'][0]['prob'] = 1.0
    trace = trace_sample(build_dataset(cfg), SEED, 0, 0)
    outer = [step for step in trace.steps if step.depth == 0]
    assert [step.name for step in outer[:4]] == ['LoadImageFromFile', 'LoadAnnotations', 'Resize',
                                                 'RandomMosaic']
    inner = [step for step in trace.steps if step.depth == 1]
    files = [step.after and step.changed['ori_filename'][1] for step in inner
             if step.name == 'LoadImageFromFile']
    assert files == [f'{index}.jpg' for index in outer[3].draws['other_samples']]
    assert len(files) == 3


def test_steps_can_be_left_out(dataset_cfg):
    dataset = build_dataset(dataset_cfg)
    skip_steps(dataset, ['PhotoMetricDistortion', 'Normalize'])
    names = [step.name for step in trace_sample(dataset, SEED, 0, 0).steps]
    assert names == [step['type'] for step in dataset_cfg['pipeline']
                     if step['type'] not in ('PhotoMetricDistortion', 'Normalize')]
    with pytest.raises(ConfigError, match=r"--skip-type RandomFlop: .*did you mean 'RandomFlip'"):
        skip_steps(dataset, ['RandomFlop'])


def test_nobody_listens_in_training(dataset_cfg, monkeypatch):
    def fail(self, params):
        raise AssertionError('described')

    monkeypatch.setattr(PIPELINES.get('RandomFlip'), 'describe', fail)
    dataset = build_dataset(dataset_cfg)
    assert dataset[0] is not None
    assert isinstance(trace_sample(dataset, SEED, 0, 0).error, AssertionError)
