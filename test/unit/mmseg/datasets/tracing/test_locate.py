"""Samples are found by the names of their files, whatever wraps the data set."""
import pytest
from torch.utils.data import Subset, TensorDataset

from mmcv_replace.utils.errors import DataError
from mmseg.datasets import build_dataset
from mmseg.datasets.tracing import file_of, find_samples, leaf_of


@pytest.fixture
def dataset(dataset_cfg):
    return build_dataset(dataset_cfg)


def test_samples_of_wrappers(dataset_cfg, dataset):
    twice = build_dataset(dict(type='RepeatDataset', times=2, dataset=dataset_cfg))
    joined = build_dataset([dataset_cfg, dict(dataset_cfg, split='train.txt')])
    mixed = build_dataset(dict(type='MultiImageMixDataset', dataset=dict(
        type='RepeatDataset', times=2, dataset=dataset_cfg), pipeline=[]))
    for found in (twice, mixed):
        assert [file_of(found, index) for index in (1, 5, 6)] == ['1.jpg', '5.jpg', '0.jpg']
        assert leaf_of(found, 8)[1] == 2
    assert [file_of(joined, index) for index in (5, 6, 7)] == ['5.jpg', '4.jpg', '0.jpg']
    assert leaf_of(joined, 7) == (joined.datasets[1], 1)
    assert file_of(Subset(dataset, [4, 2]), 1) == '2.jpg'
    assert find_samples(twice, '3') == [3, 9]
    assert find_samples(joined, '[04].jpg') == [0, 4, 6, 7]


@pytest.mark.parametrize(('pattern', 'found'), [
    ('3', [3]), ('3.jpg', [3]), ('*', [0, 1, 2, 3, 4, 5]), ('[12]', [1, 2])])
def test_names_and_patterns(dataset, pattern, found):
    assert find_samples(dataset, pattern) == found


def test_names_with_folders_and_brackets(dataset):
    dataset.img_infos = [dict(filename='city/a[1].png'), dict(filename='b.tar.png')]
    for name in ('city/a[1].png', 'a[1].png', 'a[1]', 'city/a[1]', 'city/*'):
        assert find_samples(dataset, name) == [0]
    assert find_samples(dataset, 'b.tar') == [1]


def test_no_such_name(dataset):
    dataset.img_infos = [dict(filename='2007_000032.jpg'), dict(filename='2008_1.jpg')]
    with pytest.raises(DataError, match="called '2007_00003'; similar are 2007_000032"):
        find_samples(dataset, '2007_00003')
    with pytest.raises(DataError, match=r"called 'zebra' \(the first one is '2007_000032'\)"):
        find_samples(dataset, 'zebra')


def test_data_sets_without_files():
    import torch
    dataset = TensorDataset(torch.zeros(3))
    assert file_of(dataset, 1) is None
    with pytest.raises(DataError, match='have no names, choose by number'):
        find_samples(dataset, 'a')
