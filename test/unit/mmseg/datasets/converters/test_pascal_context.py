"""Pascal Context from the file of PASCAL in Detail, tiny and in its layout."""
import json

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets import PascalContextDataset, PascalContextDataset59
from mmseg.datasets.converters import pascal_context
from mmseg.datasets.converters.pascal_context import CATEGORIES, convert_pascal_context

from ..coco_rle import rle_of
from .archives import make_pascal_context


@pytest.fixture
def made(tmp_path):
    return make_pascal_context(tmp_path)


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def change(made, function):
    path = made.paths[1]
    content = json.loads(path.read_text())
    replaced = function(content)
    path.write_text(json.dumps(content if replaced is None else replaced))


@pytest.mark.parametrize('nproc', [1, 2])
def test_masks_and_lists(made, tmp_path, nproc):
    assert convert_pascal_context(*made.paths, nproc=nproc) == dict(train=2, val=1)
    voc = tmp_path / 'VOC2010'
    found = {f'SegmentationClassContext/{path.name}'
             for path in (voc / 'SegmentationClassContext').iterdir()}
    assert found == set(made.masks)
    for place, mask in made.masks.items():
        np.testing.assert_array_equal(pixels(voc / place), mask)
    lists = voc / 'ImageSets/SegmentationContext'
    assert (lists / 'train.txt').read_text() == '2008_000000\n2008_000001\n'
    assert (lists / 'val.txt').read_text() == '2008_000002\n'


def test_both_classes_read_them(made, tmp_path):
    convert_pascal_context(*made.paths)
    mask = made.masks['SegmentationClassContext/2008_000002.png']
    for cls, expected in ((PascalContextDataset, mask),
                          (PascalContextDataset59, np.where(mask, mask - 1, 255))):
        dataset = cls(split='ImageSets/SegmentationContext/val.txt', img_dir='JPEGImages',
                      ann_dir='SegmentationClassContext', data_root=str(tmp_path / 'VOC2010'),
                      pipeline=[])
        dataset.check_files()
        np.testing.assert_array_equal(dataset.get_gt_seg_map(0), expected)


def test_out_dir(made, tmp_path):
    convert_pascal_context(*made.paths, out_dir=tmp_path / 'deep/masks')
    assert len(list((tmp_path / 'deep/masks').iterdir())) == 3
    assert not (tmp_path / 'VOC2010/SegmentationClassContext').exists()


def test_the_order_of_the_categories_is_that_of_the_classes():
    """Categories and classes are both in the order of the alphabet, after the background."""
    assert list(CATEGORIES) == sorted(CATEGORIES)
    assert len(CATEGORIES) == len(PascalContextDataset.CLASSES) == 60
    published = dict(aeroplane=2, bicycle=23, bird=25, boat=31, bottle=34, bus=45, car=59, cat=65,
                     chair=72, cow=98, table=397, dog=113, horse=207, motorbike=258, person=284,
                     pottedplant=308, sheep=347, sofa=368, train=416, tvmonitor=427, bag=9, bed=18,
                     bench=22, book=33, building=44, cabinet=46, ceiling=68, cloth=80, computer=85,
                     cup=104, door=115, fence=144, floor=158, flower=159, food=162, grass=187,
                     ground=189, keyboard=220, light=232, mountain=259, mouse=260, curtain=105,
                     platform=296, sign=355, plate=295, road=324, rock=326, shelves=349,
                     sidewalk=354, sky=360, snow=366, bedclothes=19, track=415, tree=420,
                     truck=424, wall=440, water=445, window=454, wood=458)
    for name, category in published.items():
        assert PascalContextDataset.CLASSES[CATEGORIES.index(category)] == name


def test_masks_have_the_colours_of_the_classes(made, tmp_path):
    convert_pascal_context(*made.paths)
    place, mask = next(iter(made.masks.items()))
    with Image.open(tmp_path / 'VOC2010' / place) as image:
        colours = np.array(image.convert('RGB'))
    np.testing.assert_array_equal(colours, np.array(PascalContextDataset.PALETTE)[mask])


def test_a_warning_names_the_counts(made, caplog, monkeypatch):
    with caplog.at_level('WARNING'):
        convert_pascal_context(*made.paths)
    assert 'train 2, val 1 images; the complete archives give train 4,998, val 5,105' in caplog.text
    caplog.clear()
    monkeypatch.setattr(pascal_context, 'FULL_COUNTS', dict(train=2, val=1))
    with caplog.at_level('WARNING'):
        convert_pascal_context(*made.paths)
    assert not caplog.text


def test_an_image_without_regions_is_background(made, tmp_path):
    change(made, lambda content: content.update(annos_segmentation=[]))
    convert_pascal_context(*made.paths)
    assert not pixels(tmp_path / 'VOC2010/SegmentationClassContext/2008_000000.png').any()


@pytest.mark.parametrize('paths', [('', 'no.json'), ('nowhere', 'VOC2010/trainval_merged.json')])
def test_missing_files(made, tmp_path, paths):
    with pytest.raises(MissingDataError, match=r'no\.json|has no folder JPEGImages\nexpected:'):
        convert_pascal_context(*(tmp_path / path for path in paths))
    assert not (tmp_path / 'VOC2010/SegmentationClassContext').exists()


def first_region(content, **values):
    content['annos_segmentation'][0].update(values)


@pytest.mark.parametrize(('function', 'told'), [
    (lambda content: [], 'is no annotation file of PASCAL in Detail .TypeError'),
    (lambda content: content.pop('images') and None, "KeyError: 'images'"),
    (lambda content: content.pop('annos_segmentation') and None, "KeyError: 'annos_segm"),
    (lambda content: content['images'][0].update(height='9'), 'ValueError.*is no image'),
    (lambda content: content['images'][0].update(height=0), 'ValueError.*is no image'),
    (lambda content: content['images'][0].update(file_name=3), 'ValueError: 3 of'),
    (lambda content: content['images'][0].update(height=10**6, width=10**6), 'limit'),
    (lambda content: first_region(content, category_id=7), '2008_000000.jpg.*category 7, which'),
    (lambda content: first_region(content, category_id=[2]), r'category \[2\], which is none'),
    (lambda content: first_region(content, segmentation=[[1, 2, 3, 4]]),
     'no run-length encoded mask'),
    (lambda content: first_region(content, segmentation=dict(size=[40, 52], counts='3')),
     'covers 3 pixels'),
    (lambda content: first_region(content, segmentation=rle_of(np.ones((9, 8), bool))),
     '2008_000000.jpg, a region: its RLE has the size .9, 8., and the image .* .40, 52.; fetch')])
@pytest.mark.parametrize('nproc', [1, 2])
def test_malformed_files(made, tmp_path, function, told, nproc):
    change(made, function)
    with pytest.raises(DataError, match=f'(?s)trainval_merged.json.*{told}|limit'):
        convert_pascal_context(*made.paths, nproc=nproc)
    assert not (tmp_path / 'VOC2010/SegmentationClassContext').exists()
    assert not (tmp_path / 'VOC2010/ImageSets').exists()


def test_a_file_cut_short(made):
    made.paths[1].write_text(made.paths[1].read_text()[:500])
    with pytest.raises(DataError, match=r'trainval_merged\.json is not valid json'):
        convert_pascal_context(*made.paths)


def test_a_name_that_leads_elsewhere(made, tmp_path):
    change(made, lambda content: content['images'][0].update(file_name='../../x/evil.jpg'))
    convert_pascal_context(*made.paths)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob('evil*')] == [
        'VOC2010/SegmentationClassContext/evil.png']
