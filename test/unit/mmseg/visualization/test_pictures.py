"""Error maps, panels, confusion matrices, and pictures as bytes."""
import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.visualization import (
    ERROR_COLOURS,
    draw_confusion,
    draw_error_map,
    draw_overlay,
    encode_picture,
    find_font,
    side_by_side,
)
from mmseg.visualization.confusion import NO_PIXELS
from mmseg.visualization.text import wrap

WHITE = [255, 255, 255]


def shows(picture, rgb):
    return (picture == np.array(rgb[::-1], np.uint8)).all(axis=-1)


# ------------------------------------------------------------------ error maps


@pytest.mark.parametrize('ignore_index', [255, 3])
def test_each_pixel_is_right_wrong_or_ignored(ignore_index):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (7, 9))
    truth[2, 3:] = 255
    seg_map = rng.integers(0, 4, (7, 9), dtype=np.uint8)
    picture = draw_error_map(seg_map, truth, ignore_index)
    for y, x in np.ndindex(7, 9):
        state = 'ignored' if truth[y, x] == ignore_index else (
            'right' if truth[y, x] == seg_map[y, x] else 'wrong')
        assert tuple(picture[y, x, ::-1]) == ERROR_COLOURS[state]


def test_the_states_can_be_told_apart_without_colours():
    """Lightness alone, also as people without cones for red or green see it."""
    colours = np.array(list(ERROR_COLOURS.values())) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    # Vienot, Brettel and Mollon 1999: red and green as protanopes and deuteranopes see them.
    protan = linear @ np.array([[0.1124, 0.1124, 0.0040], [0.8876, 0.8876, -0.0040], [0, 0, 1]])
    deutan = linear @ np.array([[0.2927, 0.2927, -0.0223], [0.7073, 0.7073, 0.0223], [0, 0, 1]])
    for seen in (linear, protan, deutan):
        luminance = seen @ (0.2126, 0.7152, 0.0722)
        light, middle, dark = 116 * np.cbrt(luminance) - 16
        assert light - middle > 20
        assert middle - dark > 15


def test_maps_of_different_sizes():
    with pytest.raises(DataError, match='prediction is 2 x 3, the truth 3 x 2'):
        draw_error_map(np.zeros((2, 3), int), np.zeros((3, 2), int))


# ------------------------------------------------------------------ overlays


def test_ignored_pixels_are_called_so():
    img = np.full((60, 60, 3), 200, np.uint8)
    label_map = np.zeros((60, 60), int)
    label_map[:20], label_map[20:30] = 7, 255
    for palette in ([[9, 99, 9]] * 8, None):
        plain = draw_overlay(img, label_map, palette, 0.5, True, list('abcdefgh'))
        told = draw_overlay(img, label_map, palette, 0.5, True, list('abcdefgh'), ignore_index=255)
        assert np.array_equal(told[20:30, :60], np.full((10, 60, 3), 100))
        assert told.shape[1] > plain.shape[1]  # the text is longer


def test_without_a_palette_each_class_has_a_colour():
    label_map = np.arange(171).reshape(9, 19)
    painted = draw_overlay(np.zeros((9, 19), np.uint8), label_map, None, 1)
    assert len(np.unique(painted.reshape(-1, 3), axis=0)) == 171


# ------------------------------------------------------------------ side by side


def test_panels_stand_side_by_side_with_their_titles():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)
    second = rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)
    joined = side_by_side([('one', first), ('two', second)])
    top = joined.shape[0] - 80
    assert top > 10
    assert np.array_equal(joined[top:, :100], first)
    assert np.array_equal(joined[top:top + 50, 108:178], second)
    assert (joined[top:, 100:108] == 255).all()
    assert (joined[top + 50:, 108:] == 255).all()
    renamed = side_by_side([('one', first), ('too', second)])
    assert np.array_equal(renamed[:, :108], joined[:, :108])
    assert not np.array_equal(renamed, joined)
    assert side_by_side([('', first)]).shape == first.shape


