"""Label Studio: regions of all kinds, annotations of several people, names of files."""
import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError

from . import exports
from .exports import painted, write_images, write_json
from .raster.test_brush_rle import pack, rgba
from .test_coco import change


@pytest.fixture
def tasks():
    return exports.label_studio_tasks()


@pytest.fixture
def run_studio(run_import, source, tasks):
    def run(**options):
        write_images(source / 'images')
        return run_import('labelstudio', write_json(source / 'project.json', tasks), **options)
    return run


def set_region(tasks, value, kind, labels=('car',), **other):
    """The only region of the first task."""
    tasks[0]['annotations'][0]['result'] = [dict(
        id='a', type=kind, original_width=30, original_height=20, image_rotation=0,
        value={**value, kind: list(labels)}, **other)]


def test_brushes(run_studio, tasks):
    mask = np.random.default_rng(0).random((20, 30)) < 0.4
    set_region(tasks, dict(format='rle', rle=pack(rgba(mask))), 'brushlabels')
    masks, _, report = run_studio()
    np.testing.assert_array_equal(masks['one.png'] == 1, mask)
    assert 'alpha above 0' in report


def test_a_brush_whose_label_is_an_entry_of_its_own(run_studio, tasks):
    mask = np.eye(20, 30, dtype=bool)
    set_region(tasks, dict(format='rle', rle=pack(rgba(mask))), 'brush')
    result = tasks[0]['annotations'][0]['result']
    del result[0]['value']['brush']
    result.append(dict(id='a', type='labels', original_width=30, original_height=20,
                       value=dict(labels=['road'])))
    result.append(dict(id='b', type='choices', value=dict(choices=['night'])))
    result.append(dict(type='relation', from_id='a', to_id='b'))
    masks, _, report = run_studio()
    np.testing.assert_array_equal(masks['one.png'] == 2, mask)
    assert 'choices, which has no area, left out: 1' in report
    assert 'labels, which' not in report


@pytest.mark.parametrize(('rotation', 'expected'), [
    (0, np.s_[4:10, 3:12]),
    # Around its upper left corner, 12, 4: to the left of it and downwards.
    (90, np.s_[4:13, 6:12])])
def test_rectangles(run_studio, tasks, rotation, expected):
    left = 12 if rotation else 3
    set_region(tasks, dict(x=left / 30 * 100, y=20, width=30, height=30, rotation=rotation),
               'rectanglelabels')
    masks, _, _ = run_studio()
    wanted = np.zeros((20, 30), bool)
    wanted[expected] = True
    np.testing.assert_array_equal(masks['one.png'] == 1, wanted)


@pytest.mark.parametrize('rotation', [0, 90, 35])
def test_ellipses(run_studio, tasks, rotation):
    set_region(tasks, dict(x=50, y=50, radiusX=20, radiusY=20, rotation=rotation), 'ellipselabels')
    masks, _, _ = run_studio()
    row, column = np.mgrid[:20, :30]
    angle = np.deg2rad(rotation)
    x, y = column + 0.5 - 15, row + 0.5 - 10
    along, across = (x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle))
    inside = (along / 6) ** 2 + (across / 4) ** 2
    found = masks['one.png'] == 1
    assert found[inside < 0.9].all()
    assert not found[inside > 1.1].any()


def test_later_regions_are_above(run_studio, tasks):
    tasks[0]['annotations'][0]['result'].reverse()
    masks, _, _ = run_studio()
    expected = painted('one.jpg')
    expected[10:14, 4:12] = 2
    np.testing.assert_array_equal(masks['one.png'], expected)


def other_annotation(**facts):
    return dict(id=9, result=[], **facts)


@pytest.mark.parametrize(('more', 'kept'), [
    ([other_annotation()], False), ([other_annotation(was_cancelled=True)], True),
    ([other_annotation(ground_truth=False)], False)])
def test_several_annotations(run_studio, tasks, more, kept):
    """The last one that was not skipped counts."""
    tasks[0]['annotations'] += more
    masks, _, report = run_studio()
    assert masks['one.png'].any() == kept
    assert ('images with several annotations, of which one counts: 1' in report) != kept


def test_ground_truth_counts(run_studio, tasks):
    tasks[0]['annotations'][0]['ground_truth'] = True
    tasks[0]['annotations'].append(other_annotation())
    masks, _, _ = run_studio()
    assert masks['one.png'].any()


