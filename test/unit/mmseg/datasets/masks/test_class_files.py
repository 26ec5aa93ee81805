"""Masks in one file a class."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.fileio.backends.disk import read_bytes
from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmseg.datasets.masks.class_files import files_of, read_class_files, read_class_masks

CLASSES = {'road': 1, 'car': 2, 'sky': 3}


@pytest.fixture
def layers(tmp_path):
    """Files of two classes that share a pixel; the third has none."""
    road, car = np.zeros((2, 4, 6), np.uint8)
    road[2:] = 255
    car[1:3, 1] = 1
    Image.fromarray(road).save(tmp_path / 'a_road.png')
    Image.fromarray(np.dstack([0 * car, car * 200, 0 * car])).save(tmp_path / 'a_car.png')
    return str(tmp_path / 'a_{class}.png'), road > 0, car > 0


def test_later_classes_cover_earlier_ones(layers):
    path, road, car = layers
    label, overlap = read_class_masks(path, read_bytes, CLASSES)

    np.testing.assert_array_equal(label, np.where(car, 2, np.where(road, 1, 0)))
    assert (label.dtype, overlap) == (np.uint8, 1)
    label, _ = read_class_masks(path, read_bytes, {'car': 2, 'road': 1})
    np.testing.assert_array_equal(label, np.where(road, 1, np.where(car, 2, 0)))


def test_a_file_wholly_of_its_class(tmp_path):
    Image.fromarray(np.full((3, 4), 255, np.uint8)).save(tmp_path / 'sky.png')
    label, _ = read_class_masks(str(tmp_path / '{class}.png'), read_bytes, CLASSES)
    np.testing.assert_array_equal(label, np.full((3, 4), 3))


def test_without_any_file_the_mask_is_missing(tmp_path):
    with pytest.raises(MissingDataError, match='none of the classes road, car, sky; correct'):
        read_class_masks(str(tmp_path / '{class}.png'), read_bytes, CLASSES)


def test_files_of_other_sizes_or_with_greys_are_refused(layers, tmp_path):
    path, *_ = layers
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / 'a_sky.png')
    with pytest.raises(DataError, match=r'a_sky\.png: the mask is 4 x 5 .*a_road\.png .* 4 x 6'):
        read_class_masks(path, read_bytes, CLASSES)
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6)).save(tmp_path / 'a_sky.png')
    with pytest.raises(DataError, match=r'a_sky\.png: .* holds 23 colours beside black'):
        read_class_masks(path, read_bytes, CLASSES)


def test_the_name_of_a_mask_holds_a_place_for_the_class():
    assert files_of('d/{class}/x.png', {'road': 1}) == {'d/road/x.png': 1}
    with pytest.raises(DataError, match=r'x\.png: .* holds \{class\}'):
        files_of('x.png', CLASSES)


@pytest.mark.parametrize(('setting', 'told'), [
    ([1], 'is no dict'), ({}, 'is no dict'), ({'road': 0}, '0 are the pixels'),
    ({'road': '1'}, "'1'; the number"), ({'road': 256}, 'from 1 to 255'), ({'road': True}, 'True')])
def test_settings_that_cannot_be_used(setting, told):
    with pytest.raises(ConfigError, match=f'Owner: class_files.*{told}'):
        read_class_files('Owner', setting)
    assert read_class_files('Owner', None) is None
    assert read_class_files('Owner', CLASSES) == CLASSES
