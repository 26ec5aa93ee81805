"""COCO: objects, crowds, overlaps, and what may be wrong with a file."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError

from ..coco_rle import rle_of
from . import exports
from .exports import painted, write_coco, write_images, write_json


@pytest.fixture
def data():
    return exports.coco_data()


@pytest.fixture
def run_coco(run_import, source, data):
    """Import `data` with the images of the scenes."""
    def run(**options):
        write_images(source / 'images')
        return run_import('coco', write_json(source / 'annotations/instances.json', data),
                          **options)
    return run


@pytest.mark.parametrize('packed', [False, True])
def test_rle(run_coco, data, packed):
    size, boxes = exports.SCENES['one.jpg']
    for entry, (_, left, top, right, bottom) in zip(data['annotations'], boxes, strict=False):
        mask = np.zeros(size, bool)
        mask[top:bottom, left:right] = True
        entry['segmentation'] = rle_of(mask, packed)
    masks, _, _ = run_coco()
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


def test_an_object_in_several_parts(run_coco, data):
    data['annotations'][0]['segmentation'] = [[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 4, 1, 4, 4, 1, 4]]
    masks, _, _ = run_coco()
    expected = np.zeros((20, 30), bool)
    expected[:2, :2] = expected[1:4, 1:4] = True
    np.testing.assert_array_equal(masks['one.png'][:8] == 2, expected[:8])


def test_smaller_objects_are_above_in_whatever_order(run_coco, data):
    data['annotations'].reverse()
    masks, _, report = run_coco()
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))
    np.testing.assert_array_equal(masks['two.png'], painted('two.png'))
    # 8 x 4 of the road in one.jpg, 4 x 9 of the car in two.png.
    assert 'several classes, which the upper one has: 68 (5.45%)' in report
    assert 'the smaller one is above' in report


@pytest.mark.parametrize('number', [0, 1])
def test_crowds_are_ignored_below_other_objects(run_coco, data, number):
    data['annotations'][number]['iscrowd'] = 1
    masks, classes, report = run_coco()
    ignored, kept = (2, 1) if number == 0 else (1, 2)
    expected = painted('one.jpg')
    # The crowd gives way, although it is the smaller one.
    size, boxes = exports.SCENES['one.jpg']
    _, left, top, right, bottom = boxes[1 - number]
    expected[expected == ignored] = 255
    expected[top:bottom, left:right] = kept
    np.testing.assert_array_equal(masks['one.png'], expected)
    assert classes == exports.NAMES
    assert ('crowd regions without a class (--crowd class gives them theirs: datumaro, and so '
            'CVAT, exports all that was painted by brush as crowds): 1') in report


def test_crowds_of_their_class(run_coco, data):
    data['annotations'][0]['iscrowd'] = 1
    masks, _, report = run_coco(crowd='class')
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))
    assert 'crowd regions that count as objects: 1' in report


def test_classes_are_in_the_order_of_the_numbers_and_one_a_name(run_coco, data):
    data['categories'].append(dict(id=1, name='unused'))
    data['categories'].append(dict(id=90, name='car'))
    data['annotations'][1]['category_id'] = 90
    masks, classes, _ = run_coco()
    assert classes == ['background', 'unused', 'car', 'road']
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg', classes))


def test_a_background_of_ones_own(run_coco, data):
    data['categories'].append(dict(id=5, name='Background'))
    masks, classes, _ = run_coco()
    assert classes == ['car', 'Background', 'road']
    np.testing.assert_array_equal(masks['one.png'], painted(
        'one.jpg', ['car', 'background', 'road'], unlabelled=1))


def test_folders_in_names_stay(run_coco, data, source, tmp_path):
    (source / 'images/train').mkdir(parents=True)
    (source / 'images/val').mkdir()
    write_images(source / 'images/train', ['one.jpg'])
    write_images(source / 'images/val', ['two.png'])
    data['images'][0]['file_name'] = 'train/one.jpg'
    data['images'][1]['file_name'] = 'val\\two.png'
    masks, _, report = run_coco()
    assert set(masks) == {'train/one.png', 'val/two.png', 'empty.png'}
    assert (tmp_path / 'out/images/val/two.png').is_file()
    assert (f'python tools/train.py CONFIG --images {tmp_path}/out/images/train --masks '
            f'{tmp_path}/out/masks/train --val-images {tmp_path}/out/images/val --val-masks '
            f'{tmp_path}/out/masks/val --classes {tmp_path}/out/classes.txt') in report


@pytest.mark.parametrize('name', ['../outside/one.jpg', '/home/someone/one.jpg',
                                  'C:\\pictures\\one.jpg', './one.jpg'])
def test_nothing_is_written_outside(run_coco, data, name):
    data['images'][0]['file_name'] = name
    masks, _, _ = run_coco()
    assert 'one.png' in masks


def test_places_of_images(run_import, source, data):
    """Beside annotations/, in the folder of the split, as COCO's archives have it."""
    write_images(source / 'train2017')
    masks, _, _ = run_import(
        'coco', write_json(source / 'annotations/instances_train2017.json', data))
    assert len(masks) == 3


def test_the_folder_of_a_file(run_import, source):
    write_coco(source)
    masks, _, _ = run_import('coco', source)
    assert len(masks) == 3


