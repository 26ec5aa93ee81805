"""Class lists as tools write them."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.own.class_list import find_class_list

CVAT = '''# label:color_rgb:parts:actions
background:0,0,0::
road:128,64,128::
traffic light:250,170,30:a,b:c
'''


def read(tmp_path, text, name='list.txt'):
    (tmp_path / name).write_text(text, encoding='utf-8')
    return find_class_list(str(tmp_path / name), 'nowhere')


def test_names_in_an_option_or_a_list():
    for classes in ('road, building,sky', ['road', 'building', 'sky']):
        found = find_class_list(classes, 'nowhere')
        assert (found.names, found.colours) == (('road', 'building', 'sky'), None)
    assert find_class_list('crack', 'nowhere').names == ('crack',)


def test_a_file_of_names(tmp_path):
    found = read(tmp_path, '\ufeffroad\n\n traffic light \r\nsky\n')
    assert (found.names, found.colours) == (('road', 'traffic light', 'sky'), None)
    assert str(tmp_path / 'list.txt') in found.source


@pytest.mark.parametrize('text', [
    CVAT, 'background 0 0 0\nroad 128 64 128\ntraffic light 250 170 30\n',
    '0 0 0 background\n128 64 128\troad\n250 170 30 traffic light\n',
    'name,r,g,b\nbackground,0,0,0\nroad,128,64,128\n"traffic light", 250, 170, 30\n'])
def test_names_with_colours(tmp_path, text):
    found = read(tmp_path, text)
    assert found.names == ('background', 'road', 'traffic light')
    assert found.colours == ((0, 0, 0), (128, 64, 128), (250, 170, 30))


@pytest.mark.parametrize(('text', 'told'), [
    ('a:0,0,0::\nb:0,0,0::\n', r'a and b have the same colour \(0, 0, 0\)'),
    ('a:0,0,0::\na:1,1,1::\n', "'a' is there more than once"),
    ('a:0,0,0::\nb:0,300,0::\n', "'b:0,300,0::' is not name:red,green,blue::.*; correct the line"),
    ('a:0,0\nb:1,1,1::\n', "'a:0,0' is not name:red"), ('a:0,0,0::\nb\n', "'b' is not name:red"),
    ('a,0,0,0\nb,0,300,0\nc,1,1,1\n', "the line 'b,0,300,0' has no colour"),
    ('0,a\n2,b\n', r'its numbers \[0, 2\] are not 0, 1, 2, .*list the names alone'),
    ('', 'is empty: write the name of a class'), ('a\na\n', 'more than once')])
def test_lists_that_cannot_be_used(tmp_path, text, told):
    with pytest.raises(ConfigError, match=rf'(?s)list\.txt.*{told}|{told}.*list\.txt'):
        read(tmp_path, text)


def test_a_labelmap_without_colours(tmp_path):
    """As datumaro writes it: the colours are those of VOC, by their places."""
    found = read(tmp_path, '# label:color_rgb:parts:actions\nbackground:::\nroad:::\ncar:::\n')
    assert found.names == ('background', 'road', 'car')
    assert found.colours == ((0, 0, 0), (128, 0, 0), (0, 128, 0))


def test_colons_and_hashes_in_names(tmp_path):
    assert read(tmp_path, 'part:wheel\n#1\n').names == ('part:wheel', '#1')


@pytest.mark.parametrize('header', ['Pixel Value, Class\n', ''])
def test_numbers_with_names(tmp_path, header):
    """As Roboflow writes them, the images and masks of whose folder `train` lie in one folder."""
    (tmp_path / 'train').mkdir()
    (tmp_path / 'train/_classes.csv').write_text(f'{header}0, background\n2, car\n1, dirt road\n')
    for masks in (tmp_path / 'train', tmp_path):
        found = find_class_list(None, str(masks))
        assert (found.names, found.colours) == (('background', 'dirt road', 'car'), None)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / 'binary.txt').write_bytes(b'\xff\xfe\x00')
    for file in ('binary.txt', 'nowhere.txt', 'no/where', 'nowhere.names'):
        with pytest.raises(ConfigError, match=f'{file} cannot be read: .*UTF-8'):
            find_class_list(str(tmp_path / file), 'nowhere')


def test_a_file_beside_the_masks_is_found(tmp_path):
    masks = tmp_path / 'data/masks'
    masks.mkdir(parents=True)
    assert find_class_list(None, str(masks)) is None
    (masks.parent / 'classes.txt').write_text('a\nb\n')
    assert find_class_list(None, str(masks)).names == ('a', 'b')
    (masks.parent / 'labelmap.txt').write_text(CVAT)
    assert find_class_list(None, str(masks)).names[1] == 'road'
    (masks / 'classes.txt').write_text('c\nd\n')
    assert find_class_list(None, str(masks)).names == ('c', 'd')
    assert find_class_list('x,y', str(masks)).names == ('x', 'y')
