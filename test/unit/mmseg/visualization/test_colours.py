"""Colours of classes with and without a palette."""
from itertools import combinations

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.custom import CustomDataset
from mmseg.datasets.voc import PascalVOCDataset
from mmseg.visualization import class_colours, distinct_colours


def cielab(colour):
    """CIE 15: from sRGB with white D65, by hand."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
              for value in np.array(colour) / 255]
    rows = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169),
            (0.019334, 0.119193, 0.950227))
    x, y, z = (sum(a * b for a, b in zip(row, linear, strict=True)) / white
               for row, white in zip(rows, (0.950456, 1, 1.088754), strict=True))
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
                  for value in (x, y, z))
    return np.array((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)))


@pytest.mark.parametrize('number', [2, 21, 60, 171, 256])
def test_hundreds_of_colours_are_distinct(number):
    places = [cielab(colour) for colour in distinct_colours(number).tolist()]
    # Of VOC's colour map, 100 differ by as little as 1.8.
    assert min(np.linalg.norm(a - b) for a, b in combinations(places, 2)) > 8


def test_a_class_has_the_same_colour_however_many_follow():
    many = class_colours(None, 300)
    for number in (1, 20, 21, 22, 171):
        np.testing.assert_array_equal(class_colours(None, number), many[:number])
    assert len(class_colours(None, 0)) == 0


def test_the_first_are_those_of_voc():
    np.testing.assert_array_equal(distinct_colours(30)[:21], PascalVOCDataset.PALETTE)
    np.testing.assert_array_equal(class_colours(None, 30)[1:21], PascalVOCDataset.PALETTE[1:])
    assert class_colours(None, 1)[0].min() > 100  # black shows nothing


def test_data_sets_without_a_palette_have_them():
    names = [f'class {place}' for place in range(60)]
    dataset = CustomDataset([], 'images', classes=names)
    np.testing.assert_array_equal(dataset.PALETTE, distinct_colours(60))


def test_more_classes_than_colours_to_choose_from():
    assert class_colours(None, 5000).shape == (5000, 3)


def test_a_palette_is_kept_and_continued():
    palette = [[10, 20, 30], [250, 0, 0], [0, 0, 250]]
    colours = class_colours(palette, 6)
    assert colours[:3].tolist() == palette
    assert class_colours(palette, 2).tolist() == palette[:2]
    places = [cielab(colour) for colour in colours.tolist()]
    assert min(np.linalg.norm(a - b) for a, b in combinations(places, 2)) > 50


@pytest.mark.parametrize(('palette', 'message'), [
    ([1, 2, 3], r'shape \(3,\)'), ([[1, 2]], r'shape \(1, 2\)'), ([['red', 0, 0]], 'no number'),
    ([[1, 2], [1, 2, 3]], 'no number'), ([[0, 0, 256]], 'from 0 to 256'),
    ([[-1, 0, 0]], 'from -1 to 0')])
def test_what_is_no_palette(palette, message):
    with pytest.raises(ConfigError, match=message):
        class_colours(palette, 3)
