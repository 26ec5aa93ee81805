import numpy as np
import pytest

from mmseg.benchmark.differences import compare


def test_labels_by_share_and_numbers_relative_to_the_largest():
    ours = {'labels': np.array([0, 1, 2, 3]), 'loss': np.array([4.0, 2.0])}
    theirs = {'labels': np.array([0, 1, 2, 0]), 'loss': np.array([4.0, 1.0]), 'more': np.ones(3)}
    assert compare(theirs, ours) == {'labels': 0.25, 'loss': 0.25}


def test_numbered_results_are_summed_up_by_the_largest():
    ours = {'img/0': np.array([1.0]), 'img/1': np.array([2.0])}
    theirs = {'img/0': np.array([1.5]), 'img/1': np.array([2.0])}
    assert compare(theirs, ours) == {'img': pytest.approx(0.5)}


def test_another_shape_is_wholly_different_and_a_missing_result_is_left_out():
    ours = {'img/0': np.zeros((2, 2)), 'label/0': np.zeros(4)}
    assert compare({'img/0': np.zeros(4)}, ours) == {'img': 1.0}


def test_zeros_compare_absolutely():
    assert compare({'x': np.array([0.25])}, {'x': np.array([0.0])}) == {'x': 0.25}
