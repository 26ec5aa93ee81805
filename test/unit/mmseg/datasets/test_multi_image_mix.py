"""Samples that a second pipeline mixes from several."""
import pickle

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import MultiImageMixDataset, build_dataloader, build_dataset
from mmseg.datasets.loader.skip_samples import DroppedSamplesError
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines import Resize
from mmseg.datasets.pipelines.device_normalize import finish

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')

MOSAIC = dict(type='RandomMosaic', prob=1.0, img_scale=(20, 24))
END = [
    dict(type='RandomCrop', crop_size=(32, 32)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='Normalize', mean=[120.0, 110, 100], std=[60.0, 58, 57], to_rgb=True),
    dict(type='Pad', size=(40, 36)),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg']),
]


@pytest.fixture
def inner_cfg(dataset_cfg):
    return dict(dataset_cfg, pipeline=dataset_cfg['pipeline'][:2])


@pytest.fixture
def cfg(inner_cfg):
    return dict(type='MultiImageMixDataset', dataset=inner_cfg, pipeline=[MOSAIC, *END])


class Marks:
    """A data set of samples that are known by their number."""

    CLASSES = PALETTE = None

    def __len__(self):
        return 5

    def __getitem__(self, idx):
        return dict(number=idx)


class Gather:
    """A user's step, which asks for samples as in mmsegmentation 0.30."""

    def __init__(self, indexes):
        self.indexes = indexes

    def get_indexes(self, dataset):
        assert len(dataset) == 5
        return self.indexes

    def __call__(self, results):
        return dict(results, got=[part['number'] for part in results['mix_results']])


def test_a_step_gets_the_samples_that_it_asks_for():
    for indexes, expected in ((3, [3]), ([0, 4, 4], [0, 4, 4]), (np.array([2, 1]), [2, 1])):
        dataset = MultiImageMixDataset(Marks(), [Gather(indexes)])
        assert dataset[1] == dict(number=1, got=expected)


def test_samples_of_the_data_set_are_not_changed():
    kept = [dict(number=number) for number in range(5)]

    class Kept(Marks):
        def __getitem__(self, idx):
            return kept[idx]

    MultiImageMixDataset(Kept(), [Gather([1, 2])])[0]
    assert kept == [dict(number=number) for number in range(5)]


def test_the_mosaic_holds_four_images(cfg, inner_cfg):
    """Each quarter around the point shows one of the images of the data set."""
    inner = build_dataset(inner_cfg)
    dataset = build_dataset(dict(cfg, pipeline=[dict(MOSAIC, center_ratio_range=(1.0, 1.0))]))
    np.random.seed(0)
    results = dataset[2]
    assert results['img'].shape == results['img_shape'] == results['pad_shape'] == (40, 48, 3)
    assert 'mix_results' not in results
    known = []
    for sample in map(inner.__getitem__, range(6)):
        height, width = sample['img'].shape[:2]
        factor = min(20 / height, 24 / width)
        fit = Resize(img_scale=(int(width * factor), int(height * factor)), keep_ratio=False)
        known.append(fit(dict(sample, scale_factor=1.0)))
    found = []
    for down in (0, 1):
        for across in (0, 1):
            for index, sample in enumerate(known):
                height, width = sample['img'].shape[:2]
                rows = slice(20, 20 + height) if down else slice(20 - height, 20)
                columns = slice(24, 24 + width) if across else slice(24 - width, 24)
                if np.abs(results['img'][rows, columns].astype(int) - sample['img']).mean() < 8:
                    found.append(index)
                    label = results['gt_semantic_seg'][rows, columns]
                    assert (label == sample['gt_semantic_seg']).mean() > 0.9
    assert len(found) == 4
    assert found[0] == 2


def test_classes_and_length(cfg, inner_cfg):
    dataset, inner = build_dataset(cfg), build_dataset(inner_cfg)
    assert len(dataset) == len(inner) == 6
    assert (dataset.CLASSES, dataset.PALETTE, dataset.ignore_index) == (
        inner.CLASSES, inner.PALETTE, 255)
    assert [type(part).__name__ for part in leaf_datasets(dataset)] == ['CustomDataset']
    assert len(pickle.loads(pickle.dumps(dataset))) == 6


