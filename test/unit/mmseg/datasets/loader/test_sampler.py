import copy
import pickle

import numpy as np
import pytest

from mmseg.datasets.loader.sampler import EpochSampler, SampleIndex


def shares(length, world_size, epoch=0, **kwargs):
    samplers = [EpochSampler(range(length), rank=rank, world_size=world_size, **kwargs)
                for rank in range(world_size)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    return [list(sampler) for sampler in samplers]


@pytest.mark.parametrize('copied', [
    lambda index: pickle.loads(pickle.dumps(index)), copy.copy, copy.deepcopy])
def test_a_sample_index_is_an_int_that_keeps_its_epoch(copied):
    index = copied(SampleIndex(7, epoch=3))

    assert type(index) is SampleIndex
    assert (index, index.epoch) == (7, 3)
    assert [10, 20][SampleIndex(1, epoch=9)] == 20


def test_without_shuffling_the_order_is_that_of_the_dataset():
    sampler = EpochSampler(range(5), shuffle=False)
    sampler.set_epoch(4)

    assert list(sampler) == [0, 1, 2, 3, 4]
    assert [index.epoch for index in sampler] == [4] * 5


def test_shuffling_depends_on_seed_and_epoch_only():
    orders = {(seed, epoch): tuple(shares(50, 1, epoch, seed=seed)[0])
              for seed in (0, 1) for epoch in (0, 1, 2)}

    assert len(set(orders.values())) == 6
    assert all(sorted(order) == list(range(50)) for order in orders.values())
    np.random.seed(123)
    assert tuple(shares(50, 1, 2, seed=1)[0]) == orders[1, 2]


def test_shuffling_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()

    list(EpochSampler(range(50)))

    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize('shuffle', [True, False])
@pytest.mark.parametrize(('length', 'world_size'), [(10, 3), (12, 4), (2, 5), (7, 1)])
def test_evaluation_partitions_the_samples_without_duplicates(shuffle, length, world_size):
    parts = shares(length, world_size, shuffle=shuffle, pad_to_even=False)

    assert sorted(sum(parts, [])) == list(range(length))
    if not shuffle:
        assert parts == [list(range(length))[rank::world_size] for rank in range(world_size)]


@pytest.mark.parametrize(('length', 'world_size', 'each'), [
    (10, 3, 4), (12, 4, 3), (2, 5, 1), (1, 4, 1), (7, 1, 7)])
def test_training_gives_every_process_equally_many_samples(length, world_size, each):
    parts = shares(length, world_size, pad_to_even=True)

    assert [len(part) for part in parts] == [each] * world_size
    assert set(sum(parts, [])) == set(range(length))


@pytest.mark.parametrize('pad_to_even', [True, False])
def test_the_length_is_that_of_a_full_epoch(pad_to_even):
    for length, world_size in [(10, 3), (2, 5), (12, 4)]:
        for rank in range(world_size):
            sampler = EpochSampler(range(length), rank=rank, world_size=world_size,
                                   pad_to_even=pad_to_even)
            assert len(sampler) == len(list(sampler))
            sampler.set_epoch(1, start=1)
            assert len(sampler) == len(list(sampler)) + 1 or len(sampler) == 0


@pytest.mark.parametrize('rank', [0, 1, 2])
def test_start_continues_an_interrupted_epoch(rank):
    sampler = EpochSampler(range(20), rank=rank, world_size=3)
    sampler.set_epoch(5)
    whole = list(sampler)

    sampler.set_epoch(5, start=4)

    assert list(sampler) == whole[4:]
    sampler.set_epoch(6)
    assert len(list(sampler)) == 7
