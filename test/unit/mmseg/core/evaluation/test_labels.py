"""From file values to classes."""
import numpy as np
import pytest

from mmseg.core.evaluation import remap_labels

VALUES = np.array([[0, 1, 2, 3, 254, 255]], np.uint8)


def test_nothing_to_do_returns_the_label_itself():
    assert remap_labels(VALUES) is VALUES
    assert remap_labels(VALUES, {}) is VALUES


def test_label_map_swaps_and_leaves_the_original():
    before = VALUES.copy()
    assert remap_labels(VALUES, {1: 2, 2: 1}).tolist() == [[0, 2, 1, 3, 254, 255]]
    np.testing.assert_array_equal(VALUES, before)


def test_class_minus_one_is_ignored():
    assert remap_labels(VALUES, {2: -1}, ignore_index=100).tolist() == [[0, 1, 100, 3, 254, 255]]


def test_reduce_zero_label():
    assert remap_labels(VALUES, reduce_zero_label=True).tolist() == [[255, 0, 1, 2, 253, 255]]
    assert remap_labels(VALUES, reduce_zero_label=True, ignore_index=150).tolist() \
        == [[150, 0, 1, 2, 253, 150]]


def test_label_map_comes_before_reduce_zero_label():
    assert remap_labels(VALUES, {3: 0, 0: 3}, True).tolist() == [[2, 0, 1, 255, 253, 255]]


@pytest.mark.parametrize('ignore_index', [-1, 1000])
def test_ignore_index_that_needs_more_bits(ignore_index):
    result = remap_labels(VALUES, reduce_zero_label=True, ignore_index=ignore_index)
    assert result.tolist() == [[ignore_index, 0, 1, 2, 253, ignore_index]]
    assert remap_labels(VALUES, {1: 300}).tolist() == [[0, 300, 2, 3, 254, 255]]


@pytest.mark.parametrize('label_map', [None, {3: 7, 7: 3, 9: -1, 0: 0}, {1: 300}])
@pytest.mark.parametrize('reduce_zero_label', [False, True])
@pytest.mark.parametrize('ignore_index', [255, 4, -1])
def test_a_large_mask_is_renumbered_as_each_of_its_pixels(label_map, reduce_zero_label,
                                                          ignore_index):
    label = np.random.RandomState(0).randint(0, 256, (40, 30)).astype(np.uint8)

    result = remap_labels(label, label_map, reduce_zero_label, ignore_index)

    def one(value):
        value = (label_map or {}).get(value, value)
        value = ignore_index if value == -1 else value
        if reduce_zero_label:
            value = ignore_index if value in (0, 255, ignore_index) else value - 1
        return value

    assert result.tolist() == [[one(value) for value in row] for row in label.tolist()]
    assert result.dtype == remap_labels(label[:1, :2], label_map, reduce_zero_label,
                                        ignore_index).dtype
