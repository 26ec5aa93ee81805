import copy
import pickle

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import (
    DATASETS,
    BaseDatasetWrapper,
    ConcatDataset,
    RepeatDataset,
    build_dataset,
)
from mmseg.datasets.pipeline_options import set_pipeline_options


@pytest.fixture
def parts(dataset_cfg):
    return [build_dataset(dict(dataset_cfg, split=split)) for split in (None, 'train.txt')]


def test_concat_joins_the_samples(parts):
    joined = ConcatDataset(parts)

    assert len(joined) == 9
    assert joined.CLASSES == ['a', 'b', 'c', 'd']
    assert joined.PALETTE == parts[0].PALETTE
    assert joined.ignore_index == 255
    assert [info['filename'] for info in joined.img_infos] == [
        *(f'{number}.jpg' for number in range(6)), '4.jpg', '0.jpg', '2.jpg']
    for index, (part, inner) in [(0, (0, 0)), (5, (0, 5)), (6, (1, 0)), (8, (1, 2))]:
        np.testing.assert_array_equal(joined.get_gt_seg_map(index),
                                      parts[part].get_gt_seg_map(inner))


@pytest.mark.parametrize(('index', 'expected'), [
    (0, (0, 0)), (5, (0, 5)), (6, (1, 0)), (8, (1, 2)), (-1, (1, 2)), (-9, (0, 0))])
def test_concat_tells_where_a_sample_is(parts, index, expected):
    assert ConcatDataset(parts).get_dataset_idx_and_sample_idx(index) == expected


@pytest.mark.parametrize('index', [9, -10])
def test_concat_has_no_sample_beyond_the_last(parts, index):
    with pytest.raises(ConfigError, match=f'9 samples, and none of index {index}'):
        ConcatDataset(parts).get_dataset_idx_and_sample_idx(index)


def test_concat_takes_predictions_one_by_one(parts):
    joined = ConcatDataset(parts)
    results = [joined.get_gt_seg_map(index) for index in range(9)]
    single = [each for index in range(9) for each in joined.pre_eval(results[index], index)]
    several = joined.pre_eval(results, range(9))
    assert joined.evaluate(single, logger='silent') == joined.evaluate(several, logger='silent')


def test_concat_scores_all_images_together(parts):
    joined = ConcatDataset(parts)
    random = np.random.RandomState(0)
    results = [random.randint(0, 4, joined.get_gt_seg_map(index).shape) for index in range(9)]
    confusion = ConfusionMatrix(4)
    for index, result in enumerate(results):
        confusion.update(result, joined.get_gt_seg_map(index))

    scores = joined.evaluate(results, logger='silent')

    assert scores == joined.evaluate(confusion, logger='silent')
    labels = np.concatenate([joined.get_gt_seg_map(index).ravel() for index in range(9)])
    preds = np.concatenate([result.ravel() for result in results])[labels != 255]
    assert scores['aAcc'] == pytest.approx((preds == labels[labels != 255]).mean())


def test_concat_writes_each_dataset_to_its_own_folder(parts, tmp_path):
    joined = ConcatDataset(parts)
    results = [joined.get_gt_seg_map(index) for index in range(9)]

    files = joined.format_results(results, str(tmp_path / 'out'))
    some = joined.format_results(results[5:7], str(tmp_path / 'some'), indices=[5, 6])

    assert files == [str(tmp_path / 'out' / name) for name in (
        *(f'0/{number}.png' for number in range(6)), '1/4.png', '1/0.png', '1/2.png')]
    assert some == [str(tmp_path / 'some' / name) for name in ('0/5.png', '1/4.png')]


@pytest.mark.parametrize(('change', 'message'), [
    (dict(classes=['a', 'b', 'd', 'c']), 'differ in CLASSES'),
    (dict(ignore_index=254), 'differ in ignore_index: 255, 254'),
])
def test_concat_refuses_datasets_of_different_classes(dataset_cfg, change, message):
    parts = [build_dataset(dataset_cfg), build_dataset(dict(dataset_cfg, **change))]

    with pytest.raises(ConfigError, match=message):
        ConcatDataset(parts)


def test_concat_takes_any_dataset():
    joined = ConcatDataset([[1, 2], [3]])

    assert list(joined) == [1, 2, 3]
    assert joined.CLASSES is None


def test_repeat_multiplies_the_length(parts):
    parts[0].pipeline.transforms = parts[0].pipeline.transforms[:1]
    repeated = RepeatDataset(parts[0], times=3)

    assert len(repeated) == 18
    assert repeated.CLASSES == parts[0].CLASSES
    assert repeated.PALETTE == parts[0].PALETTE
    assert repeated[13]['ori_filename'] == '1.jpg'


def test_repeat_needs_a_positive_number(parts):
    with pytest.raises(ConfigError, match='times=0: give 1 or more'):
        RepeatDataset(parts[0], times=0)


class Swap(BaseDatasetWrapper):
    """A user's wrapper: two data sets of which the second gives the masks."""

    def __init__(self, dataset, other):
        self.dataset, self.other = dataset, other

    def inner(self):
        return [self.dataset, self.other]

    def __getitem__(self, index):
        return dict(self.dataset[index], other=self.other[index])

    def __len__(self):
        return len(self.dataset)


class Duck:
    """A user's wrapper without our base, whose data set is built by itself."""

    def __init__(self, dataset):
        self.dataset = build_dataset(dataset)

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return self.dataset[index]


@pytest.fixture
def wrappers(monkeypatch):
    for cls in (Swap, Duck):
        monkeypatch.setitem(DATASETS.module_dict, cls.__name__, cls)


def test_a_wrapper_of_a_user_is_built_and_known(wrappers, dataset_cfg, parts):
    swap = build_dataset(dict(type='RepeatDataset', times=2, dataset=dict(
        type='Swap', dataset=dataset_cfg, other=parts[0])), dict(test_mode=True)).dataset
    duck = build_dataset(dict(type='Duck', dataset=dataset_cfg))

    assert swap.dataset.test_mode  # the default arguments are for what is inside
    assert swap.CLASSES == ['a', 'b', 'c', 'd']
    assert swap.PALETTE == parts[0].PALETTE
    assert swap.ignore_index == 255
    assert [*leaf_datasets(swap)] == [swap.dataset, parts[0]]
    assert [*leaf_datasets(duck)] == [duck.dataset]


def test_settings_reach_the_inside_of_a_users_wrapper(wrappers, dataset_cfg, parts):
    swap = Swap(*parts)
    set_pipeline_options(swap, {}, asynchronous=True)

    assert [type(part.pipeline._steps()[-1]).__name__ for part in parts] == ['DeviceNormalize'] * 2
    parts[1].ignore_index = 9
    with pytest.raises(ConfigError, match='Swap: its datasets differ in ignore_index: 255, 9; '
                                          'give all of them the same'):
        _ = swap.ignore_index


def test_a_wrapper_that_is_copied_or_sent_to_a_worker(parts):
    parts[0].pipeline.transforms = []
    for wrapper in (RepeatDataset(parts[0], 2), ConcatDataset(parts[:1])):
        for copied in (copy.deepcopy(wrapper), pickle.loads(pickle.dumps(wrapper))):
            assert copied.CLASSES == ['a', 'b', 'c', 'd']
            assert len(copied) == len(wrapper)
            assert not hasattr(copied, 'no_attribute')
