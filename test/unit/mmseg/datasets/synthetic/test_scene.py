"""Synthetic scenes: repeatable, complete, and not solvable by one cue alone."""
import itertools

import cv2
import numpy as np
import pytest

from mmseg.datasets.synthetic import make_scene
from mmseg.datasets.synthetic.appearance import NUM_OBJECT_CLASSES, TEXTURES, appearance_of
from mmseg.datasets.synthetic.scene import VOID


def test_depends_on_seed_and_index_alone():
    first = make_scene(0, 3, 96)
    np.random.seed(1)
    cv2.setRNGSeed(5)
    again = make_scene(0, 3, 96)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    for other in (make_scene(1, 3, 96), make_scene(0, 4, 96)):
        assert other.image.shape != first.image.shape or (other.image != first.image).any()


@pytest.mark.parametrize('size', [32, 160, 301])
def test_sizes_and_types(size):
    shapes = set()
    for index in range(8):
        scene = make_scene(0, index, size)
        assert scene.image.shape == (*scene.labels.shape, 3)
        assert scene.image.dtype == scene.labels.dtype == np.uint8
        assert max(scene.labels.shape) == size
        assert min(scene.labels.shape) >= 0.75 * size - 1
        shapes.add(scene.labels.shape)
    assert len(shapes) > 2
    assert {shape[0] == size for shape in shapes} == {True, False}


def test_every_class_comes_soon_and_background_stays():
    scenes = [make_scene(0, index, 96) for index in range(NUM_OBJECT_CLASSES)]
    counts = np.bincount(np.concatenate([scene.labels.ravel() for scene in scenes]), minlength=256)
    assert (counts[:NUM_OBJECT_CLASSES + 1] > 0).all()
    assert not counts[NUM_OBJECT_CLASSES + 1:].any()
    assert 0.3 < counts[0] / counts.sum() < 0.8


def test_void_lies_along_the_borders_of_classes():
    scene = make_scene(0, 0, 96)
    with_void = scene.with_void()
    void = with_void == VOID
    np.testing.assert_array_equal(with_void[~void], scene.labels[~void])
    height, width = scene.labels.shape
    for y, x in itertools.product(range(height), range(width)):
        around = scene.labels[max(y - 1, 0):y + 2, max(x - 1, 0):x + 2]
        assert void[y, x] == (len(np.unique(around)) > 1)
    assert 0.005 < void.mean() < 0.15


def test_no_single_cue_tells_the_class():
    looks = [appearance_of(label) for label in range(1, NUM_OBJECT_CLASSES + 1)]
    for cue in ('hue', 'texture'):
        assert len({id(getattr(look, cue)) if cue == 'texture' else look.hue
                    for look in looks}) < NUM_OBJECT_CLASSES
    assert len({(look.hue, look.texture.__name__) for look in looks}) == NUM_OBJECT_CLASSES
    assert len({(look.hue, look.outline.tobytes()) for look in looks}) == NUM_OBJECT_CLASSES


@pytest.mark.parametrize('texture', TEXTURES)
def test_textures_have_light_and_dark_parts(texture):
    grid = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1) / 9
    field = texture(grid[..., 0], grid[..., 1], np.random.default_rng(0))
    assert field.shape == (64, 64)
    assert 0.15 < (field > 0).mean() < 0.85
