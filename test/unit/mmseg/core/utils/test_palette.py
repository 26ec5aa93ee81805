"""VOC's colour map and indexed PNGs, against real files."""
import os

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.core.utils import voc_colormap, write_deep_png, write_grey_png, write_palette_png


def test_colour_map_equals_that_of_a_real_mask(shared_dir):
    mask = next((shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/SegmentationClass').glob('*.png'))
    stored = np.array(Image.open(mask).getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(voc_colormap(), stored)
    np.testing.assert_array_equal(voc_colormap(21), stored[:21])


@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_png_keeps_indices_and_colours(tmp_path, dtype):
    label_map = np.random.randint(0, 256, (7, 9)).astype(dtype)
    write_palette_png(tmp_path / 'mask.png', label_map)
    with Image.open(tmp_path / 'mask.png') as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.array(image), label_map)
        np.testing.assert_array_equal(np.array(image.convert('RGB')), voc_colormap()[label_map])
    assert [path.name for path in tmp_path.iterdir()] == ['mask.png']


def test_png_takes_another_palette(tmp_path):
    write_palette_png(tmp_path / 'mask.png', np.array([[0, 1]], np.uint8), [[1, 2, 3], [4, 5, 6]])
    with Image.open(tmp_path / 'mask.png') as image:
        assert np.array(image.convert('RGB')).tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_png_of_more_values_than_a_palette_has(tmp_path):
    label_map = np.random.randint(0, 2**16, (7, 9))
    write_deep_png(tmp_path / 'mask.png', label_map)
    with Image.open(tmp_path / 'mask.png') as image:
        np.testing.assert_array_equal(np.array(image), label_map)


def test_without_sync_nobody_waits_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'fsync', lambda fd: pytest.fail('waits'))
    write_palette_png(tmp_path / 'mask.png', np.zeros((2, 2), np.uint8), sync=False)
    write_deep_png(tmp_path / 'deep.png', np.zeros((2, 2), np.uint8), sync=False)


@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_grey_png_keeps_the_values(tmp_path, dtype):
    label_map = np.random.randint(0, 256, (7, 9)).astype(dtype)
    write_grey_png(tmp_path / 'mask.png', label_map)
    with Image.open(tmp_path / 'mask.png') as image:
        assert image.mode == 'L'
        np.testing.assert_array_equal(np.array(image), label_map)


@pytest.mark.parametrize('number', [1, 2, 3, 16, 17])
def test_few_colours_keep_the_ignored_value(tmp_path, number):
    label_map = np.array([[0, number - 1, 255]], np.uint8)
    write_palette_png(tmp_path / 'mask.png', label_map, voc_colormap(number))
    with Image.open(tmp_path / 'mask.png') as image:
        np.testing.assert_array_equal(np.array(image), label_map)


@pytest.mark.parametrize('write', [write_palette_png, write_grey_png])
def test_value_beyond_eight_bits_is_refused(tmp_path, write):
    with pytest.raises(DataError, match=r'mask\.png: the label map holds values from 0 to 300'):
        write(tmp_path / 'mask.png', np.array([[0, 300]]))
    assert not list(tmp_path.iterdir())
