"""Masks of RGB colours, and the values that they stand for."""
import io

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets.masks.colour_map import (
    decode_colours,
    map_colours,
    pack_colours,
    read_colour,
    read_colour_map,
    to_rgb,
)


def encoded(image, kind='PNG', **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize('written', [
    '128,64,0', '128, 64, 0', '128 64 0', '#804000', '(128, 64, 0)', (128, 64, 0), [128, 64, 0]])
def test_a_colour_is_written_in_several_ways(written):
    assert read_colour(written) == (128, 64, 0)


@pytest.mark.parametrize('written', [
    '128,64', '128,64,256', '128,64,-1', '#80400', 'red', (1, 2), (1, 2, True), (1, 2, 3.5), None,
    7])
def test_what_is_no_colour_is_none(written):
    assert read_colour(written) is None


def test_the_map_is_a_dict_or_the_list_of_colours_in_order():
    assert read_colour_map('X', {'#000000': 1, (255, 0, 1): -1, '*': 2}) == {
        '0,0,0': 1, '255,0,1': -1, '*': 2}
    assert read_colour_map('X', [[0, 0, 0], (1, 2, 3)]) == {'0,0,0': 0, '1,2,3': 1}
    assert read_colour_map('X', None) is None


@pytest.mark.parametrize(('setting', 'told'), [
    ('red', 'is neither a dict'), ({'red': 1}, "'red', which is no RGB colour"),
    ({'1,2,3': 'road'}, "'1,2,3': 'road'; a colour leads"), ({'1,2,3': -2}, 'or to -1'),
    ({'1,2,3': True}, 'True; a colour'), ({'1,2,3': 0, '#010203': 1}, '1,2,3 twice'),
    ([[0, 0]], r'\[0, 0\], which is no RGB'), ({}, 'is empty')])
def test_a_map_that_cannot_be_used_is_refused(setting, told):
    with pytest.raises(ConfigError, match=f'Owner: .*{told}'):
        read_colour_map('Owner', setting)


def test_colours_are_those_that_a_viewer_shows():
    colours = np.random.RandomState(0).randint(0, 256, (5, 7, 3)).astype(np.uint8)
    alpha = np.dstack([colours, np.arange(35).reshape(5, 7)]).astype(np.uint8)
    few = Image.fromarray(colours // 200 * 100).quantize(8)

    def rgb(content):
        return to_rgb(decode_colours(content, 'x').reshape(-1))

    whole = [tuple(colour) for colour in colours.reshape(-1, 3).tolist()]
    assert rgb(encoded(Image.fromarray(colours))) == whole
    assert rgb(encoded(Image.fromarray(alpha))) == whole
    assert rgb(encoded(Image.fromarray(colours), 'BMP')) == whole
    assert rgb(encoded(few)) == [tuple(colour) for colour in
                                 np.array(few.convert('RGB')).reshape(-1, 3).tolist()]
    assert rgb(encoded(Image.fromarray(colours[..., 0]))) == [
        (value,) * 3 for value in colours[..., 0].reshape(-1).tolist()]


def slow_map(colours, table, others):
    return np.array([[table.get(tuple(pixel), others) for pixel in row] for row in colours])


def test_colours_of_an_array():
    image = np.random.RandomState(0).randint(0, 256, (3, 5, 4)).astype(np.uint8)
    expected = [(red, green, blue) for blue, green, red, _ in image.reshape(-1, 4).tolist()]
    for array in (image, image[..., :3]):
        assert to_rgb(pack_colours(array).reshape(-1)) == expected
    for array in (image[..., 0], image[..., :2], image.astype(np.uint16)):
        assert pack_colours(array) is None


@pytest.mark.parametrize('others', [None, 4])
def test_values_are_those_of_a_dict(others):
    random = np.random.RandomState(1)
    table = {(0, 0, 0): 3, (255, 255, 255): 0, (1, 0, 0): -1, (0, 0, 1): 7}
    known = np.array([*table, (9, 9, 9)])[random.randint(0, 4 + (others is not None), (6, 9))]
    setting = {','.join(map(str, colour)): value for colour, value in table.items()}
    if others is not None:
        setting['*'] = others
    codes = decode_colours(encoded(Image.fromarray(known.astype(np.uint8))), 'x')

    found = map_colours(codes, setting, 'x', ignore_index=11)

    expected = slow_map(known, {**table, (1, 0, 0): 11}, others)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint8
    wide = map_colours(codes, {**setting, '5,5,5': 300}, 'x', ignore_index=11)
    np.testing.assert_array_equal(wide, expected)
    assert wide.dtype == np.int32


def test_an_unknown_colour_is_named_with_its_share():
    colours = np.zeros((10, 10, 3), np.uint8)
    colours[0, :5] = 1, 2, 3
    colours[1, :1] = 4, 5, 6
    codes = decode_colours(encoded(Image.fromarray(colours)), 'x')
    with pytest.raises(DataError, match=r'a/x\.png: the mask holds colours .*\(0,0,0\): '
                       r'\(1, 2, 3\) \(5% of its pixels\), \(4, 5, 6\) \(1% .*-1 to ignore'):
        map_colours(codes, {'0,0,0': 0}, 'a/x.png', 255)
