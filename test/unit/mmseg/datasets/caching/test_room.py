"""How many samples `data.cache.dir` takes."""
import copy
import logging
import re
import shutil
from functools import partial

import pytest

from mmseg.datasets import build_dataset
from mmseg.datasets.caching import disk_cache
from mmseg.datasets.caching import room as cache_room
from mmseg.datasets.caching.disk_cache import DiskCache
from mmseg.datasets.caching.room import open_disk_cache
from mmseg.datasets.pipelines import loading
from mmseg.datasets.pipelines.fusion import fuse_steps


@pytest.fixture
def parts(dataset_cfg):
    return [build_dataset(dataset_cfg), build_dataset(dict(dataset_cfg, split='train.txt'))]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'kept'


@pytest.fixture
def disk(monkeypatch):
    def leave(free):
        usage = shutil._ntuple_diskusage(total=10**9, used=0, free=10**8 + free)
        monkeypatch.setattr(disk_cache.shutil, 'disk_usage', lambda path: usage)
    return leave


def fill(parts, folder):
    """Load all samples as a training does."""
    for part in parts:
        part.pipeline.fusion = partial(fuse_steps, cache=DiskCache(folder))
        for index in range(len(part)):
            part[index]


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']


def test_a_data_set_that_fits(parts, folder, disk, caplog):
    disk(10**6)
    with caplog.at_level(logging.INFO, 'mmseg'):
        cache = open_disk_cache(parts, folder, None)
    assert cache.share == 1
    assert not warnings(caplog)
    assert not list(folder.glob('*/*'))
    estimate, there = re.search('9 decoded samples take about (.*) GB, of which (.*) GB are in',
                                caplog.text).groups()
    assert there == '0'
    fill(parts, folder)
    # Three of the six samples are in both data sets.
    size = sum(path.stat().st_size for path in folder.glob('*/*'))
    assert float(estimate) == pytest.approx(1.5e-9 * size, rel=0.05)
    caplog.clear()
    with caplog.at_level(logging.INFO, 'mmseg'):
        open_disk_cache(parts, folder, None)
    assert f'take about {estimate} GB, of which {estimate} GB are in' in caplog.text


@pytest.mark.parametrize('max_gb', [None, 5e-5])
def test_more_than_there_is_room_for(parts, folder, disk, caplog, max_gb):
    disk(50_000 if max_gb is None else 10**9)
    cache = open_disk_cache(parts, folder, max_gb)
    assert 0.1 < cache.share < 0.8
    message, = warnings(caplog)
    where = 'max_gb=5e-05' if max_gb else 'there is room for '
    assert message.startswith('data.cache: 9 decoded samples take about ')
    assert f'GB, but {where}' in message
    assert f'about {cache.share:.0%} of them are kept, the others are decoded each' in message


def test_no_room(parts, folder, disk, caplog):
    disk(0)
    cache = open_disk_cache(parts, folder, None)
    assert cache.share == 0
    message, = warnings(caplog)
    assert 'there is room for 0 GB in ' in message
    assert message.endswith('all are decoded each time')
    assert not list(folder.glob('*/*'))


def test_what_is_there_already_takes_no_more_room(parts, folder, disk, caplog):
    fill(parts, folder)
    disk(0)
    caplog.clear()
    cache = open_disk_cache(parts, folder, None)
    assert cache.share == 1
    assert not warnings(caplog)


def test_large_data_sets_are_estimated_from_some_samples(parts, folder, monkeypatch):
    monkeypatch.setattr(cache_room, 'LOOKED_FOR', 3)
    names, decode = [], loading.imfrombytes
    monkeypatch.setattr(loading, 'imfrombytes', lambda content, **options: names.append(
        options['name']) or decode(content, **options))
    for decoded in (1, 3):
        names.clear()
        monkeypatch.setattr(cache_room, 'DECODED', decoded)
        open_disk_cache(parts, folder, None)
        # The first, the middle and the last are looked for.
        assert [name[-5:] for name in names] == ['0.jpg', '4.jpg', '2.jpg'][:decoded]
    assert open_disk_cache([], folder, None).share == 1


def test_files_that_cannot_be_read_are_left_to_the_training(parts, folder, data_root, caplog):
    for path in (data_root / 'img').iterdir():
        path.write_bytes(b'no image')
    assert open_disk_cache(parts, folder, None).share == 1
    assert not warnings(caplog)


def test_a_data_set_of_another_kind(parts, folder):
    class Others:
        """A data set that has but its pipeline in common with CustomDataset."""

        def __init__(self, inner):
            self.pipeline = inner.pipeline
            self.inner = inner

        def __len__(self):
            return len(self.inner)

        def __getitem__(self, index):
            inner = copy.copy(self.inner)
            inner.pipeline = self.pipeline
            return inner[index]

    cache = open_disk_cache([Others(parts[0])], folder, 5e-5)
    assert 0 < cache.share < 1