def test_images_that_nobody_annotated(run_studio, tasks):
    tasks[0]['annotations'] = []
    tasks[1]['annotations'][0]['was_cancelled'] = True
    masks, _, report = run_studio()
    assert set(masks) == {'empty.png'}
    assert 'images without a submitted annotation, left out: 2' in report


@pytest.mark.parametrize(('address', 'file'), [
    ('/data/upload/7/0a1b2c3d-one.jpg', '0a1b2c3d-one.jpg'),
    ('/data/local-files/?d=pictures/day%201/one.jpg', 'one.jpg'),
    ('https://example.com/a/one%20two.jpg?token=5', 'one two.jpg'),
    ('s3://bucket/folder/one.jpg', 'one.jpg'), ('C:\\pictures\\one.jpg', 'one.jpg')])
def test_names_of_images(run_studio, tasks, source, tmp_path, address, file):
    write_images(source / 'images')
    (source / 'images/one.jpg').rename(source / 'images' / file)
    tasks[0]['data'] = {'note': 'text', 'image': address}
    tasks[:] = tasks[:1]
    mask = np.zeros((20, 30), np.uint8)
    masks, _, _ = run_studio()
    assert cv2.imread(str(next((tmp_path / 'out/images').iterdir()))) is not None
    assert set(masks) == {file.replace('.jpg', '.png')}
    assert mask.shape == next(iter(masks.values())).shape


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('path', 'value', 'message'), [
    ((0, 'annotations', 0, 'result', 0, 'value', 'points'), [[1, 2], [3, 4]],
     r'task 0 \(0a1b2c3d-one.jpg\), region 0 \(road\): a polygon needs 3 points'),
    ((0, 'annotations', 0, 'result', 0, 'value', 'polygonlabels'), [],
     r'region 0: it has the labels \[\], and needs one'),
    ((0, 'annotations', 0, 'result', 0, 'value', 'polygonlabels'), ['car', 'road'],
     r"has the labels \['car', 'road'\]"),
    ((0, 'annotations', 0, 'result', 0, 'image_rotation'), 90, 'turned in Label Studio by 90'),
    ((0, 'annotations', 0, 'result', 0, 'original_width'), None, "'original_width' is missing"),
    ((0, 'annotations', 0, 'result', 0, 'original_width'), 31, 'of images of different sizes'),
    ((0, 'annotations', 0, 'result', 0, 'type'), None, "'type' is missing"),
    ((0, 'annotations', 0, 'result', 0), 5, "'type' is missing"),
    ((0, 'annotations', 0, 'result', 0, 'value'), dict(data='x', bitmasklabels=['car']),
     "regions of the type 'polygonlabels' cannot be read, only brushlabels"),
    ((0, 'annotations', 0, 'result'), None, "'result' is missing"),
    ((0, 'annotations'), None, "'annotations' is missing"),
    ((0, 'data'), {'text': 'no image'}, 'no image is named in its data'),
    ((0, 'data'), {'image': '/data/upload/1/gone.jpg'}, 'its image gone.jpg is missing'),
])
def test_errors(run_studio, tasks, path, value, message):
    change(tasks, path, value)
    with pytest.raises(DataError, match=f'(?s)1 problem .*project.json: .*{message}'):
        run_studio()


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('value', 'kind', 'message'), [
    (dict(format='png', rle=[]), 'brushlabels', "its format is 'png', and not rle"),
    (dict(rle=[1, 2]), 'brushlabels', 'ends early'),
    (dict(x=1, y=2, width='3', height=4), 'rectanglelabels', 'and should be numbers'),
    (dict(x=1, y=2, width=3, height=4, rotation='x'), 'rectanglelabels', 'should be numbers'),
    (dict(x=1, y=2, radiusX=float('nan'), radiusY=4), 'ellipselabels', 'should be numbers')])
def test_bad_regions(run_studio, tasks, value, kind, message):
    set_region(tasks, value, kind)
    with pytest.raises(DataError, match=message):
        run_studio()


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('tasks', 'message'), [
    ({}, 'is no list of tasks'), ([5], 'is no list of tasks'),
    ([{'image': 'a.jpg', 'label': []}], "has no 'annotations', as JSON-MIN")])
def test_files_that_are_no_exports(run_studio, message):
    with pytest.raises(DataError, match=message):
        run_studio()


@pytest.mark.usefixtures('nothing_left')
def test_why_no_image_is_left(run_studio, tasks):
    for task in tasks:
        task['annotations'] = []
    with pytest.raises(DataError, match='no image is left to import; images without a submitted '
                                        'annotation, left out: 3'):
        run_studio()
