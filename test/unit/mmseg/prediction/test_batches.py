"""Batches of images of one shape."""
import numpy as np
import pytest
import torch

from mmcv_replace.parallel import DataContainer
from mmseg.prediction.batches import PATIENCE, batches_of_one_key, in_order, shape_of


@pytest.mark.parametrize('size', [1, 2, 5])
def test_every_item_is_in_one_batch_of_its_key(size):
    rng = np.random.default_rng(size)
    items = rng.integers(0, 4, 60).tolist()
    batches = list(batches_of_one_key(items, lambda item: item, size))
    assert sorted(place for batch in batches for place, _ in batch) == list(range(60))
    for batch in batches:
        assert len(batch) <= size
        assert len({item for _, item in batch}) == 1
        assert all(items[place] == item for place, item in batch)
    full = sum(len(batch) == size for batch in batches)
    assert full >= 60 / size / 2
    assert list(in_order(batches)) == items


def test_nothing_waits_for_long():
    """A single item of a rare shape among many of a common one."""
    taken = []
    items = (taken.append(i) or i for i in range(1000))
    batches = batches_of_one_key(items, lambda item: item == 0, 2)
    for batch in batches:
        if batch == [(0, 0)]:
            break
    assert 2 <= len(taken) <= PATIENCE * 2 + 1


def test_shapes_of_samples():
    def sample(height, views=1, dtype=torch.float32, name='x'):
        return dict(img=[torch.zeros(3, height, 4, dtype=dtype)] * views,
                    img_metas=[DataContainer(dict(filename=name), cpu_only=True)] * views,
                    other=DataContainer(torch.zeros(height), stack=True))

    assert shape_of(sample(2)) == shape_of(sample(2, name='y'))
    for other in (sample(3), sample(2, views=2), sample(2, dtype=torch.uint8)):
        assert shape_of(sample(2)) != shape_of(other)
    only_stacked = [DataContainer(torch.zeros(n), stack=True) for n in (1, 2)]
    assert shape_of(only_stacked[0]) != shape_of(only_stacked[1])
