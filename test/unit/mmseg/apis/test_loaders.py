"""The loader of a training: one batch ahead on the device where that pays."""
import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.parallel import DataContainer, DevicePrefetcher
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.loaders import training_loader
from mmseg.datasets.pipelines.device_normalize import finish

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')


class Images:
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {'img': DataContainer(torch.full((3, 2, 2), float(index)), stack=True)}


def make(device='cpu', **data):
    cfg = Config(dict(data=dict(samples_per_gpu=2, workers_per_gpu=0, **data)))
    return training_loader(Images(), cfg, False, torch.device(device), 'train')


@pytest.mark.parametrize(('device', 'data', 'ahead'), [
    ('cpu', {}, False), ('cpu', dict(normalize_on_device=True), True),
    ('cpu', dict(normalize_on_device=False), False), ('cuda', {}, True),
    ('cuda', dict(normalize_on_device=False), True)])
def test_batches_are_prefetched_for_accelerators(device, data, ahead):
    loader = make(device, **data)

    assert isinstance(loader, DevicePrefetcher if ahead else DataLoader)
    if ahead:
        assert loader.device == torch.device(device)
        assert loader.transform is finish


def test_a_prefetched_batch_is_as_any(monkeypatch):
    for data in ({}, dict(normalize_on_device=True), dict(on_error='skip', plan_pipeline=False)):
        batches = list(make(**data))
        assert sorted(float(value) for batch in batches
                      for value in batch['img'].data[0][:, 0, 0, 0]) == [0, 1, 2, 3]


def test_a_prefetching_loader_still_reports_what_it_skips():
    assert make('cuda', on_error='skip').max_skipped == 100
    assert getattr(make('cuda'), 'max_skipped', None) is None


def test_prefetch_factor():
    cfg = Config(dict(data=dict(samples_per_gpu=2, workers_per_gpu=1, prefetch_factor=7)))
    loader = training_loader(Images(), cfg, False, torch.device('cpu'), 'train')

    assert loader.prefetch_factor == 7
    assert make(prefetch_factor=7).prefetch_factor is None


def test_the_train_dataloader_of_later_configs():
    """Those of 0.30 may say there what others say in `data`."""
    loader = make(train_dataloader=dict(samples_per_gpu=1, workers_per_gpu=1, prefetch_factor=3,
                                        persistent_workers=False))

    assert (loader.batch_size, loader.num_workers, loader.prefetch_factor,
            loader.persistent_workers) == (1, 1, 3, False)
    with pytest.raises(ConfigError, match=r'data\.train_dataloader\.sample_per_gpu .* is no'):
        make(train_dataloader=dict(sample_per_gpu=1))
    # What is so in any case may be said, and nothing else.
    assert make(train_dataloader=dict(shuffle=True, drop_last=True)).drop_last
    for name in ('shuffle', 'drop_last'):
        with pytest.raises(ConfigError, match=rf'data\.train_dataloader\.{name}=False .* '
                           'it takes True: (training samples are always|all processes need)'):
            make(train_dataloader={name: False})


def test_wrong_settings_are_explained():
    with pytest.raises(ConfigError, match=r'data\.cache=3'):
        make(cache=3)
