"""COCO's panoptic PNGs."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError

from . import exports
from .exports import NAMES, painted, write_images, write_json
from .test_coco import change

NUMBERS = {1: 70_000, 2: 3_000_001}  # of a segment, by the index of its class


@pytest.fixture
def data():
    found = exports.coco_data()
    found['annotations'] = [
        dict(image_id=image['id'], file_name=image['file_name'].replace('.jpg', '.png'),
             segments_info=[
                 dict(id=NUMBERS[index], category_id={'car': 3, 'road': 17}[NAMES[index]],
                      iscrowd=0, area=1, bbox=[0, 0, 1, 1])
                 for index in np.unique(painted(image['file_name'])).tolist() if index])
        for image in found['images']]
    return found


def write_segments(folder):
    folder.mkdir(parents=True)
    for name in exports.SCENES:
        number = np.array([0, NUMBERS[1], NUMBERS[2]])[painted(name)]
        rgb = np.stack([number % 256, number // 256 % 256, number // 65536], -1).astype(np.uint8)
        Image.fromarray(rgb).save(folder / name.replace('.jpg', '.png'))


@pytest.fixture
def run_panoptic(run_import, source, data):
    def run(**options):
        write_images(source / 'images')
        if not (source / 'annotations/panoptic').exists():
            write_segments(source / 'annotations/panoptic')
        return run_import('coco', write_json(source / 'annotations/panoptic.json', data),
                          **options)
    return run


def test_pixels_without_a_segment_are_ignored(run_panoptic):
    masks, classes, report = run_panoptic()
    assert classes == ['car', 'road']
    for name in ('one.jpg', 'two.png'):
        np.testing.assert_array_equal(masks[f'{name[:-4]}.png'], painted(name, classes, 255))
    assert 'red + 256 green + 65536 blue' in report


def test_pixels_without_a_segment_as_background(run_panoptic):
    masks, classes, _ = run_panoptic(unlabelled='background')
    assert classes == NAMES
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


@pytest.mark.parametrize('crowd', ['ignore', 'class'])
def test_crowds(run_panoptic, data, crowd):
    data['annotations'][0]['segments_info'][0]['iscrowd'] = 1
    masks, _, report = run_panoptic(crowd=crowd)
    expected = painted('one.jpg', ['car', 'road'], 255)
    if crowd == 'ignore':
        expected[expected == 0] = 255
        assert 'crowd segments without a class (--crowd class gives them theirs): 1' in report
    np.testing.assert_array_equal(masks['one.png'], expected)


def test_images_without_an_annotation(run_panoptic, data):
    del data['annotations'][0]
    masks, _, report = run_panoptic()
    assert set(masks) == {'two.png', 'empty.png'}
    assert 'images without a panoptic annotation, left out: 1' in report


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('path', 'value', 'message'), [
    (('annotations', 0, 'segments_info', 0, 'id'), 5,
     'one.png holds the segment 70000, which segments_info lacks'),
    (('annotations', 0, 'segments_info', 0, 'category_id'), 5,
     r'annotation 0, segment 0: there is no category 5, only \[3, 17\]'),
    (('annotations', 0, 'segments_info', 0, 'id'), None, "'id' is missing"),
    (('annotations', 0, 'segments_info'), None, "'segments_info' is missing"),
    (('annotations', 0, 'file_name'), 'gone.png', 'segments gone.png are missing in'),
    (('annotations', 0, 'image_id'), 3, 'the file has no image 3'),
    (('annotations', 0, 'file_name'), 'two.png', 'two.png has 23 x 17 pixels, and the image 30'),
    (('images', 0, 'width'), None, "'width' is missing"),
])
def test_errors(run_panoptic, data, path, value, message):
    change(data, path, value)
    with pytest.raises(DataError, match=message):
        run_panoptic()


def test_images_with_one_id(run_panoptic, data):
    data['images'][1]['id'] = data['images'][0]['id']
    with pytest.raises(DataError, match='image 1: it has the id 40 of .*image 0'):
        run_panoptic()