def test_steps_can_be_left_out(cfg):
    dataset = build_dataset(dict(cfg, skip_type_keys=['RandomMosaic', 'RandomFlip']))
    names = [step['type'] for step in END]

    def steps():
        return [type(step).__name__ for step in dataset.pipeline.transforms]

    assert steps() == [name for name in names if name != 'RandomFlip']
    dataset.update_skip_type_keys(['RandomCrop'])
    assert steps() == ['RandomMosaic', *names[1:]]
    dataset.update_skip_type_keys(None)
    assert steps() == ['RandomMosaic', *names]
    assert dataset[0]['img'].data.shape == (3, 40, 36)


@pytest.mark.parametrize('keys', ['RandomFlip', ['RandomFlop']])
def test_a_step_to_leave_out_that_is_not_there(cfg, keys):
    with pytest.raises(ConfigError, match='skip_type_keys=.*: give a list of types of the pipeline,'
                                          ' which has RandomMosaic, RandomCrop'):
        build_dataset(dict(cfg, skip_type_keys=keys))


def test_an_inner_pipeline_that_collects(cfg, inner_cfg):
    inner = dict(inner_cfg, pipeline=[*inner_cfg['pipeline'], *END])
    with pytest.raises(ConfigError, match='the pipeline of its dataset must end with what loads'):
        build_dataset(dict(cfg, dataset=inner))[0]


def test_dropped_samples(inner_cfg):
    def drop(results):
        return None if results['img_info']['filename'] < '4.jpg' else results

    dataset = MultiImageMixDataset(build_dataset(inner_cfg), [drop])
    names = {dataset[index]['img_info']['filename'] for index in range(6)}
    assert names <= {'4.jpg', '5.jpg'}
    with pytest.raises(DroppedSamplesError, match='has dropped 100 images in a row'):
        MultiImageMixDataset(build_dataset(inner_cfg), [lambda results: None])[0]


def test_a_file_that_cannot_be_read_is_named(cfg, data_root):
    for number in range(6):
        (data_root / f'img/{number}.jpg').write_bytes(b'no image')
    with pytest.raises(DataError, match=r'\d\.jpg'):
        build_dataset(cfg)[0]


def batches(dataset, workers=0, epoch=1):
    loader = build_dataloader(dataset, 2, workers, seed=5)
    loader.sampler.set_epoch(epoch)
    return [finish(batch) for batch in loader]


def assert_same(found, expected):
    for batch, plain in zip(found, expected, strict=True):
        assert batch.keys() == plain.keys()
        assert torch.equal(batch['gt_semantic_seg'].data[0], plain['gt_semantic_seg'].data[0])
        torch.testing.assert_close(batch['img'].data[0], plain['img'].data[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(('workers', 'options', 'ends'), [
    (2, {}, ['RandomFlip', 'CHWNormalize', 'DefaultFormatBundle', 'Collect']),
    (0, dict(normalize_on_device=True), ['RandomFlip', 'DeviceNormalize']),
    (2, dict(cache='decoded'), ['RandomFlip', 'CHWNormalize', 'DefaultFormatBundle', 'Collect'])])
def test_samples_are_the_same_in_all_ways(cfg, caplog, workers, options, ends):
    plain, tuned = build_dataset(cfg), build_dataset(cfg)
    set_pipeline_options(plain, dict(plan_pipeline=False), asynchronous=False)
    set_pipeline_options(tuned, options, asynchronous=False)

    steps = [type(step).__name__ for step in tuned.pipeline._steps()]
    assert steps[-len(ends):] == ends
    inner = [type(step).__name__ for step in tuned.dataset.pipeline._steps()]
    assert inner == (['CachedSteps'] if 'cache' in options else [
        'LoadImageFromFile', 'LoadAnnotations'])
    assert_same(batches(tuned, workers), batches(plain))
    assert 'no effect' not in caplog.text


def test_epochs_differ(cfg):
    first, second = (batches(build_dataset(cfg), epoch=epoch)[0] for epoch in (1, 2))
    assert not torch.equal(first['img'].data[0], second['img'].data[0])


def test_an_ignored_label_of_a_step_is_checked_against_the_heads(cfg):
    from mmseg.apis.labels.heads import _special_values
    cfg = dict(cfg, pipeline=[dict(MOSAIC, seg_pad_val=3), *END])
    special = list(_special_values('train', build_dataset(cfg)))
    assert special == [(3, 'RandomMosaic in data.train (MultiImageMixDataset)', 'seg_pad_val'),
                       (255, 'data.train (CustomDataset)', 'ignore_index')]