def test_large_pictures_are_reduced_and_small_ones_are_not():
    grey = np.arange(200, dtype=np.uint8).repeat(300 * 3).reshape(200, 300, 3)
    joined = side_by_side([('', grey), ('', grey[:30, :80])], 100)
    assert joined.shape == (67, 100 + 8 + 80, 3)
    assert np.array_equal(joined[:30, 108:], grey[:30, :80])
    assert abs(joined[40, 50].astype(int) - 40.5 * 200 / 67).max() < 2


@pytest.mark.parametrize('title', [
    'a title that is much longer than its picture', 'a/path/without/a/blank/and/long.png' * 3,
    'first line\nsecond line\nthird one'])
def test_a_long_title_has_several_lines(title):
    picture = np.zeros((20, 100, 3), np.uint8)
    one = side_by_side([('x', picture)])
    joined = side_by_side([(title, picture), ('b', picture)])
    assert joined.shape[1] == 208
    assert joined.shape[0] > one.shape[0] + 20
    assert (joined[:, 100:108] == 255).all()
    assert (joined[-20:, :100] == 0).all()


@pytest.mark.parametrize('text', ['some words that do not fit', 'word ' * 9, 'x' * 50, '', 'a'])
def test_lines_hold_all_of_a_text(text):
    font = find_font('', 12)
    for width in (1, 30, 70, 1000):
        lines = wrap(text, font, width)
        assert ''.join(lines).replace(' ', '') == text.replace(' ', '')
        assert all(font.getlength(line) <= width or len(line) == 1 for line in lines)


def test_panels_in_several_rows():
    panels = [('', np.full((10 + place, 30, 3), place, np.uint8)) for place in range(5)]
    joined = side_by_side(panels, narrowest=40, row_width=100)
    assert joined.shape == (11 + 8 + 13 + 8 + 14, 40 + 8 + 40, 3)
    for place, (top, left) in enumerate([(0, 0), (0, 48), (19, 0), (19, 48), (40, 0)]):
        assert (joined[top:top + 10 + place, left:left + 30] == place).all()
    assert (joined[40:, 40:] == 255).all()
    # The text of a legend does not grow with the rows.
    legend = [('abc', (1, 2, 3))]
    many = side_by_side(panels * 9, row_width=40, legend=legend)
    assert many.shape[1] == side_by_side(panels, row_width=40, legend=legend).shape[1]
    assert many.shape[0] > 500


def test_a_legend_of_panels():
    picture = np.zeros((60, 100, 3), np.uint8)
    joined = side_by_side([('', picture)], legend=list(ERROR_COLOURS.items()))
    for colour in ERROR_COLOURS.values():
        assert shows(joined[:, 100:], colour).any()


def test_no_panel():
    with pytest.raises(DataError, match='no picture to show'):
        side_by_side([])


# ------------------------------------------------------------------ confusion matrices


def find_cells(picture, number):
    """The cells, within a frame that is found by its colour and its long lines."""
    frame = shows(picture, (96, 96, 96))
    lines = cv2.erode(frame.astype(np.uint8), np.ones((1, 9 * number), np.uint8), anchor=(0, 0))
    top, left = np.argwhere(lines)[0]
    edge = np.flatnonzero(~frame[top, left:])[0] - 2
    top, left = top + 1, left + 1
    assert edge % number == 0
    cell = edge // number
    return [[picture[top + r * cell:top + (r + 1) * cell, left + c * cell:left + (c + 1) * cell]
             for c in range(number)] for r in range(number)]


