"""Polygons of Cityscapes as masks of train ids: by a plain rule, and by Cityscapes' own tool."""
import json
import tempfile

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmseg.datasets import CityscapesDataset
from mmseg.datasets.converters import cityscapes
from mmseg.datasets.converters.cityscapes import convert_cityscapes
from mmseg.datasets.converters.cityscapes_polygons import TRAIN_IDS, draw_polygons

from .archives import make_cityscapes, square

FIRST = 'gtFine/train/aachen/aachen_000000_000019_gtFine_polygons.json'


@pytest.fixture
def made(tmp_path):
    return make_cityscapes(tmp_path)


def pixels(path):
    with Image.open(path) as image:
        assert image.mode == 'L'
        return np.array(image)


def change(root, function):
    path = root / FIRST
    content = json.loads(path.read_text())
    path.write_text(json.dumps(function(content) or content))


@pytest.mark.parametrize('nproc', [1, 2])
def test_masks_and_lists(made, tmp_path, nproc):
    assert convert_cityscapes(tmp_path, nproc=nproc) == dict(test=2, train=2, val=2)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*_labelTrainIds.png')}
    assert found == set(made.masks)
    for place, mask in made.masks.items():
        np.testing.assert_array_equal(pixels(tmp_path / place), mask)
    assert (tmp_path / 'train.txt').read_text() == (
        'aachen/aachen_000000_000019\naachen/aachen_000001_000019\n')
    assert (tmp_path / 'val.txt').read_text().startswith('munster/munster_000000_000019\n')
    assert (tmp_path / 'test.txt').read_text().startswith('bonn/bonn_000000_000019\n')


def test_the_class_reads_them_with_and_without_a_list(made, tmp_path):
    convert_cityscapes(tmp_path)
    for split in (None, 'train.txt'):
        dataset = CityscapesDataset(
            data_root=str(tmp_path), img_dir='leftImg8bit/train', ann_dir='gtFine/train',
            split=split, pipeline=[])
        dataset.check_files()
        assert len(dataset) == 2
        np.testing.assert_array_equal(
            dataset.get_gt_seg_map(1),
            made.masks['gtFine/train/aachen/aachen_000001_000019_gtFine_labelTrainIds.png'])


def test_out_dir_is_the_folder_of_the_lists(made, tmp_path):
    convert_cityscapes(tmp_path, out_dir=tmp_path / 'lists')
    assert sorted(path.name for path in (tmp_path / 'lists').iterdir()) == [
        'test.txt', 'train.txt', 'val.txt']
    assert not (tmp_path / 'train.txt').exists()
    assert all((tmp_path / place).exists() for place in made.masks)


def test_coarse_polygons(tmp_path, caplog):
    made = make_cityscapes(tmp_path, kind='gtCoarse')
    (tmp_path / 'gtCoarse/test').rename(tmp_path / 'gtCoarse/train_extra')
    assert set(convert_cityscapes(tmp_path, gt_dir='gtCoarse')) == {'train', 'train_extra', 'val'}
    for place in [place for place in made.masks if 'test' not in place]:
        np.testing.assert_array_equal(pixels(tmp_path / place), made.masks[place])
    assert not caplog.text
    assert (tmp_path / 'train_extra.txt').read_text().startswith('bonn/bonn_000000_000019\n')


def test_a_warning_for_other_numbers_of_images(made, tmp_path, caplog, monkeypatch):
    with caplog.at_level('WARNING'):
        convert_cityscapes(tmp_path)
    assert ('train 2, val 2, test 2 images; the complete archives give train 2,975, val 500, '
            'test 1,525' in caplog.text)
    caplog.clear()
    monkeypatch.setattr(cityscapes, 'FULL_COUNTS', dict(gtFine=dict(train=2, val=2, test=2)))
    with caplog.at_level('WARNING'):
        convert_cityscapes(tmp_path)
    assert not caplog.text


def test_train_ids_are_the_places_of_the_classes():
    assert [TRAIN_IDS[name] for name in CityscapesDataset.CLASSES] == [*range(19)]
    assert sum(value == 255 for value in TRAIN_IDS.values()) == 15
    assert [name for name, value in TRAIN_IDS.items() if value is None] == ['license plate']


def official():
    """cityscapesscripts 2.3.0, with Pillow 12.3 and 13.0, NumPy 2.3 and 2.4, Python 3.11.

    Of what it requires this needs `pip install --no-deps cityscapesscripts pyquaternion appdirs`.
    """
    json2label = pytest.importorskip('cityscapesscripts.preparation.json2labelImg')
    return json2label.json2labelImg


