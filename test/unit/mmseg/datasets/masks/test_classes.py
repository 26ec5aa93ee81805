import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation.labels import remap_labels
from mmseg.datasets.masks.classes import (
    check_own_classes,
    choose_palette,
    read_classes,
    subset_label_map,
)

NAMES = ('wall', 'sky', 'tree', 'road')


def test_classes_come_from_a_list_a_tuple_or_a_file(tmp_path):
    (tmp_path / 'names.txt').write_text('traffic light\n\n road \n')

    assert read_classes(['a', 'b']) == ['a', 'b']
    assert read_classes(('a',)) == ('a',)
    assert read_classes(str(tmp_path / 'names.txt')) == ['traffic light', 'road']


@pytest.mark.parametrize('content', [
    b'\xef\xbb\xbfa b\r\n\r\nc\r\n', b'a b\rc', b'\n\na b\n c \n\n', b'\xef\xbb\xbf\na b\nc'])
def test_marks_and_blank_lines_of_a_file_are_no_classes(tmp_path, content):
    (tmp_path / 'names.txt').write_bytes(content)
    assert read_classes(tmp_path / 'names.txt') == ['a b', 'c']


@pytest.mark.parametrize('content', [None, b'\xff\xd8\xff\xe0', b'\xff\xfew\x00'])
def test_a_text_that_names_no_list_may_mean_one_class(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / 'water').write_bytes(content)
    with pytest.raises(ConfigError, match=r"classes='water' is the name of a text file with one "
                       rf"class a line, .*water.* looked for in {tmp_path}\); for a single class "
                       r"write classes=\['water'\]"):
        read_classes('water')


def test_a_file_that_is_missing_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='the name of a text file'):
        read_classes(str(tmp_path / 'none.txt'))


def test_a_folder_of_that_name_is_no_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'water').mkdir()
    with pytest.raises(ConfigError, match=r"directory.*write classes=\['water'\]"):
        read_classes('water')


def test_a_file_named_like_a_class_could_be_meant_as_either(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'road').write_text('sky\n')
    with pytest.raises(ConfigError, match=r"'road' is a class of the dataset: for a single class "
                       r"write classes=\['road'\], for the file classes='\./road'"):
        read_classes('road', NAMES)
    assert read_classes('./road', NAMES) == ['sky']
    assert read_classes(['road'], NAMES) == ['road']


@pytest.mark.parametrize(('classes', 'message'), [
    ([], 'one name at least'), ((), 'one name at least'), ([''], 'none of them empty'),
    (['a', ' '], 'none of them empty'),
    (['a', 'b', 'a', 'c', 'c'], "once, and 'a', 'c' is there more than once")])
def test_lists_without_sense(classes, message):
    with pytest.raises(ConfigError, match=message):
        read_classes(classes)


@pytest.mark.parametrize(('content', 'message'), [
    ('\n \n', 'names.txt.*one name at least'), ('a\nb\na\n', "names.txt.*'a' is there more than")])
def test_files_without_sense(tmp_path, content, message):
    (tmp_path / 'names.txt').write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_classes(str(tmp_path / 'names.txt'))


@pytest.mark.parametrize('classes', ['water', (1, 2), ['a', None]])
def test_own_classes_that_are_no_names(classes):
    """`CLASSES = ('water')` lacks a comma: it would be five classes of one letter."""
    with pytest.raises(ConfigError, match=r"(?s)Mine\.CLASSES=.*with a comma: \('water',\)"):
        check_own_classes('Mine', classes)


@pytest.mark.parametrize('classes', [3, [1, 2], dict(a=1)])
def test_other_classes_are_refused(classes):
    with pytest.raises(ConfigError, match='cannot read classes=.*a list of names, or a text file'):
        read_classes(classes)


def test_classes_that_are_not_wanted_are_ignored():
    assert subset_label_map(NAMES, ('road', 'sky'), 255, False) == {0: 255, 1: 1, 2: 255, 3: 0}
    assert subset_label_map(NAMES, ('sky',), 7, False) == {0: 7, 1: 0, 2: 7, 3: 7}


def test_unknown_classes_are_named():
    with pytest.raises(ConfigError, match=r"classes \['see'\] are not among .*: wall, sky, tree"):
        read_classes(('sky', 'see'), NAMES)
    with pytest.raises(ConfigError, match=r"did you mean 'road'\?"):
        read_classes(('raod',), NAMES)


@pytest.mark.parametrize('reduce_zero_label', [False, True])
@pytest.mark.parametrize('own_map', [None, {10: 0, 20: 1, 30: 2, 40: 3, 50: 3}])
def test_the_map_leads_from_mask_values_to_the_wanted_classes(reduce_zero_label, own_map):
    wanted = ('tree', 'wall')
    if own_map and reduce_zero_label:
        own_map = {value: number + 1 for value, number in own_map.items()}
    values = list(own_map) if own_map else [number + reduce_zero_label for number in range(4)]
    meaning = ['wall', 'sky', 'tree', 'road', 'road'][:len(values)]

    label_map = subset_label_map(NAMES, wanted, 255, reduce_zero_label, own_map)
    label = remap_labels(np.array([values + [255]], np.uint8), label_map, reduce_zero_label)

    expected = [wanted.index(name) if name in wanted else 255 for name in meaning]
    assert label.tolist() == [expected + [255]]
    if reduce_zero_label:
        unlabelled = np.zeros((1, 1), np.uint8)
        assert remap_labels(unlabelled, label_map, reduce_zero_label).tolist() == [[255]]


def test_colours_follow_the_classes():
    palette = [[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]]

    assert choose_palette(('road', 'sky'), palette, NAMES) == [[4, 4, 4], [2, 2, 2]]
    assert choose_palette(('x', 'y'), ((1, 2, 3), (4, 5, 6))) == [[1, 2, 3], [4, 5, 6]]


def test_without_a_palette_the_colours_are_those_of_voc_and_distinct():
    state = np.random.get_state()[1].copy()

    colours = choose_palette([str(number) for number in range(256)], None, NAMES)

    assert colours[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert len({tuple(colour) for colour in colours}) == 256
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_a_palette_that_is_too_short_is_refused():
    with pytest.raises(ConfigError, match='the palette has 1 colours for 2 classes'):
        choose_palette(('a', 'b'), [[1, 2, 3]])
