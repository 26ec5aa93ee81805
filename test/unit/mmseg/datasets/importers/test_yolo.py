"""YOLO: layouts of folders, lists of classes, and lines of all kinds."""
import shutil

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.yolo import yolo_mask

from .exports import NAMES, SCENES, painted, write_images, write_yolo


@pytest.mark.parametrize(('name', 'text'), [
    ('data.yaml', 'names: [car, road]'), ('data.yaml', 'names: {1: road, 0: car}'),
    ('my-data.yml', 'nc: 2\nnames:\n- car\n- road'), ('classes.txt', 'car\nroad\n\n')])
@pytest.mark.parametrize('by_file', [False, True])
def test_lists_of_classes(run_import, source, name, text, by_file):
    write_yolo(source)
    (source / 'data.yaml').unlink()
    (source / name).write_text(text)
    masks, classes, _ = run_import('yolo', source / name if by_file else source)
    assert classes == NAMES
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


@pytest.mark.parametrize('layout', ['{kind}/{split}', '{split}/{kind}'])
def test_splits(run_import, source, tmp_path, layout):
    """images/train and train/images, as Ultralytics and Roboflow have them."""
    write_yolo(source)
    for split, stem in [('train', 'one'), ('valid', 'two')]:
        for kind in ('images', 'labels'):
            folder = source / layout.format(kind=kind, split=split)
            folder.mkdir(parents=True)
            shutil.move(next((source / kind).glob(f'{stem}.*')), folder)
    masks, _, report = run_import('yolo', source)
    assert set(masks) == {'train/one.png', 'valid/two.png', 'empty.png'}
    np.testing.assert_array_equal(masks['valid/two.png'], painted('two.png'))
    assert f'--val-images {tmp_path}/out/images/valid --val-masks {tmp_path}/out/masks/valid' in (
        report)


def test_smaller_objects_are_above_in_whatever_order(run_import, source):
    write_yolo(source)
    path = source / 'labels/one.txt'
    path.write_text('\n'.join(reversed(path.read_text().splitlines())))
    masks, _, _ = run_import('yolo', source)
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


def test_coordinates_are_those_of_single_precision():
    """0.29 of 100 pixels is 28.999... in double precision, and 29 in the one of Ultralytics."""
    assert int(0.29 * 100) == 28
    mask = yolo_mask(np.array([0.29, 0.29, 0.6, 0.29, 0.6, 0.6]), (100, 100))
    assert (mask.any(0).argmax(), mask.any(1).argmax()) == (29, 29)


def test_suffixes_in_capitals(run_import, source):
    write_yolo(source)
    (source / 'images/one.jpg').rename(source / 'images/one.JPG')
    masks, _, _ = run_import('yolo', source)
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('line', 'message'), [
    ('0 0.5 0.5 0.2 0.2', r'one.txt, line 3 \(car\): it has 4 numbers, which is a box'),
    ('0 0.5 0.5', 'a polygon needs 3 points, and this one has 1'),
    ('0 0.5 0.5 0.2 0.2 0.3 0.3 0.4', 'a list of points x, y'),
    ('0 5 5 20 5 20 20', 'its coordinates go from 5 to 20, and shares of the image are 0 to 1'),
    ('0 0.1 0.1 0.5 -0.5 0.3 0.3', 'its coordinates go from -0.5 to 0.5'),
    ('0 0.1 nan 0.5 0.5 0.3 0.3', 'no finite number'),
    ('2 0.1 0.1 0.5 0.1 0.5 0.5', r'there is no class 2, only \[0, 1\]'),
    ('0.5 0.1 0.1 0.5 0.1 0.5 0.5', 'there is no class 0.5'),
    ('car 0.1 0.1 0.5 0.1 0.5 0.5', "'car 0.1 .*' is no list of numbers"),
])
def test_bad_lines(run_import, source, line, message):
    write_yolo(source)
    with open(source / 'labels/one.txt', 'a') as file:
        file.write(f'{line}\n')
    with pytest.raises(DataError, match=f'(?s)1 problem .*one.txt, line 3.*{message}'.replace(
            'one.txt, line 3.*one.txt, line 3', 'one.txt, line 3')):
        run_import('yolo', source)


@pytest.mark.usefixtures('nothing_left')
def test_a_label_without_its_image(run_import, source):
    write_yolo(source)
    (source / 'images/one.jpg').unlink()
    with pytest.raises(DataError, match='one.txt: its image one is missing below'):
        run_import('yolo', source)


@pytest.mark.usefixtures('nothing_left')
def test_folders_that_lack_something(run_import, source):
    write_images(source / 'pictures')
    with pytest.raises(DataError, match='no names of classes; they stand as names: in data.yaml'):
        run_import('yolo', source)
    (source / 'data.yaml').write_text('names: car')
    with pytest.raises(DataError, match='no names of classes'):
        run_import('yolo', source)
    (source / 'data.yaml').write_text('names: [car')
    with pytest.raises(DataError, match='data.yaml is not valid yaml'):
        run_import('yolo', source)
    (source / 'data.yaml').write_text('names: [car]')
    with pytest.raises(DataError, match='holds no images in a folder called images'):
        run_import('yolo', source)
    with pytest.raises(DataError, match='holds no label file'):
        run_import('yolo', source, images=str(source / 'pictures'))


def test_images_without_a_label_file_have_no_object(run_import, source):
    write_yolo(source)
    (source / 'labels/two.txt').unlink()
    masks, _, _ = run_import('yolo', source)
    assert not masks['two.png'].any()
    assert masks['two.png'].shape == SCENES['two.png'][0]


@pytest.mark.parametrize('name', ['null', 'no', 'on', '""', '[a]'])
def test_names_that_are_no_text_in_yaml(run_import, source, name):
    """`no` and `on` are booleans there, `null` is none; such a class would be called False."""
    write_yolo(source)
    (source / 'data.yaml').write_text(f'names: [car, {name}]')
    with pytest.raises(DataError, match='data.yaml: the names of classes hold .*into quotes'):
        run_import('yolo', source)


def test_names_that_are_numbers(run_import, source):
    write_yolo(source)
    (source / 'data.yaml').write_text('names: [1, 2.5]')
    assert run_import('yolo', source)[1] == ['background', '1', '2.5']


def test_numbers_in_messages_are_a_list(run_import, source):
    write_yolo(source)
    (source / 'labels/one.txt').write_text('0 0.5 nan 0.25 0.5 0.5 0.5')
    with pytest.raises(DataError, match=r'finite number: \[0\.5, nan, 0\.25, 0\.5, 0\.5, 0\.5\]\n'):
        run_import('yolo', source)
