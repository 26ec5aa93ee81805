"""Windows of a resized label map, against the map that OpenCV resizes."""
import cv2
import numpy as np
import pytest

from mmseg.datasets.pipelines import resized_label
from mmseg.datasets.pipelines.resized_label import ResizedLabel

SIZES = [(94, 61), (40, 30), (200, 170), (150, 33)]
WINDOWS = [np.s_[0:61, 0:94], np.s_[3:20, 5:35], np.s_[20:29, 38:39]]


@pytest.mark.parametrize('few', [0, 2**20])
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('noise', [False, True])
@pytest.mark.parametrize('dtype', [np.uint8, np.int32])
def test_what_windows_show_and_hold(monkeypatch, few, size, noise, dtype):
    monkeypatch.setattr(resized_label, 'FEW', few)
    label = np.random.RandomState(0).randint(0, 9, (61, 94) if noise else (3, 4)).astype(np.uint8)
    label = cv2.resize(label, (94, 61), interpolation=cv2.INTER_NEAREST).astype(dtype)
    label += 1000 if dtype != np.uint8 else 0
    resized = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    for window in WINDOWS:
        made = ResizedLabel(label, size)
        expected = resized[window]
        for _ in range(2):
            np.testing.assert_array_equal(made.read(window), expected)
            for found, plain in zip(made.count(window), np.unique(expected, return_counts=True),
                                    strict=True):
                np.testing.assert_array_equal(found, plain)
        assert made.read(window).dtype == dtype


def test_slices_of_rows_are_read():
    """As of a file, of which only these are read."""
    label = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4), np.ones((20, 30), np.uint8))
    read = []

    class Rows:
        shape, dtype = label.shape, label.dtype

        def __getitem__(self, part):
            read.append(part[0])
            return label[part]

    made = ResizedLabel(Rows(), (60, 30))
    made._is_small = False
    window = np.s_[10:20, 30:60]
    expected = label[20:40:2, 60::2]
    np.testing.assert_array_equal(made.read(window), expected)
    assert dict(zip(*made.count(window), strict=True)) == {6: 150, 7: 150}
    assert {(part.start, part.stop) for part in read} == {(20, 39)}


def test_the_same_window_is_counted_once(monkeypatch):
    made = ResizedLabel(np.zeros((6, 80), np.uint8), (80, 6))
    windows = []
    taken = ResizedLabel._taken
    monkeypatch.setattr(ResizedLabel, '_taken', lambda self, window: windows.append(
        window) or taken(self, window))
    for rows in (9, 9, 4, 9):
        values, counts = made.count((slice(0, rows), slice(0, 90)))
        assert (values.tolist(), counts.tolist()) == ([0], [80 * min(rows, 6)])
    assert len(windows) == 3
