"""What `data.plan_pipeline`, `data.cache` and `data.normalize_on_device` do."""
import logging

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.logging import _warned
from mmseg.datasets import build_dataloader, build_dataset, pipeline_options
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines import loading
from mmseg.datasets.pipelines.device_normalize import finish

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')


def steps(dataset):
    return [type(step).__name__ for step in dataset.pipeline._steps()]


def epochs(dataset, workers=0, number=2, **kwargs):
    loader = build_dataloader(dataset, 2, workers, seed=5, **kwargs)
    for epoch in range(number):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            yield finish(batch)


def assert_same(batches, expected):
    for batch, plain in zip(batches, expected, strict=True):
        assert batch.keys() == plain.keys()
        assert torch.equal(batch['gt_semantic_seg'].data[0], plain['gt_semantic_seg'].data[0])
        torch.testing.assert_close(batch['img'].data[0], plain['img'].data[0], rtol=1e-6, atol=1e-6)
        names = [[meta['filename'] for meta in part['img_metas'].data[0]]
                 for part in (batch, plain)]
        assert names[0] == names[1]


@pytest.fixture
def wrapped_cfg(dataset_cfg):
    """A repeated dataset of two, which have four of their samples in common."""
    return dict(type='RepeatDataset', times=2, dataset=dict(type='ConcatDataset', datasets=[
        dataset_cfg, dict(dataset_cfg, split='train.txt')]))


@pytest.mark.parametrize(('workers', 'options'), [
    (0, {}), (2, {}), (0, dict(normalize_on_device=True)),
    (2, dict(cache='decoded')),
    (2, dict(cache=dict(level='decoded', max_gb=1e-5), normalize_on_device=True)),
    pytest.param(2, dict(cache='decoded', spawn=True), marks=pytest.mark.slow)])
def test_samples_are_the_same_in_all_ways(wrapped_cfg, workers, options):
    options = dict(options)
    more = dict(multiprocessing_context='spawn') if options.pop('spawn', False) else {}
    plain, tuned = build_dataset(wrapped_cfg), build_dataset(wrapped_cfg)
    set_pipeline_options(plain, dict(plan_pipeline=False), asynchronous=False)
    set_pipeline_options(tuned, options, asynchronous=False)

    assert_same(epochs(tuned, workers, **more), list(epochs(plain)))


def test_the_memory_is_one_for_all_workers_and_datasets(wrapped_cfg, data_root):
    dataset, plain = build_dataset(wrapped_cfg), build_dataset(wrapped_cfg)
    expected = list(epochs(plain, number=3))
    set_pipeline_options(dataset, dict(cache='decoded'), asynchronous=False)
    batches = list(epochs(dataset, 2, number=2))
    for file in data_root.glob('*/*'):
        file.unlink()
    # New workers, which have read nothing themselves.
    loader = build_dataloader(dataset, 2, 2, seed=5)
    loader.sampler.set_epoch(2)

    assert_same([*batches, *loader], expected)


def test_the_folder_is_one_for_all_workers_data_sets_and_runs(wrapped_cfg, data_root, decoded):
    plain = build_dataset(wrapped_cfg)
    set_pipeline_options(plain, {}, asynchronous=False)
    expected = list(epochs(plain, number=3))
    cache = dict(cache=dict(level='disk', dir=str(data_root / 'kept')))
    for number, workers in enumerate((2, 0, 2)):
        dataset = build_dataset(wrapped_cfg)
        decoded.clear()
        set_pipeline_options(dataset, cache, asynchronous=False)
        assert_equal(epochs(dataset, workers, number=3), expected)
        # As the estimate decodes some, workers decode others: none is decoded in a later run.
        assert not number or not decoded
    assert len(list(data_root.glob('kept/*/*.rows'))) == 6


def assert_equal(batches, expected):
    """Bit for bit."""
    for batch, plain in zip(batches, expected, strict=True):
        assert batch.keys() == plain.keys()
        for key in ('img', 'gt_semantic_seg'):
            assert torch.equal(batch[key].data[0], plain[key].data[0])
        np.testing.assert_equal(batch['img_metas'].data, plain['img_metas'].data)


@pytest.fixture
def decoded(monkeypatch):
    names, decode = [], loading.imfrombytes
    monkeypatch.setattr(loading, 'imfrombytes', lambda content, **options: names.append(
        options['name']) or decode(content, **options))
    return names


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('options', [
    {}, dict(normalize_on_device=True), dict(plan_pipeline=False)])
def test_batches_are_equal_after_a_resume_and_where_samples_are_skipped(
        wrapped_cfg, data_root, workers, options):
    (data_root / 'img/2.jpg').write_bytes(b'no image')
    cache = dict(level='disk', dir=str(data_root / 'kept'))
    batches = {}
    for name, more in (('plain', {}), ('first', dict(cache=cache)), ('second', dict(cache=cache))):
        dataset = build_dataset(wrapped_cfg)
        set_pipeline_options(dataset, {**options, **more}, asynchronous=False)
        loader = build_dataloader(dataset, 2, workers, seed=5, max_skipped=3)
        batches[name] = []
        for epoch, start in ((0, 0), (3, 4)):  # the latter as after an interruption
            loader.sampler.set_epoch(epoch, start)
            batches[name] += list(loader)
        assert [file.rpartition('/')[2] for file in loader.skipped] == ['2.jpg']
    assert_equal(batches['first'], batches['plain'])
    assert_equal(batches['second'], batches['plain'])


