"""A loader that is one batch ahead on the device."""
import gc

import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.parallel import DataContainer, DevicePrefetcher, collate
from mmcv_replace.utils.errors import DataError


class Numbers:
    CLASSES = ('a',)

    def __init__(self, length=5, bad=None):
        self.length = length
        self.bad = bad
        self.read = []

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index == self.bad:
            raise DataError(f'sample {index}')
        self.read.append(index)
        return {'img': DataContainer(torch.full((1, 2, 2), float(index)), stack=True),
                'img_metas': DataContainer({'index': index}, cpu_only=True)}


def make(dataset, device='cpu', transform=None, **kwargs):
    loader = DataLoader(dataset, batch_size=1, collate_fn=collate, **kwargs)
    return DevicePrefetcher(loader, torch.device(device), transform)


def indices(batches):
    return [batch['img_metas'].data[0][0]['index'] for batch in batches]


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('length', [0, 1, 2, 5])
def test_gives_every_batch_once_and_in_order(workers, length):
    loader = make(Numbers(length), num_workers=workers)

    assert len(loader) == length
    for _ in range(2):
        assert indices(loader) == list(range(length))


def test_the_next_batch_is_moved_before_this_one_is_used():
    dataset, done = Numbers(4), []
    batches = iter(make(dataset, 'meta', lambda batch: done.append(1) or batch))

    for number in range(1, 5):
        batch = next(batches)
        assert batch['img'].data[0].device.type == 'meta'
        assert len(dataset.read) == len(done) == min(number + 1, 4)


def test_the_transform_sees_the_batch_on_the_device():
    def double(batch):
        assert batch['img'].data[0].device.type == 'meta'
        return dict(batch, doubled=True)

    assert all(batch['doubled'] for batch in make(Numbers(), 'meta', double))


def test_attributes_are_those_of_the_loader():
    loader = make(Numbers(3))

    assert loader.dataset.CLASSES == ('a',)
    assert loader.sampler is loader.loader.sampler
    assert not hasattr(loader, 'nothing_of_the_kind')


def test_a_start_within_the_epoch_is_heeded():
    class Sampler(list):
        start = 0

        def set_epoch(self, epoch, start=0):
            self.start = start

        def __iter__(self):
            return iter(range(self.start, 5))

    loader = make(Numbers(), sampler=Sampler(range(5)))
    loader.sampler.set_epoch(0, start=3)

    assert indices(loader) == [3, 4]


def test_an_error_of_the_loader_comes_through():
    batches = iter(make(Numbers(bad=2)))
    next(batches)

    with pytest.raises(DataError, match='sample 2'):
        next(batches)


def test_a_dropped_iterator_leaves_nothing_behind():
    loader = make(Numbers(50), num_workers=2, persistent_workers=True)
    batches = iter(loader)
    next(batches)
    del batches
    gc.collect()

    assert indices(loader) == list(range(50))
