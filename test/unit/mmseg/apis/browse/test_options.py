"""Which samples are chosen, and what is refused."""
import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.browse import BrowseOptions
from mmseg.apis.browse.options import read_numbers


class Named(TensorDataset):
    def __init__(self, number):
        super().__init__(torch.zeros(number))
        self.img_infos = [dict(filename=f'a{index}.jpg') for index in range(number)]


def test_a_number_of_samples_is_spread_evenly():
    assert BrowseOptions().choose(Named(400)) == [0, 50, 100, 150, 200, 250, 300, 350]
    assert BrowseOptions(number=3).choose(Named(10)) == [0, 3, 6]
    assert BrowseOptions(number=9).choose(Named(4)) == [0, 1, 2, 3]
    assert BrowseOptions(number=0).choose(Named(11)) == list(range(11))


def test_chosen_samples_keep_their_order():
    chosen = BrowseOptions(indices=[7, 2], names=['a3', 'a2.jpg']).choose(Named(9))
    assert chosen == [7, 2, 3]


@pytest.mark.parametrize(('options', 'number', 'message'), [
    ({}, 0, 'data.val has no sample'), (dict(indices=[1, 9]), 9, '--index 9: .* 9 samples, 0 to 8'),
    (dict(names=['b']), 3, "called 'b'")])
def test_samples_that_do_not_exist(options, number, message):
    with pytest.raises(DataError, match=message):
        BrowseOptions(split='val', **options).choose(Named(number))


@pytest.mark.parametrize(('options', 'message'), [
    (dict(opacity=0), '--opacity 0: '), (dict(opacity=1.5), '--opacity 1.5'),
    (dict(number=-1), '--number -1'), (dict(show_interval=-0.5), '--show-interval -0.5'),
    (dict(max_side=5), '--max-side 5'), (dict(seed=-3), '--seed -3'),
    (dict(seed=2**32), '--seed 4294967296: a seed is from 0')])
def test_values_that_do_not_fit(options, message):
    with pytest.raises(ConfigError, match=message):
        BrowseOptions(**options)


def test_numbers_and_ranges():
    assert read_numbers(['3', '8-10', '0-0'], '--index') == [3, 8, 9, 10, 0]
    for wrong in ('x', '3-', '-3', '5-2', '1.5', ''):
        with pytest.raises(ConfigError, match=f'--epoch {wrong}: give numbers'):
            read_numbers([wrong], '--epoch')
    with pytest.raises(ConfigError, match='--epoch 0-99999999999: give at most 100,000'):
        read_numbers(['0-99999999999'], '--epoch')
    assert np.array_equal(read_numbers([], '--index'), [])
