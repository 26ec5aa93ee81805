"""What a data set sets as class attributes, and the arguments that override it."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets import ADE20KDataset, CityscapesDataset, CustomDataset


class Named(CustomDataset):
    CLASSES = ('a', 'b', 'c', 'd')


@pytest.fixture
def make(data_root):
    def build(cls, **kwargs):
        load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
        return cls(**dict(pipeline=load, img_dir='img', ann_dir='ann',
                          data_root=str(data_root)) | kwargs)
    return build


class Suffixed(Named):
    img_suffix = '_i.jpeg'
    seg_map_suffix = '_l.png'


@pytest.mark.parametrize(('cls', 'options'), [
    (Named, dict(img_suffix='_i.jpeg', seg_map_suffix='_l.png')), (Suffixed, {}),
    (type('Other', (Suffixed,), dict(img_suffix='.x')), dict(img_suffix='_i.jpeg'))])
def test_suffixes_are_settings_of_the_class_or_the_config(data_root, make, cls, options):
    for number in range(6):
        (data_root / 'img' / f'{number}.jpg').rename(data_root / 'img' / f'{number}_i.jpeg')
        (data_root / 'ann' / f'{number}.png').rename(data_root / 'ann' / f'{number}_l.png')

    dataset = make(cls, **options)

    assert dataset[5]['ori_filename'] == '5_i.jpeg'
    np.testing.assert_array_equal(dataset[5]['gt_semantic_seg'], dataset.get_gt_seg_map(5))


def test_a_constructor_as_in_0x(make):
    class Mine(Named):
        def __init__(self, **kwargs):
            super().__init__(img_suffix='.jpg', seg_map_suffix='.png', reduce_zero_label=True,
                             **kwargs)

    assert make(Mine).reduce_zero_label


def test_a_class_may_need_a_split(make):
    class Split(Named):
        needs_split = True

    with pytest.raises(ConfigError, match='Split needs split, a list such as'):
        make(Split)
    assert len(make(Split, split='train.txt')) == 3


@pytest.mark.parametrize(('of_class', 'options'), [
    (None, dict(reduce_zero_label=True)), (True, {}), (False, dict(reduce_zero_label=True))])
def test_reduce_zero_label_ignores_zero_and_lowers_the_others(make, data_root, of_class, options):
    dataset = make(type('Zero', (Named,), dict(reduce_zero_label=of_class)), **options)
    stored = np.array(Image.open(data_root / 'ann' / '0.png')).astype(int)

    np.testing.assert_array_equal(dataset.get_gt_seg_map(0),
                                  np.where((stored == 0) | (stored == 255), 255, stored - 1))


class OtherStreets(CityscapesDataset):
    CLASSES = ('lane', 'car')
    PALETTE = [[1, 2, 3], [4, 5, 6]]


class Unnamed(CityscapesDataset):
    CLASSES = None


@pytest.mark.parametrize(('cls', 'options', 'values'), [
    (CityscapesDataset, {}, {0: 7, 5: 17, 13: 26, 18: 33}),
    (CityscapesDataset, dict(classes=['car', 'road']), {0: 26, 1: 7}),
    (ADE20KDataset, {}, {0: 1, 149: 150}),
    (Named, {}, {0: 0, 3: 3}), (OtherStreets, {}, {0: 0, 1: 1}), (Unnamed, {}, {0: 0, 9: 9})])
def test_values_for_a_test_server(make, tmp_path, cls, options, values):
    dataset = make(cls, img_suffix='.jpg', seg_map_suffix='.png', **options)
    for result in (np.array([list(values)]), np.array([list(values)], np.uint8)):
        file, = dataset.format_results([result], str(tmp_path), [0])
        with Image.open(file) as image:
            assert np.array(image).tolist() == [list(values.values())]
        file, = dataset.format_results([result], str(tmp_path), [0], to_label_id=False)
        with Image.open(file) as image:
            assert np.array(image).tolist() == [list(values)]
