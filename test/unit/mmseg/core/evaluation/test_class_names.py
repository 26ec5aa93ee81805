"""Class names and palettes."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import class_names, get_classes, get_palette


@pytest.mark.parametrize('alias', ['voc', 'pascal_voc', 'voc12', 'voc12aug'])
def test_voc(alias):
    assert len(get_classes(alias)) == 21
    assert get_classes(alias)[15] == 'person'
    assert get_palette(alias)[15] == [192, 128, 128]


def test_voc_palette_is_that_of_real_masks(shared_dir):
    mask = next((shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/SegmentationClass').glob('*.png'))
    stored = np.array(Image.open(mask).getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(get_palette('voc'), stored[:21])


def test_cityscapes():
    assert get_classes('cityscapes')[::6] == ['road', 'traffic light', 'rider', 'bicycle']
    assert get_palette('cityscapes')[13] == [0, 0, 142]


# Classes that the published colours do not tell apart.
SAME_COLOUR = {'ade': ('road', 'skyscraper'), 'ade20k': ('road', 'skyscraper'),
               **dict.fromkeys(('pascal_context', 'pcontext', 'pascal_context59', 'pcontext59'),
                               ('bicycle', 'snow'))}


@pytest.mark.parametrize('dataset', class_names.DATASETS)
def test_one_distinct_colour_a_class(dataset):
    classes, palette = get_classes(dataset), [*map(tuple, get_palette(dataset))]
    assert len(classes) == len(palette)
    twice = tuple(name for name, colour in zip(classes, palette, strict=True)
                  if palette.count(colour) > 1)
    assert twice == SAME_COLOUR.get(dataset, ())


@pytest.mark.parametrize(('alias', 'number'), [
    ('ade', 150), ('ade20k', 150), ('pascal_context', 60), ('pcontext', 60),
    ('pascal_context59', 59), ('pcontext59', 59), ('chase_db1', 2), ('drive', 2), ('hrf', 2),
    ('stare', 2)])
def test_number_of_classes(alias, number):
    assert len(get_classes(alias)) == number


def test_callers_cannot_change_the_tables():
    get_classes('voc').append('tree')
    get_palette('voc')[0][0] = 9
    assert len(get_classes('voc')) == 21
    assert get_palette('voc')[0] == [0, 0, 0]


@pytest.mark.parametrize('function', [get_classes, get_palette])
def test_unknown_dataset(function):
    with pytest.raises(DataError, match="'vok'; choose from voc, pascal_voc"):
        function('vok')


@pytest.mark.parametrize('name', ['voc', 'cityscapes', 'ade'])
def test_a_function_for_each_data_set(name):
    assert getattr(class_names, f'{name}_classes')() == get_classes(name)
    assert getattr(class_names, f'{name}_palette')() == get_palette(name)
