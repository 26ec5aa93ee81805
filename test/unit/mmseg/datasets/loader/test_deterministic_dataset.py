import contextlib
import pickle
import random

import numpy as np
import pytest
import torch

from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset, seeded
from mmseg.datasets.loader.sampler import SampleIndex


class Draws:
    CLASSES = ('a', 'b')

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return index, random.random(), np.random.rand(), torch.rand(1).item()

    def __getitems__(self, indices):
        raise AssertionError('would be drawn without a seed')

    def evaluate(self, results):
        return {'mIoU': results}


class Failing(Draws):
    def __getitem__(self, index):
        np.random.rand()
        raise KeyError(index)


def states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


def test_every_generator_depends_on_seed_epoch_and_sample():
    draws = [DeterministicDataset(Draws(), seed)[SampleIndex(index, epoch)][1:]
             for seed in range(3) for epoch in range(20) for index in range(50)]

    for generator in zip(*draws, strict=True):
        assert len(set(generator)) == 3000
        assert np.mean(generator) == pytest.approx(0.5, abs=0.02)


def test_draws_of_neighbouring_samples_and_epochs_are_unrelated():
    dataset = DeterministicDataset(Draws())
    draws = np.array([[dataset[SampleIndex(index, epoch)][1:] for index in range(60)]
                      for epoch in range(60)])

    for generator in np.moveaxis(draws, -1, 0):
        for one, other in ((generator[1:], generator[:-1]), (generator[:, 1:], generator[:, :-1])):
            assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.06


def test_the_same_sample_is_drawn_alike_again_whatever_came_before():
    dataset = DeterministicDataset(Draws(), seed=3)
    first = dataset[SampleIndex(2, 1)]
    dataset[0]
    random.seed(9)
    np.random.seed(9)
    torch.manual_seed(9)

    assert dataset[SampleIndex(2, 1)] == first
    assert dataset[2] == dataset[SampleIndex(2, 0)]


@pytest.mark.parametrize('dataset', [Draws(), Failing()])
def test_the_generators_are_restored_also_after_an_error(dataset):
    before = states()

    with contextlib.suppress(KeyError):
        DeterministicDataset(dataset)[1]

    assert states() == before


def test_any_size_of_seed_is_allowed():
    for seed in (-1, 2**40, 2**32 - 1):
        with seeded(seed, epoch=10**6, index=10**8):
            assert 0 <= np.random.rand() < 1


def test_the_dataset_inside_gets_a_plain_index():
    assert type(DeterministicDataset(Draws())[SampleIndex(4, 2)][0]) is int


def test_attributes_are_those_of_the_dataset_inside():
    dataset = DeterministicDataset(Draws())

    assert len(dataset) == 5
    assert dataset.CLASSES == ('a', 'b')
    assert dataset.evaluate(0.5) == {'mIoU': 0.5}
    with pytest.raises(AttributeError, match='PALETTE'):
        dataset.PALETTE  # noqa: B018


def test_protocols_do_not_reach_around_the_seed():
    dataset = DeterministicDataset(Draws(), seed=1)

    assert not hasattr(dataset, '__getitems__')
    assert pickle.loads(pickle.dumps(dataset))[3] == dataset[3]


def test_a_worker_seeds_alike_and_saves_itself_the_restoring(monkeypatch):
    expected = DeterministicDataset(Draws(), seed=3)[SampleIndex(2, 1)]
    before = states()
    monkeypatch.setattr('mmseg.datasets.loader.deterministic_dataset.get_worker_info',
                        lambda: object())

    assert DeterministicDataset(Draws(), seed=3)[SampleIndex(2, 1)] == expected
    assert all(one != other for one, other in zip(states(), before, strict=True))
