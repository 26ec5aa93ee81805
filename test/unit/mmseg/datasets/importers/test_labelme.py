"""labelme: each of its shapes as its own program fills it."""
import base64
import importlib.util
import io
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.importers.labelme_shapes import LABELME_SHAPES, labelme_mask

from . import exports
from .exports import painted, write_images, write_json, write_labelme
from .test_coco import change


def png(mask):
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, format='PNG')
    return base64.b64encode(buffer.getvalue()).decode()


PATCH = np.arange(20).reshape(4, 5) % 3 > 0
SHAPES = [
    ('polygon', [[3.2, 2.9], [20, 5.5], [11.4, 17], [2, 11]], None),
    ('rectangle', [[12.7, 14.2], [3.1, 4.6]], None),
    ('oriented_rectangle', [[5, 5], [15, 9], [13, 14], [3, 10]], None),
    ('circle', [[12.5, 9.4], [15.2, 12]], None),
    ('line', [[2, 3], [19, 16.5]], None),
    ('linestrip', [[2, 3], [19, 6], [8, 17.5]], None),
    ('point', [[9.6, 8.2]], None),
    ('mask', [[6, 3], [10, 6]], PATCH),
    ('mask', [[6.7, 3.2], [10.7, 6.2]], PATCH),
]
SIZE = (18, 22)


def test_all_shapes_are_tested():
    assert {kind for kind, _, _ in SHAPES} == set(LABELME_SHAPES)


@pytest.fixture
def shapes_to_label(monkeypatch):
    """The function of labelme 6.3.1, from its file: the package itself needs Qt and onnxruntime."""
    spec = importlib.util.find_spec('labelme')
    folder = Path('nowhere') if spec is None else Path(spec.submodule_search_locations[0])
    if not (folder / 'utils/shape.py').exists():
        pytest.skip('needs pip install --no-deps labelme==6.3.1')
    monkeypatch.setitem(sys.modules, 'labelme', types.ModuleType('labelme'))
    label_file = types.ModuleType('labelme._label_file')
    label_file.ShapeDict = dict
    monkeypatch.setitem(sys.modules, 'labelme._label_file', label_file)
    spec = importlib.util.spec_from_file_location('labelme_shape', folder / 'utils/shape.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.shapes_to_label


@pytest.mark.parametrize(('kind', 'points', 'patch'), SHAPES)
def test_labelme_itself(shapes_to_label, kind, points, patch):
    expected, _ = shapes_to_label(
        SIZE, [dict(label='a', points=points, shape_type=kind, mask=patch)], {'a': 1})
    found = labelme_mask(kind, points, None if patch is None else png(patch), SIZE)
    np.testing.assert_array_equal(found, expected.astype(bool))


def test_random_polygons_of_labelme(shapes_to_label):
    random = np.random.default_rng(0)
    for _ in range(100):
        points = (random.uniform(-0.2, 1.2, (random.integers(3, 9), 2)) * SIZE[::-1]).tolist()
        expected, _ = shapes_to_label(
            SIZE, [dict(label='a', points=points, shape_type='polygon')], {'a': 1})
        np.testing.assert_array_equal(labelme_mask('polygon', points, None, SIZE), expected == 1)


def test_a_square_with_its_outline():
    expected = np.zeros((8, 9), bool)
    expected[1:6, 1:6] = True
    for kind, points in [('polygon', [[1, 1], [5, 1], [5, 5], [1, 5]]),
                         ('rectangle', [[5, 5], [1, 1]]),
                         ('oriented_rectangle', [[1, 1], [5, 1], [5, 5], [1, 5]])]:
        np.testing.assert_array_equal(labelme_mask(kind, points, None, (8, 9)), expected, kind)


def test_discs_and_lines():
    """Within a pixel of the definition."""
    row, column = np.mgrid[:40, :50]
    for kind, points, radius in [('circle', [[20, 18], [20, 30]], 12), ('point', [[20, 18]], 5)]:
        found = labelme_mask(kind, points, None, (40, 50))
        distance = np.hypot(row - 18, column - 20)
        assert found[distance < radius - 1].all()
        assert not found[distance > radius + 1].any()
    for kind in ('line', 'linestrip'):
        found = labelme_mask(kind, [[10, 20], [40, 20]], None, (40, 50))
        inside = found[:, 15:35].any(1)
        assert inside.sum() == 10
        assert 14 <= np.flatnonzero(inside)[0] <= 16


@pytest.mark.parametrize('patch', [PATCH, np.where(PATCH, 255, 0).astype(np.uint8)])
def test_painted_masks(patch):
    expected = np.zeros(SIZE, bool)
    expected[3:7, 6:11] = PATCH
    np.testing.assert_array_equal(labelme_mask('mask', [[6, 3], [10, 6]], png(patch), SIZE),
                                  expected)
    found = labelme_mask('mask', [[-2, -1], [2, 2]], png(patch), SIZE)
    np.testing.assert_array_equal(found[:3, :3], PATCH[1:, 2:])
    assert found.sum() == PATCH[1:, 2:].sum()
    assert not labelme_mask('mask', [[-9, 0], [-5, 3]], png(patch), SIZE).any()


def test_later_shapes_are_above(run_import, source):
    write_labelme(source)
    data = exports.labelme_data('one.jpg')
    data['shapes'].reverse()
    write_json(source / 'one.json', data)
    masks, _, report = run_import('labelme', source)
    expected = painted('one.jpg')
    expected[10:14, 4:12] = 2
    np.testing.assert_array_equal(masks['one.png'], expected)
    assert 'pixels of objects of several classes, which the upper one has: 68 (5.45%)' in report
    assert 'labelme 6.3.1' in report


def test_names_that_labelme_knows(run_import, source):
    """__ignore__ is no class, _background_ is what nobody labelled; labels.txt lists both."""
    write_labelme(source)
    data = exports.labelme_data('one.jpg')
    data['shapes'][1]['label'] = '__ignore__'
    write_json(source / 'one.json', data)
    (source / 'labels.txt').write_text('__ignore__\n_background_\nroad\ncar\n')
    masks, classes, _ = run_import('labelme', source, classes=[str(source / 'labels.txt')])
    assert classes == ['_background_', 'road', 'car']
    expected = painted('one.jpg', ['background', 'road', 'car'])
    np.testing.assert_array_equal(masks['one.png'], np.where(expected == 2, 255, expected))


def test_one_file(run_import, source):
    write_labelme(source)
    masks, _, _ = run_import('labelme', source / 'two.json')
    assert set(masks) == {'two.png'}


def test_folders_and_paths_of_windows(run_import, source):
    write_images(source / 'pictures')
    for name in exports.SCENES:
        data = exports.labelme_data(name)
        data['imagePath'] = f'..\\..\\pictures\\{name}'
        write_json(source / f'json/day/{name[:-4]}.json', data)
    masks, _, _ = run_import('labelme', source)
    assert set(masks) == {f'json/day/{name}.png' for name in ('one', 'two', 'empty')}
    np.testing.assert_array_equal(masks['json/day/one.png'], painted('one.jpg'))


@pytest.mark.parametrize('name', ['one.jpg', 'two.png'])
def test_an_image_inside_of_the_json(run_import, source, tmp_path, name):
    write_images(source / 'images')
    data = exports.labelme_data(name)
    content = (source / 'images' / name).read_bytes()
    data['imageData'] = base64.b64encode(content).decode()
    masks, _, _ = run_import('labelme', write_json(source / 'a.json', data))
    np.testing.assert_array_equal(masks[f'{name[:-4]}.png'], painted(name))
    assert (tmp_path / 'out/images' / name).read_bytes() == content


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('path', 'value', 'message'), [
    (('shapes', 0, 'points'), [[1, 2], [3, 4]],
     r'shape 0 \(road\): a polygon needs 3 points, and this one has 2'),
    (('shapes', 0, 'shape_type'), 'blob', "'blob' is no shape that can be filled; they are"),
    (('shapes', 0, 'shape_type'), 'circle', 'a circle has 2 points, and this one has 4'),
    (('shapes', 0, 'shape_type'), 'mask', 'a mask has 2 points'),
    (('shapes', 0, 'points'), None, "'points' is missing"),
    (('shapes', 0, 'points'), [[1e7, 2], [3, 4], [5, 6]], 'far outside of the image'),
    (('shapes', 0, 'label'), None, "shape 0: 'label' is missing, and should be a text"),
    (('shapes', 0), [], "shape 0: 'label' is missing"),
    (('shapes',), {}, "'shapes' is {}, and should be a list"),
    (('imagePath',), 'gone.jpg', 'its image gone.jpg is missing'),
    (('imagePath',), None, "'imagePath' is missing"),
    (('imageHeight',), 'x', "'imageHeight' is 'x'"),
])
def test_errors(run_import, source, path, value, message):
    write_labelme(source)
    data = exports.labelme_data('one.jpg')
    change(data, path, value)
    write_json(source / 'one.json', data)
    with pytest.raises(DataError, match=rf'(?s)1 problem .*one\.json: .*{message}'):
        run_import('labelme', source)