def change(data, path, value):
    *folders, last = path
    for key in folders:
        data = data[key]
    if value is None:
        del data[last]
    else:
        data[last] = value


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('path', 'value', 'message'), [
    (('annotations', 0, 'segmentation'), [[1, 2, 3, 4]],
     r'annotation 0 \(one.jpg\): a polygon needs 3 points, and this one has 2'),
    (('annotations', 0, 'segmentation'), [], 'no segmentation, as annotations for detectors'),
    (('annotations', 0, 'segmentation'), None, 'it has no segmentation'),
    (('annotations', 0, 'segmentation'), [1, 2, 3, 4, 5, 6], 'neither an RLE nor a list of'),
    (('annotations', 0, 'segmentation'), 'P', 'neither an RLE nor a list of polygons'),
    (('annotations', 0, 'segmentation'), dict(size=[1, 1], counts=[1]), r'size \[1, 1\]'),
    (('annotations', 0, 'category_id'), 4, r'there is no category 4, only \[3, 17\]; add it'),
    (('annotations', 0, 'category_id'), None, "'category_id' is missing, and should be a whole"),
    (('annotations', 0, 'image_id'), 7, 'the file has no image 7'),
    (('annotations', 0), 5, "'image_id' is missing"),
    (('images', 0, 'file_name'), 'gone.jpg', 'its image gone.jpg is missing: looked for in .*'
                                             'name the folder of the images by --images'),
    (('images', 0, 'file_name'), '', "'file_name' is ''"),
    (('images', 0, 'height'), 2.5, "'height' is 2.5, and should be a whole number"),
    (('images', 0, 'height'), 21, 'is for an image of 30 x 21 pixels, and .*one.jpg has 30 x 20'),
    (('images', 0), 'one.jpg', "'id' is missing"),
])
def test_bad_objects_and_images(run_coco, data, path, value, message):
    change(data, path, value)
    with pytest.raises(DataError, match=f'(?s)instances.json: .*{message}'):
        run_coco()


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('path', 'value', 'message'), [
    (('images',), None, "instances.json: 'images' is missing, and should be a list"),
    (('annotations',), {}, "'annotations' is {}, and should be a list"),
    (('categories', 0, 'name'), 3, "category 0: 'name' is 3, and should be a text"),
    (('images', 1, 'file_name'), 'one.jpg', r'(?s)image 0.*image 1.* both get the mask one.png'),
])
def test_bad_files(run_coco, data, path, value, message):
    change(data, path, value)
    with pytest.raises(DataError, match=message):
        run_coco(skip_bad=True)


@pytest.mark.usefixtures('nothing_left')
def test_no_json(run_import, source):
    (source / 'a.json').write_text('{"images": [')
    with pytest.raises(DataError, match='a.json is not valid json'):
        run_import('coco', source / 'a.json')
    (source / 'b.json').touch()
    with pytest.raises(DataError, match='several files that may be the COCO file: a.json, b.json'):
        run_import('coco', source)


def test_an_image_with_a_bad_object_is_left_out_whole(run_coco, data):
    data['annotations'][1]['segmentation'] = [[1, 2, 3, 4]]
    masks, _, report = run_coco(skip_bad=True)
    assert set(masks) == {'two.png', 'empty.png'}
    assert 'this one has 2' in report


def test_problems_are_counted(run_coco, data):
    for entry in data['annotations']:
        entry['category_id'] = 5
    data['annotations'] += [dict(entry, image_id=0) for entry in data['annotations']]
    with pytest.raises(DataError, match=r'6 problems (?s:.*)\.\.\. and 3 more'):
        run_coco()


def test_too_many_classes(run_coco, data):
    data['categories'] = [dict(id=number, name=f'c{number}') for number in range(256)]
    with pytest.raises(ConfigError, match='has 257 classes, and a mask of 8 bits holds 255'):
        run_coco()


def test_objects_smaller_than_a_pixel(run_coco, data):
    data['annotations'][0]['segmentation'] = [[1.6, 1.6, 1.9, 1.6, 1.9, 1.9]]
    _, _, report = run_coco()
    assert 'objects that cover no pixel: 1' in report


@pytest.mark.usefixtures('nothing_left')
def test_ids_that_are_there_twice(run_coco, data):
    data['images'][1]['id'] = data['images'][0]['id']
    with pytest.raises(DataError, match=r'image 1: it has the id 40 of .*image 0, and to which of '
                                        r'them objects belong(?s:.*)give each image its own id'):
        run_coco()
    data['images'][1]['id'] = 41
    data['categories'][1]['id'] = data['categories'][0]['id']
    with pytest.raises(DataError, match=r"category 1: 'car' has the id 17 of 'road'; give each"):
        run_coco()


@pytest.mark.usefixtures('nothing_left')
def test_the_place_of_an_object_is_told_once(run_coco, data, source):
    data['annotations'][0]['segmentation'] = [[1, 2, 3, 4]]
    with pytest.raises(DataError) as raised:
        run_coco()
    file = source / 'annotations/instances.json'
    assert f'\n  {file}: annotation 0 (one.jpg): a polygon needs 3 points' in str(raised.value)