@pytest.mark.slow
def test_the_folder_is_one_for_workers_that_are_spawned(wrapped_cfg, data_root):
    plain, dataset = build_dataset(wrapped_cfg), build_dataset(wrapped_cfg)
    set_pipeline_options(plain, {}, asynchronous=False)
    set_pipeline_options(dataset, dict(cache=dict(level='disk', dir=str(data_root / 'kept'))),
                         asynchronous=False)
    assert_equal(epochs(dataset, 2, multiprocessing_context='spawn'), list(epochs(plain)))
    assert len(list(data_root.glob('kept/*/*.rows'))) == 6


def test_what_is_replaced(dataset_cfg):
    dataset = build_dataset(dataset_cfg)
    set_pipeline_options(dataset, {}, asynchronous=False)
    assert steps(dataset)[2] == 'ResizedCrop'
    assert steps(dataset)[-3:] == ['CHWNormalize', 'DefaultFormatBundle', 'Collect']
    set_pipeline_options(dataset, {}, asynchronous=True)
    assert steps(dataset)[-1] == 'DeviceNormalize'
    set_pipeline_options(dataset, dict(normalize_on_device=False), asynchronous=True)
    assert steps(dataset)[-1] == 'Collect'
    set_pipeline_options(dataset, dict(normalize_on_device=True), asynchronous=False)
    assert steps(dataset)[-1] == 'DeviceNormalize'
    set_pipeline_options(dataset, dict(cache='decoded'), asynchronous=False)
    assert steps(dataset)[:2] == ['CachedSteps', 'ResizedCrop']
    on_disk = dict(cache=dict(level='disk', dir=dataset_cfg['data_root'] + '/kept'))
    set_pipeline_options(dataset, on_disk, asynchronous=True)
    assert steps(dataset) == ['StoredCrop', 'RandomFlip', 'PhotoMetricDistortion',
                              'DeviceNormalize']
    set_pipeline_options(dataset, dict(plan_pipeline=False), asynchronous=True)
    assert steps(dataset) == [step['type'] for step in dataset_cfg['pipeline']]


def test_the_steps_of_test_time_augmentation_are_planned_too(dataset_cfg):
    inner = [dict(type='Resize'), dict(type='RandomFlip'), dataset_cfg['pipeline'][6],
             dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])]
    dataset = build_dataset(dict(dataset_cfg, pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='MultiScaleFlipAug', img_scale=(40, 30), transforms=inner)]))
    names = {}
    for fuse in (True, False):
        set_pipeline_options(dataset, dict(plan_pipeline=fuse), asynchronous=False)
        aug = dataset.pipeline.transforms[1]
        names[fuse] = type(aug.transforms._steps()[2]).__name__
    assert names == {True: 'CHWNormalize', False: 'Normalize'}


def test_what_is_asked_for_without_effect_is_said(dataset_cfg, caplog):
    _warned.clear()
    dataset = build_dataset(dict(dataset_cfg, pipeline=dataset_cfg['pipeline'][:-1]))
    caplog.clear()
    with caplog.at_level(logging.WARNING, 'mmseg'):
        set_pipeline_options(dataset, {}, asynchronous=True)
        assert not caplog.records
        set_pipeline_options(dataset, dict(normalize_on_device=True), asynchronous=False)
    assert 'data.normalize_on_device has no effect' in caplog.text


@pytest.mark.parametrize(('data', 'message'), [
    (dict(cache='everything'), r"data\.cache='everything' does not fit, it takes 'decoded' \|"),
    (dict(cache=dict(level='decoded', max_gb=0)), 'max_gb'),
    (dict(cache=dict(level='decoded', size=3)), r'data\.cache\.size is no setting'),
    (dict(cache=dict(max_gb=3)), r'data\.cache=.* lacks level'),
    (dict(cache='disk'), r"data\.cache\.level='disk' needs data\.cache\.dir, a folder on a fast"),
    (dict(cache=dict(level='resized', dir='x')),
     r"data\.cache\.dir='x' is the folder of level='disk'; level='resized' keeps .*: leave dir"),
    (dict(cache=True), r'data\.cache=True'),
    (dict(cache='resized'), 'needs a Resize of one img_scale'),
    (dict(plan_pipeline='no'), r"data\.plan_pipeline='no' does not fit, it takes bool"),
    (dict(normalize_on_device='npu'), r"data\.normalize_on_device='npu' does not fit"),
])
def test_wrong_settings_are_explained(dataset_cfg, data, message):
    with pytest.raises(ConfigError, match=message):
        set_pipeline_options(build_dataset(dataset_cfg), data, asynchronous=False)


def test_by_default_the_memory_of_a_process_is_8_gb(dataset_cfg, monkeypatch):
    sizes = []
    monkeypatch.setattr(pipeline_options, 'free_memory', lambda: None)
    monkeypatch.setattr(pipeline_options, 'SharedStore',
                        lambda slots, size, name: sizes.append(size))
    set_pipeline_options(build_dataset(dataset_cfg), dict(cache='decoded'), asynchronous=False)
    assert sizes == [8_000_000_000]


@pytest.mark.parametrize(('free', 'processes', 'expected'), [
    (8_000_000, 1, 4_000_000), (8_000_000, 4, 1_000_000), (None, 1, 5_000_000),
    (80_000_000, 1, 5_000_000)])
def test_the_memory_takes_no_more_than_its_share_of_what_is_free(
        dataset_cfg, monkeypatch, caplog, free, processes, expected):
    sizes = []
    monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    monkeypatch.setattr(pipeline_options, 'free_memory', lambda: free)
    monkeypatch.setattr(pipeline_options, 'SharedStore',
                        lambda slots, size, name: sizes.append(size))
    set_pipeline_options(build_dataset(dataset_cfg),
                         dict(cache=dict(level='decoded', max_gb=0.005)), asynchronous=False)
    assert sizes == [expected]
    assert ('data.cache: ' in caplog.text) == (expected != 5_000_000)
