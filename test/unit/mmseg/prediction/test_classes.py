"""Shares of classes, and pixels that are too uncertain to have one."""
from types import SimpleNamespace

import numpy as np
import pytest

from mmseg.core.evaluation import Prediction
from mmseg.prediction.classes import (
    class_count,
    class_names,
    count_classes,
    ignore_uncertain,
    ignored_value,
    mask_palette,
    palette_of,
    shares_by_name,
)
from mmseg.visualization import draw_overlay


def test_shares_of_classes():
    seg_map = np.array([[0, 2, 2], [2, 255, 0]], np.uint8)
    counts, uncertain = count_classes(seg_map, 255)
    assert uncertain == 1
    assert shares_by_name(counts, ['road', 'car', '人'], 6) == {'road': 0.333333, '人': 0.5}
    assert shares_by_name(counts, ['a'], 6) == {'a': 0.333333, '2': 0.5}
    assert count_classes(seg_map)[0][255] == 1  # a class, without a threshold
    assert count_classes(np.zeros((2, 2), np.uint8), 255)[1] == 0


def test_no_two_classes_share_a_name():
    assert class_names(['a', 'b', 'a'], 5) == ['a 0', 'b', 'a 2', '3', '4']
    assert class_names(['a', 'a', 'a 0'], 3) == ['a 0 0', 'a 1', 'a 0 2']
    assert class_names(['1', '0'], 2) == ['1', '0']
    assert class_names(['1'], 2) == ['1 0', '1 1']
    assert class_names(['a', 'b'], 1) == ['a']
    assert class_names(None, 2) == ['0', '1']


@pytest.mark.parametrize(('classes', 'ignored', 'dtype'), [
    (21, 255, np.uint8), (255, 255, np.uint8), (256, 65535, np.uint8), (300, 65535, np.int32)])
def test_uncertain_pixels_become_ignored(classes, ignored, dtype):
    assert ignored_value(classes) == ignored
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(classes), (5, 7)).transpose(2, 0, 1).astype(np.float32)
    seg_map = scores.argmax(0).astype(dtype)
    threshold = float(np.median(scores.max(0)))
    expected = [[seg_map[y, x] if max(scores[:, y, x]) >= threshold else ignored
                 for x in range(7)] for y in range(5)]
    for kept in (scores, scores.max(0)):
        found, = ignore_uncertain([Prediction(3, seg_map, {}, kept)], threshold, ignored)
        np.testing.assert_array_equal(found.seg_map, expected)
        assert found.seg_map.dtype == (np.uint8 if ignored == 255 else np.int32)
        assert found.index == 3
        assert found.scores is kept


@pytest.mark.parametrize(('model', 'count'), [
    (dict(num_classes=19), 19), (dict(num_classes=1), 2), (dict(CLASSES=list('abc')), 3),
    (dict(num_classes=300, CLASSES=None), 300), ({}, 2)])
def test_colours_of_a_model_without_a_palette(model, count):
    model = SimpleNamespace(**model)
    assert class_count(model) == count
    colours = palette_of(model)
    assert len({*map(tuple, colours.tolist())}) == len(colours) == count
    seg_map = np.arange(1, count, dtype=np.int32)[None]
    image = np.zeros((*seg_map.shape, 3), np.uint8)
    painted = draw_overlay(image, seg_map, None, 1)[..., ::-1]
    np.testing.assert_array_equal(painted, colours[seg_map])
    model.PALETTE = [[1, 2, 3], [4, 5, 6]]
    completed = palette_of(model)
    assert completed[:2].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert len({*map(tuple, completed.tolist())}) == len(completed) == count
    model.PALETTE = [[1, 2, 3]] * 400
    assert len(palette_of(model)) == 400


def test_uncertain_pixels_of_masks_have_a_colour_of_their_own():
    palette = np.array([[0, 0, 0], [9, 8, 7]], np.uint8)
    found = mask_palette(palette, 255)
    assert found.shape == (256, 3)
    assert found[[0, 1, 255]].tolist() == [[0, 0, 0], [9, 8, 7], [224, 224, 192]]
    assert not found[2:255].any()
    assert mask_palette(palette, 65535) is palette  # grey files have none
    full = np.ones((300, 3), np.uint8)
    assert mask_palette(full, 255) is full
