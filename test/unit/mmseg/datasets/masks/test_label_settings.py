"""What a dataset says of its labels, and what its pipeline makes of it."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets import CustomDataset

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


class Named(CustomDataset):
    CLASSES = ('a', 'b', 'c', 'd')


class TwoValues(CustomDataset):
    CLASSES = ('background', 'object')
    label_map = {0: 0, 1: 0, 2: 0, 3: 1}


@pytest.fixture
def make(data_root):
    def build(cls=Named, **kwargs):
        return cls(**dict(pipeline=LOAD, img_dir='img', ann_dir='ann',
                          data_root=str(data_root)) | kwargs)
    return build


def stored_mask(data_root, number):
    return np.array(Image.open(data_root / 'ann' / f'{number}.png'))


@pytest.mark.parametrize('classes', [None, ['c']])
def test_reduce_zero_label_must_be_the_same_in_the_pipeline(make, classes):
    def load(value, wrap=lambda steps: steps):
        return wrap([LOAD[0], dict(type='LoadAnnotations', reduce_zero_label=value)])

    def nested(steps):
        return [dict(type='Compose', transforms=steps)]

    for own, step, wrap in ((True, False, list), (False, True, list), (True, False, nested)):
        with pytest.raises(ConfigError, match=(
                rf'reduce_zero_label must be the same in Named \({own}\) and in LoadAnnotations of '
                rf'its pipeline \({step}\).*leave it out of LoadAnnotations')):
            make(classes=classes, reduce_zero_label=own, pipeline=load(step, wrap))
    with pytest.raises(ConfigError, match=r'one LoadAnnotations of Named .*\(True, False\)'):
        make(classes=classes, pipeline=load(True) + load(False))
    assert make(classes=classes, pipeline=load(True)).reduce_zero_label is True
    assert make(classes=classes, pipeline=load(False)).reduce_zero_label is False


@pytest.mark.parametrize(('classes', 'kept'), [(None, [0, 1, 2]), (['c', 'a'], [1, 255, 0])])
def test_loading_follows_reduce_zero_label_of_the_dataset(make, data_root, classes, kept):
    dataset = make(classes=classes, reduce_zero_label=True)
    stored = stored_mask(data_root, 0)
    # Of the mask's values 1 to 3, the classes a to c.
    expected = np.full_like(stored, 255)
    for value, number in enumerate(kept, start=1):
        expected[stored == value] = number
    np.testing.assert_array_equal(dataset[0]['gt_semantic_seg'], expected)
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), expected)


@pytest.mark.parametrize('ignore_index', [0, 2, 4])
def test_lowered_labels_must_not_become_what_is_ignored(make, ignore_index):
    with pytest.raises(ConfigError, match=(
            'with reduce_zero_label mask values from 1 to 4 are the classes, and ignore_index='
            f'{ignore_index} would ignore one of them: .* ignore_index=255')):
        make(reduce_zero_label=True, ignore_index=ignore_index, test_mode=ignore_index == 2,
             classes=['a', 'b', 'c', 'd'])


@pytest.mark.parametrize('label_map', [
    {0: 0, 1: 0, 2: 2, 3: 1}, {'0': '0', '1': 0, '2': 2, 3: '1'}])
def test_a_label_map_may_be_an_argument(make, data_root, label_map):
    stored = stored_mask(data_root, 0)
    expected = np.select([stored == 2, stored == 3, stored == 255], [2, 1, 255], 0)
    dataset = make(label_map=label_map)
    np.testing.assert_array_equal(dataset[0]['gt_semantic_seg'], expected)
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), expected)
    some = make(label_map=label_map, classes=['c'])
    np.testing.assert_array_equal(some[0]['gt_semantic_seg'], np.where(stored == 2, 0, 255))
    # It goes before that of the class, which stays as it is.
    assert make(TwoValues).label_map == {0: 0, 1: 0, 2: 0, 3: 1}
    assert make(TwoValues, label_map={0: 1, 3: 0}).label_map == {0: 1, 3: 0}
    assert TwoValues.label_map == {0: 0, 1: 0, 2: 0, 3: 1}


def test_minus_one_of_a_label_map_is_ignored(make, data_root):
    stored = stored_mask(data_root, 0)
    dataset = make(label_map={3: -1}, ignore_index=9)
    label = dataset.get_gt_seg_map(0)
    assert (label[stored == 3] == 9).all()
    np.testing.assert_array_equal(label[stored != 3], stored[stored != 3])


@pytest.mark.parametrize(('label_map', 'message'), [
    ({0: 4}, 'label_map makes 0 class 4, but the 4 classes are 0 to 3; -1 is what is ignored'),
    ({'x': 1}, "label_map has 'x': 1; a mask value from 0 on leads to the number of a class"),
    ({0: 'a'}, "label_map has 0: 'a'"), ({0: -2}, 'label_map has 0: -2'),
    ({-1: 0}, 'label_map has -1: 0'), ({True: 0}, 'label_map has True: 0'),
    ({1: 0, '1': 1}, 'the mask value 1 twice, as a number and as a text, with the classes 0 and 1'),
    ([0, 1], 'is no dict')])
def test_a_label_map_that_leads_nowhere(make, label_map, message):
    with pytest.raises(ConfigError, match=message):
        make(label_map=label_map)


def test_a_label_map_before_reduce_zero_label_counts_from_one(make):
    assert make(label_map={7: 4}, reduce_zero_label=True)
    with pytest.raises(ConfigError, match='makes 7 class 5, but the 4 classes are 1 to 4, before'):
        make(label_map={7: 5}, reduce_zero_label=True)


@pytest.mark.parametrize('options', [{}, dict(classes=['c', 'a'])])
def test_what_follows_the_training_data(make, options):
    dataset = make(**options)
    dataset.follow_labels(9, True)
    same = make(ignore_index=9, reduce_zero_label=True, **options)
    assert (dataset.ignore_index, dataset.reduce_zero_label, dataset.label_map) == (
        9, True, same.label_map)
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), same.get_gt_seg_map(0))
    told = make(ignore_index=255, reduce_zero_label=False, **options)
    told.follow_labels(9, True)
    assert (told.ignore_index, told.reduce_zero_label) == (255, False)
    told.follow_labels(None, None)


def test_crops_ignore_what_the_dataset_does(make):
    def pipeline(**options):
        return [*LOAD, dict(type='RandomCrop', crop_size=(4, 4), **options)]

    with pytest.raises(ConfigError, match=(
            'RandomCrop: ignore_index=255 is none of the 4 classes, and the dataset ignores another'
            ' value, ignore_index=9, so cat_max_ratio would take')):
        make(ignore_index=9, pipeline=pipeline(ignore_index=255, cat_max_ratio=0.7))
    for options in (dict(ignore_index=0, cat_max_ratio=0.7), dict(ignore_index=255),
                    dict(cat_max_ratio=0.7)):
        assert make(ignore_index=9, pipeline=pipeline(**options))