@pytest.mark.parametrize('number', [1, 2, 21, 171])
def test_a_cell_is_the_darker_the_larger_its_share(number):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 100, (number, number))
    matrix[np.diag_indices(number)] += rng.integers(1, 90 * number, number)
    if number > 2:
        matrix[2] = 0
    names = [f'class {place}' for place in range(number)]
    picture = draw_confusion(matrix, names)
    cells = find_cells(picture, number)
    shares = matrix / matrix.sum(axis=1, keepdims=True).clip(1)
    corner = np.array([[cell[1, 1].astype(int) for cell in row] for row in cells])
    light = corner @ (0.0722, 0.7152, 0.2126)
    filled = matrix.sum(axis=1) > 0
    order = np.argsort(shares[filled].ravel())
    assert (np.diff(light[filled].ravel()[order]) <= 0.6).all()  # up to rounding to uint8
    if number > 2:
        assert (corner[2] == NO_PIXELS[::-1]).all()
    assert max(picture.shape) < 2000


def test_percentages_names_and_titles_are_drawn():
    matrix = np.array([[75, 25], [0, 10]])
    picture = draw_confusion(matrix, ['road', 'sky'])
    cells = find_cells(picture, 2)
    assert len(np.unique(cells[0][1][:-1, :-1].reshape(-1, 3), axis=0)) > 3  # a number
    assert len(np.unique(cells[1][0][:-1, :-1].reshape(-1, 3), axis=0)) == 1  # 0 is left out
    other = draw_confusion(matrix, ['rood', 'sky'])
    assert not np.array_equal(picture, other)
    assert not np.array_equal(draw_confusion(matrix), picture)
    assert np.array_equal(draw_confusion(matrix), draw_confusion(matrix, ['0', '1']))
    assert np.array_equal(draw_confusion(matrix * 1000, ['road', 'sky']), picture)


@pytest.mark.parametrize(('matrix', 'names', 'message'), [
    (np.zeros((2, 3)), None, r'array \[2, 3\] is no confusion matrix'),
    (np.zeros((0, 0)), None, r'array \[0, 0\] is no'), (np.array([[-1]]), None, 'and this one -1'),
    (np.eye(3), ['a'], '1 names do not fit a confusion matrix of 3')])
def test_what_is_no_confusion_matrix(matrix, names, message):
    with pytest.raises(DataError, match=message):
        draw_confusion(matrix, names)


# ------------------------------------------------------------------ bytes


def test_bytes_of_pictures():
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[4:8] = (10, 200, 30)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    png = encode_picture(picture)
    assert png.startswith(b'\x89PNG')
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), 1), picture)
    jpeg = encode_picture(picture, 'jpeg')
    assert jpeg.startswith(b'\xff\xd8')
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1).astype(int)
    assert np.abs(shown - picture).mean() < 4
    for format, error in (('webp', 6), ('webp_lossless', 0)):
        webp = encode_picture(picture, format)
        assert (webp[:4], webp[8:12]) == (b'RIFF', b'WEBP')
        shown = cv2.imdecode(np.frombuffer(webp, np.uint8), 1).astype(int)
        assert np.abs(shown - picture).mean() <= error
    assert len(encode_picture(noise, 'webp')) < len(encode_picture(noise, 'webp_lossless')) / 2
    assert encode_picture(picture[..., 0]).startswith(b'\x89PNG')


@pytest.mark.parametrize(('picture', 'format', 'error', 'message'), [
    (np.zeros((2, 2, 3), np.uint8), 'gif', ConfigError, "format='gif' .* png, jpeg"),
    (np.zeros((2, 2, 3)), 'png', DataError, 'of float64 is no picture'),
    (np.zeros((2, 2, 4), np.uint8), 'png', DataError, r'array \[2, 2, 4\]'),
    (np.zeros((0, 2, 3), np.uint8), 'png', DataError, r'array \[0, 2, 3\]'),
    (np.zeros((1, 70000, 3), np.uint8), 'jpeg', DataError, 'cannot be written as jpeg')])
def test_what_cannot_be_encoded(picture, format, error, message):
    with pytest.raises(error, match=message):
        encode_picture(picture, format)