@pytest.mark.usefixtures('nothing_left')
def test_files_that_are_no_labels(run_import, source):
    write_labelme(source)
    (source / 'two.json').write_text('{"shapes": [')
    with pytest.raises(DataError, match='two.json is not valid json'):
        run_import('labelme', source)
    (source / 'two.json').write_text('[]')
    with pytest.raises(DataError, match="two.json has no 'shapes', and is no file of labelme"):
        run_import('labelme', source)


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('data', 'message'), [
    ('no base64!', 'imageData is no image in base64'), (['x'], 'imageData is no image in base64'),
    ('AAAA', 'no image of a format that is known')])
def test_damaged_image_data(run_import, source, data, message):
    entry = exports.labelme_data('one.jpg')
    entry['imageData'] = data
    with pytest.raises(DataError, match=f'(?s)1 problem .*a.json.*{message}'):
        run_import('labelme', write_json(source / 'a.json', entry))


@pytest.mark.parametrize(('mask', 'message'), [
    (None, 'its mask is no PNG in base64'), ('no base64!', 'its mask is no PNG in base64'),
    ('AAAA', 'its mask: .*cannot decode'), (5, 'its mask is no PNG in base64'),
    (png(np.zeros((2, 2, 3), np.uint8)), 'its mask has 3 channels instead of one')])
def test_damaged_masks(mask, message):
    with pytest.raises(DataError, match=message):
        labelme_mask('mask', [[0, 0], [1, 1]], mask, SIZE)
