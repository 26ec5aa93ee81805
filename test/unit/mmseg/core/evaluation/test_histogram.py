"""Counting of values against NumPy's plain counts."""
import numpy as np
import pytest

from mmseg.core.evaluation import histogram
from mmseg.core.evaluation.histogram import count_pairs, count_runs, count_values, find_runs


def noise(shape=(37, 53), top=256):
    return np.random.default_rng(0).integers(0, top, (2, *shape)).astype(np.uint8)


def flat():
    return np.kron(noise((4, 5)), np.ones((40, 60), np.uint8))


def refuse(*args):
    raise AssertionError('this way is not the one for such maps')


MAPS = {
    'noise': noise(),
    'flat': flat(),
    'few values': noise(top=3),
    'one value': np.full((2, 30, 40), 255, np.uint8),
    'one pixel': noise((1, 1)),
    'one pixel differs': np.pad(noise((1, 1)), [(0, 0), (20, 20), (0, 31)]),
    'columns': flat().transpose(0, 2, 1),
    'empty': noise((0, 4)),
}


@pytest.mark.parametrize('maps', MAPS.values(), ids=MAPS)
def test_counts_are_exact(maps):
    first, second = maps
    np.testing.assert_array_equal(count_values(first), np.bincount(first.ravel(), minlength=256))
    codes = first.ravel().astype(int) * 256 + second.ravel()
    expected = np.bincount(codes, minlength=256 * 256).reshape(256, 256)
    counts = count_pairs(first, second)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, expected[:len(counts)])
    assert not expected[len(counts):].any()


def test_flat_maps_are_counted_by_runs_and_noise_by_pixels(monkeypatch):
    monkeypatch.setattr(histogram, '_histogram', refuse)
    count_pairs(*flat())
    count_values(flat()[0])
    monkeypatch.undo()
    monkeypatch.setattr(histogram, '_sum_by', refuse)
    count_pairs(*noise())
    count_values(noise()[0])


@pytest.mark.parametrize('maps', [noise(), noise(top=2)])
def test_pieces_of_a_large_map_add_up(monkeypatch, maps):
    expected = count_pairs(*maps), count_values(maps[0])
    monkeypatch.setattr(histogram, 'EXACT_COUNT', 100)
    np.testing.assert_array_equal(count_pairs(*maps), expected[0])
    np.testing.assert_array_equal(count_values(maps[0]), expected[1])


def test_more_pixels_of_one_kind_than_float32_can_count(monkeypatch):
    side = 4099
    label = np.ones((side, side), np.uint8)
    monkeypatch.setattr(histogram, 'LONG_RUN', np.inf)
    assert count_values(label)[1] == side * side
    monkeypatch.undo()
    assert count_values(label)[1] == side * side


@pytest.mark.parametrize('maps', [MAPS[name] for name in MAPS if name != 'empty'],
                         ids=[name for name in MAPS if name != 'empty'])
def test_repeated_pixels_are_counted_without_repeating_them(maps, monkeypatch):
    rng = np.random.default_rng(1)
    labels, least = maps[0], histogram.LONG_RUN
    rows, columns = (rng.integers(0, 4, edge) for edge in labels.shape)
    expected = np.bincount(np.repeat(np.repeat(labels, rows, 0), columns, 1).ravel(), minlength=256)
    monkeypatch.setattr(histogram, 'LONG_RUN', 0)
    runs = find_runs(labels)
    again = np.zeros_like(labels)
    for value, row, start, end in zip(*runs, strict=True):
        again[row, start:end] = value
    np.testing.assert_array_equal(again, labels)
    counts = count_runs(runs, rows, columns)
    np.testing.assert_array_equal(counts, expected)
    assert counts.dtype == np.int64
    monkeypatch.setattr(histogram, 'LONG_RUN', least)
    assert (find_runs(labels) is None) == (len(runs.values) * least > labels.size)
