"""Data sets inside data sets are found whatever the wrapper: ours, torch's or a user's."""
import pytest
import torch
from torch.utils.data import ConcatDataset as TorchConcat
from torch.utils.data import Dataset, Subset

from mmseg.core.utils import inner_datasets, leaf_configs, leaf_datasets, nested_datasets
from mmseg.datasets import BaseDatasetWrapper, ConcatDataset, RepeatDataset
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset


class Leaf(Dataset):
    def __getitem__(self, index):
        return index

    def __len__(self):
        return 3


class WithInner:
    """A user's wrapper that has nothing but the method."""

    def __init__(self, parts):
        self.parts = parts

    def __len__(self):
        return 6

    def inner(self):
        return self.parts


class Mix(BaseDatasetWrapper):
    def __init__(self, image, mask):
        self.image, self.mask = image, mask

    def inner(self):
        return [self.image, self.mask]


class Described(Leaf):
    """No wrapper: its attribute is a name."""

    dataset = 'cityscapes'


class Configured(Leaf):
    dataset = dict(type='CustomDataset')


class Stored(Leaf):
    dataset = torch.zeros(3)


A, B = Leaf(), Leaf()


@pytest.mark.parametrize(('dataset', 'inner'), [
    (A, []), (Described(), []), (Configured(), []), (Stored(), []), (torch.zeros(3), []),
    (Subset(A, [0]), [A]), (TorchConcat([A, B]), [A, B]),
    (RepeatDataset(A, 2), [A]), (ConcatDataset([A, B]), [A, B]),
    (WithInner([B, A]), [B, A]), (Mix(A, B), [A, B])])
def test_inner(dataset, inner):
    assert list(inner_datasets(dataset)) == inner
    leaves = list(leaf_datasets(dataset))
    assert [*map(id, leaves)] == [*map(id, inner or [dataset])]


def test_nested_wrappers():
    joined = ConcatDataset([Subset(A, [0, 1]), WithInner([B])])
    outer = RepeatDataset(Mix(joined, A), 2)

    assert list(leaf_datasets(outer)) == [A, B, A]
    assert list(nested_datasets(outer)) == [
        outer, outer.dataset, joined, joined.datasets[0], A, joined.datasets[1], B, A]


def test_a_wrapper_may_keep_its_data_sets_under_the_usual_names():
    single, several = BaseDatasetWrapper(), BaseDatasetWrapper()
    single.dataset, several.datasets = A, [A, B]

    assert (single.inner(), several.inner()) == ([A], [A, B])
    assert DeterministicDataset(several).inner() == [several]


def test_configs():
    leaf = dict(type='CustomDataset')
    cfg = [leaf, dict(type='RepeatDataset', dataset=[leaf, 3]),
           dict(type='ConcatDataset', datasets=(leaf, dict(type='Mix', dataset=leaf)))]

    assert [*leaf_configs(cfg, 'data.train')] == [
        ('data.train.0', leaf), ('data.train.1.dataset.0', leaf), ('data.train.1.dataset.1', 3),
        ('data.train.2.datasets.0', leaf), ('data.train.2.datasets.1.dataset', leaf)]
    assert [*leaf_configs([])] == []
    assert [*leaf_configs(dict(type='A', dataset=None), 'x')] == [
        ('x', dict(type='A', dataset=None))]
