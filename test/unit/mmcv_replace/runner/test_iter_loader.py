import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.runner import IterLoader
from mmcv_replace.utils.errors import DataError


class Sampler(torch.utils.data.Sampler):
    """Gives the epoch times ten plus 0, 1, 2."""

    def __init__(self):
        self.epoch = None

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        return iter([10 * self.epoch + i for i in range(3)])

    def __len__(self):
        return 3


def test_starts_over_and_tells_the_sampler():
    loader = IterLoader(DataLoader(range(100), sampler=Sampler()))
    assert len(loader) == 3
    seen = [(next(loader).item(), loader.epoch) for _ in range(7)]
    assert seen == [(0, 0), (1, 0), (2, 0), (10, 1), (11, 1), (12, 1), (20, 2)]


def test_begins_at_a_later_epoch():
    loader = IterLoader(DataLoader(range(100), sampler=Sampler()), epoch=4)
    assert next(loader).item() == 40
    assert loader.epoch == 4


def test_is_an_iterator():
    loader = IterLoader(DataLoader(range(2)))
    assert [value.item() for _, value in zip(range(3), loader, strict=False)] == [0, 1, 0]
    assert loader.dataset == range(2)


def test_no_batch_is_an_error():
    with pytest.raises(DataError, match='samples_per_gpu'):
        next(IterLoader(DataLoader(range(1), batch_size=2, drop_last=True)))