def test_equal_to_the_official_tool_on_random_polygons(tmp_path):
    """Also beyond the borders, crossing themselves, at fractions of pixels, as groups."""
    draw = official()
    random = np.random.RandomState(0)
    names = [*TRAIN_IDS, 'cargroup', 'persongroup', 'ridergroup']
    for number in range(40):
        width, height = (int(side) for side in random.randint(1, 90, 2))
        objects = []
        for _ in range(30):
            points = random.uniform(-20, 110, (random.randint(3, 12), 2))
            objects.append(dict(
                label=names[random.randint(len(names))], deleted=int(random.rand() < 0.1),
                polygon=(points if random.rand() < 0.5 else points.round().astype(int)).tolist()))
        path = tmp_path / f'{number}.json'
        path.write_text(json.dumps(dict(imgWidth=width, imgHeight=height, objects=objects)))
        draw(str(path), str(tmp_path / 'official.png'), 'trainIds')
        ours = draw_polygons(json.loads(path.read_text()), str(path))
        np.testing.assert_array_equal(np.array(ours), pixels(tmp_path / 'official.png'))


def test_every_label_is_that_of_the_official_tool():
    official()
    from cityscapesscripts.helpers.labels import labels
    assert {label.name: None if label.id < 0 else label.trainId for label in labels} == TRAIN_IDS


def test_a_folder_without_polygons(tmp_path):
    for gt_dir in ('gtFine', 'gtCoarse'):
        with pytest.raises(MissingDataError, match=rf'no \*_polygons\.json below .*{gt_dir}; '
                           r'correct the folder or --gt-dir\nexpected:\n  CITYSCAPES/gtFine'):
            convert_cityscapes(tmp_path, gt_dir)
    assert not list(tmp_path.iterdir())


def test_lists_cannot_go_to_a_file(made, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='-o .*file is a file: give the folder'):
        convert_cityscapes(tmp_path, out_dir=tmp_path / 'file')
    assert not list(tmp_path.rglob('*labelTrainIds*'))


def test_a_folder_of_polygons_that_cannot_be_written_to(made, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(tempfile, 'mkdtemp', refuse)
    with pytest.raises(DataError, match='folder .*gtFine: Permission denied; copy the polygons'):
        convert_cityscapes(tmp_path)


@pytest.mark.parametrize('content', ['', '{"imgWidth": 64, "imgHei', '\x00\x01'])
@pytest.mark.parametrize('nproc', [1, 2])
def test_unreadable_json(made, tmp_path, content, nproc):
    (tmp_path / FIRST).write_text(content)
    with pytest.raises(DataError, match=rf'{FIRST} is not valid json'):
        convert_cityscapes(tmp_path, nproc=nproc)
    assert not list(tmp_path.rglob('*labelTrainIds*'))
    assert not list(tmp_path.glob('*.txt'))


def test_after_an_error_earlier_masks_are_as_before(made, tmp_path):
    convert_cityscapes(tmp_path)
    change(tmp_path, lambda content: content['objects'].append(dict(label='car', polygon=[])))
    for path in (tmp_path / 'gtFine/val').rglob('*.json'):
        path.write_text(json.dumps(dict(imgWidth=9, imgHeight=9, objects=[])))
    with pytest.raises(DataError):
        convert_cityscapes(tmp_path)
    for place, mask in made.masks.items():
        np.testing.assert_array_equal(pixels(tmp_path / place), mask)


def test_a_polygon_of_two_points(made, tmp_path):
    change(tmp_path, lambda content: content['objects'].append(
        dict(label='car', polygon=[[1, 2], [3, 4]])))
    with pytest.raises(DataError, match=rf'{FIRST}: objects\[8\] \(car\): a polygon has at least '
                       'three points, this one 2; delete the object or complete it'):
        convert_cityscapes(tmp_path)


@pytest.mark.parametrize(('annotation', 'told'), [
    ([], 'no size'), (dict(objects=[]), 'no size'),
    (dict(imgWidth=4, imgHeight=-1, objects=[]), 'no size'),
    (dict(imgWidth='4', imgHeight=4, objects=[]), 'no size'),
    (dict(imgWidth=10**6, imgHeight=10**6, objects=[]), 'limit'),
    (dict(imgWidth=4, imgHeight=4), "'objects' is no list"),
    (dict(imgWidth=4, imgHeight=4, objects=[3]), r'a\.json: objects\[0\] is 3, not a dict'),
    (dict(imgWidth=4, imgHeight=4, objects=[square('cars', 0, 0, 1, 1)]),
     r"objects\[0\] has the label 'cars'.*did you mean 'car'"),
    (dict(imgWidth=4, imgHeight=4, objects=[dict(polygon=[])]), 'has the label None'),
    (dict(imgWidth=4, imgHeight=4, objects=[dict(label='car')]), r'\(car\).*no list of points'),
    *((dict(imgWidth=4, imgHeight=4, objects=[dict(label='car', polygon=[[0, 0], [1, 1], wrong])]),
       'no list of points') for wrong in (
           [1], [1, 2, 3], '12', [1, None], [1, float('nan')], [float('inf'), 1], [1e30, 1]))])
def test_malformed_annotations(annotation, told):
    with pytest.raises(DataError, match=told):
        draw_polygons(annotation, 'a.json')


def test_what_is_deleted_or_not_drawn_is_not_looked_at():
    objects = [dict(label='spaceship', deleted=1), dict(label='license plate', polygon=[[0, 0]])]
    image = draw_polygons(dict(imgWidth=3, imgHeight=2, objects=objects), 'a.json')
    assert (np.array(image) == np.full((2, 3), 255)).all()
