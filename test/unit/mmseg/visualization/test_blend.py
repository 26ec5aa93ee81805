"""Blending by a table, beside the formula."""
import tracemalloc

import numpy as np
import pytest

from mmseg.visualization import blend as module
from mmseg.visualization.blend import blend


@pytest.mark.parametrize('opacity', [0.5, 0.1, 0.7, 1.0])
@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.int64])
def test_each_value_is_that_of_the_formula(opacity, kind, monkeypatch):
    monkeypatch.setattr(module, 'BLOCK', 100)  # several rows at once, and fewer at the end
    rng = np.random.default_rng(0)
    img = rng.integers(0, 256, (50, 30, 3), dtype=np.uint8)
    colours = rng.integers(0, 256, (20, 3), dtype=np.uint8)
    seg_map = rng.integers(0, 24, (50, 30)).astype(kind)  # four labels have no colour
    seg_map[0] = 255
    shown = np.zeros((256, 3))
    shown[:20] = colours
    for ignore_index in (None, 255, 3):
        if ignore_index is not None:
            shown[ignore_index] = 0
        expected = (img * (1 - opacity) + shown[seg_map] * opacity).astype(np.uint8)
        assert np.array_equal(blend(img, seg_map, colours, opacity, ignore_index), expected)


def test_of_any_size():
    for shape in ((0, 4), (4, 0), (1, 1), (1, module.BLOCK + 7), (module.BLOCK + 7, 1)):
        img = np.full((*shape, 3), 9, np.uint8)
        painted = blend(img, np.ones(shape, np.uint8), np.full((2, 3), 51, np.uint8), 0.5)
        assert painted.shape == img.shape
        assert (painted == 30).all()


def test_the_memory_is_that_of_the_result():
    """And of a block, where an array of float64 alone would need eight times as much."""
    img = np.zeros((1200, 1200, 3), np.uint8)
    seg_map = np.full((1200, 1200), 10**9)  # a label costs no more memory than another one
    tracemalloc.start()
    blend(img, seg_map, np.zeros((171, 3), np.uint8), 0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < img.nbytes + 60 * module.BLOCK
