"""Methods of scoring that a user's dataset overrides are those that score it."""
import functools
import types

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core import eval_metrics
from mmseg.core.evaluation import Prediction, Score, intersect_and_union, overrides, run_sinks
from mmseg.datasets import ConcatDataset, CustomDataset, RepeatDataset, build_dataset
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset


def turned(label):
    """Another label map of the same shape: class 0 for 1 and back."""
    return np.where(label == 0, 1, np.where(label == 1, 0, label)).astype(np.uint8)


def stored(self, idx):
    return CustomDataset.get_gt_seg_map(self, idx)


def test_a_dataset_asks_for_its_files_when_it_is_made(dataset_cfg):
    class Late(CustomDataset):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.found = self.file_client.exists(self.img_dir)

    cfg = {key: value for key, value in dataset_cfg.items() if key != 'type'}
    assert Late(**cfg).found
    assert not Late(**dict(cfg, img_dir='none')).found


class OneByOne(CustomDataset):
    def get_gt_seg_map(self, idx):
        return turned(super().get_gt_seg_map(idx))


class ByIdx(CustomDataset):
    def get_gt_seg_map_by_idx(self, index):
        return turned(super().get_gt_seg_map_by_idx(index))


class ListOfAll(CustomDataset):
    def get_gt_seg_maps(self, efficient_test=False):
        return [turned(label) for label in super().get_gt_seg_maps(efficient_test)]


class Generator(CustomDataset):
    def get_gt_seg_maps(self):
        for label in super().get_gt_seg_maps():
            yield turned(label)


class AsInOldCode(CustomDataset):
    def get_gt_seg_maps(self, efficient_test):
        assert efficient_test is False
        return [turned(stored(self, idx)) for idx in range(len(self))]


class AboveAnother(OneByOne):
    """The most derived method counts, and it asks the one below."""

    def get_gt_seg_maps(self, efficient_test=False):
        return [turned(turned(label)) for label in super().get_gt_seg_maps()]


class Below(ListOfAll):
    def get_gt_seg_map(self, idx):
        return turned(super().get_gt_seg_map(idx))

    def get_gt_seg_maps(self, efficient_test=False):
        raise AssertionError('the one of a sample is there')


class Mixin:
    def get_gt_seg_map(self, idx):
        return turned(super().get_gt_seg_map(idx))


class Mixed(Mixin, CustomDataset):
    pass


class PreEval(CustomDataset):
    def pre_eval(self, preds, indices):
        assert len(preds) == len(indices) == 1
        return super().pre_eval([turned(pred) for pred in preds], indices)


class PreEvalOfItsOwn(CustomDataset):
    def pre_eval(self, preds, indices):
        return [intersect_and_union(pred, turned(stored(self, index)), 4, 255)
                for pred, index in zip(preds, indices, strict=True)]


LABELLERS = [OneByOne, ByIdx, ListOfAll, Generator, AsInOldCode, AboveAnother, Below, Mixed,
             PreEval, PreEvalOfItsOwn]


@pytest.fixture
def make(dataset_cfg):
    def build(cls=CustomDataset):
        return cls(**{key: value for key, value in dataset_cfg.items() if key != 'type'},
                   test_mode=True)
    return build


@pytest.fixture
def label_maps(make):
    random = np.random.RandomState(1)
    return [np.where(random.rand(*label.shape) < 0.6, np.where(label == 255, 0, label),
                     random.randint(0, 4, label.shape)).astype(np.uint8)
            for label in make().get_gt_seg_maps()]


@pytest.fixture
def score(label_maps):
    """Scores of a dataset by the streaming way, the predictions in any order."""
    def run(dataset, maps=None, order=None, **kwargs):
        maps = label_maps if maps is None else maps
        order = range(len(maps)) if order is None else order
        stream = (Prediction(index, maps[index], {}) for index in order)
        sink = Score(dataset)
        run_sinks(stream, [sink])
        return sink.evaluate(**{'logger': 'silent', **kwargs})
    return run


def expected_iou(label_maps, labels):
    return np.mean(eval_metrics(label_maps, labels, 4, 255)[2])


@pytest.fixture
def turned_iou(make, label_maps):
    labels = list(make().get_gt_seg_maps())
    found = expected_iou(label_maps, [turned(label) for label in labels])
    assert found < expected_iou(label_maps, labels) - 0.05
    return pytest.approx(found)


@pytest.mark.parametrize('order', [None, [3, 0, 5, 1, 2, 4]])
@pytest.mark.parametrize('cls', LABELLERS)
def test_the_labels_are_the_users(make, score, turned_iou, cls, order):
    assert score(DeterministicDataset(make(cls)), order=order)['mIoU'] == turned_iou


@pytest.mark.parametrize('cls', [cls for cls in LABELLERS if 'PreEval' not in cls.__name__])
def test_a_list_of_label_maps_is_scored_with_them_too(make, label_maps, turned_iou, cls):
    dataset = make(cls)
    assert dataset.evaluate(label_maps, logger='silent')['mIoU'] == turned_iou
    areas = dataset.pre_eval(label_maps, range(6))
    assert dataset.evaluate(areas, logger='silent')['mIoU'] == turned_iou


@pytest.mark.parametrize('cls', [cls for cls in LABELLERS if cls is not PreEval])
def test_labels_inside_a_concatenation(make, score, label_maps, cls):
    joined = ConcatDataset([make(), make(cls)])
    labels = list(make().get_gt_seg_maps())
    expected = expected_iou(label_maps * 2, labels + [turned(label) for label in labels])
    assert score(joined, label_maps * 2)['mIoU'] == pytest.approx(expected)
    nested = ConcatDataset([ConcatDataset([make(), make(cls)])])
    assert score(nested, label_maps * 2)['mIoU'] == pytest.approx(expected)


@pytest.mark.parametrize('bind', [
    lambda dataset, function: types.MethodType(function, dataset),
    lambda dataset, function: functools.partial(function, dataset),
    lambda dataset, function: lambda *args, **kwargs: function(dataset, *args, **kwargs)])
def test_a_method_of_one_object(make, score, turned_iou, bind):
    dataset = make()
    dataset.get_gt_seg_map = bind(dataset, lambda self, idx: turned(stored(self, idx)))
    assert score(DeterministicDataset(dataset))['mIoU'] == turned_iou
    dataset = make()
    dataset.evaluate = bind(dataset, lambda self, results, **kwargs: {'mIoU': len(results)})
    assert score(dataset) == {'mIoU': 6}


def test_a_class_that_is_patched(make, score, turned_iou, monkeypatch):
    plain = CustomDataset.get_gt_seg_map
    monkeypatch.setattr(CustomDataset, 'get_gt_seg_map', lambda self, idx: turned(plain(self, idx)))
    assert score(make())['mIoU'] == turned_iou


class Evaluates(CustomDataset):
    def evaluate(self, results, metric='mIoU', logger=None, **kwargs):
        self.seen = results, metric, kwargs
        own = super().evaluate(results, metric='mIoU', logger=logger)
        return {'mIoU': own['mIoU'] / 2, 'share': np.float32(0.25), 'tensor': torch.tensor(2)}


class Wrapped(Evaluates):
    @functools.wraps(CustomDataset.evaluate)
    def evaluate(self, *args, **kwargs):
        return super().evaluate(*args, **kwargs)


@pytest.mark.parametrize('cls', [Evaluates, Wrapped])
def test_an_evaluate_of_the_users_gets_all_predictions_in_order(make, score, label_maps, cls):
    dataset = make(cls)
    scores = score(DeterministicDataset(dataset), order=[3, 0, 5, 1, 2, 4], metric='boundary',
                   extra=1)
    assert isinstance(dataset.seen[0], list)
    for found, expected in zip(dataset.seen[0], label_maps, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert dataset.seen[1:] == ('boundary', {'extra': 1})
    assert scores == {'mIoU': pytest.approx(score(make())['mIoU'] / 2), 'share': 0.25, 'tensor': 2}
    assert all(type(value) in (int, float) for value in scores.values())


def test_an_evaluate_of_the_users_gets_what_its_pre_eval_returned(make, score):
    class Both(CustomDataset):
        def pre_eval(self, preds, indices):
            return [(index, pred.shape) for pred, index in zip(preds, indices, strict=True)]

        def evaluate(self, results, logger=None):
            self.seen = results
            return {'mIoU': 0.5}

    dataset = make(Both)
    assert score(dataset, order=[5, 4, 3, 2, 1, 0]) == {'mIoU': 0.5}
    assert [index for index, _ in dataset.seen] == list(range(6))


def test_a_subclass_of_concat_dataset(make, score, label_maps):
    class Joined(ConcatDataset):
        def evaluate(self, results, metric='mIoU', logger=None):
            return {'number': len(results)}

    assert score(Joined([make(), make()]), label_maps * 2) == {'number': 12}


def test_an_evaluate_inside_a_concatenation_scores_its_share(make, score, label_maps):
    inner = make(Evaluates)
    scores = score(ConcatDataset([make(), inner]), label_maps * 2)
    plain = score(make())['mIoU']
    assert scores['0_mIoU'] == pytest.approx(plain)
    assert scores['1_mIoU'] == pytest.approx(plain / 2)
    assert 'mIoU' not in scores
    assert len(inner.seen[0]) == 6
    assert score(ConcatDataset([make(Evaluates)]))['mIoU'] == pytest.approx(plain / 2)


def test_nothing_is_kept_for_our_own(make, label_maps):
    dataset = make()
    stream = (Prediction(index, one, {}) for index, one in enumerate(label_maps))
    sink = Score(dataset)
    run_sinks(stream, [sink])
    assert sink.results == []
    assert sink.confusion.matrix.sum() > 0


def test_labels_that_are_scored_as_they_are(make, score, monkeypatch):
    said = []
    monkeypatch.setattr(overrides, 'warn_once', said.append)
    dataset = make(ListOfAll)
    score(dataset)
    assert said == []
    dataset.label_map = {0: 1}
    score(dataset)
    assert 'get_gt_seg_maps, which the dataset overrides, are scored as they are' in said[0]


class TooFew(CustomDataset):
    def get_gt_seg_maps(self, efficient_test=False):
        return [stored(self, idx) for idx in range(4)]


class TooFewToCome(TooFew):
    def get_gt_seg_maps(self, efficient_test=False):
        return iter(super().get_gt_seg_maps())


class Silent(CustomDataset):
    def evaluate(self, results, **kwargs):
        pass


class SilentBefore(CustomDataset):
    def pre_eval(self, preds, indices):
        pass


@pytest.mark.parametrize(('cls', 'message'), [
    (TooFew, 'get_gt_seg_maps, .* gives 4 label maps: there is none for sample 4'),
    (TooFewToCome, 'get_gt_seg_maps, .* gives 4 label maps: there is none for sample 4'),
    (Silent, 'evaluate of the dataset returned NoneType: return a dict of scores by name'),
    (SilentBefore, 'pre_eval of the dataset returned NoneType: return a list'),
])
def test_methods_that_do_not_do_what_they_should(make, score, cls, message):
    with pytest.raises(DataError, match=message):
        score(make(cls))


def test_a_dataset_without_evaluate(make, score, label_maps):
    with pytest.raises(DataError, match='RepeatDataset has no method evaluate and cannot be'):
        score(DeterministicDataset(RepeatDataset(make(), 2)), label_maps * 2)


def test_a_format_without_indices_inside_a_concatenation(make, label_maps, tmp_path):
    class AllAtOnce(CustomDataset):
        def format_results(self, results, out_dir):
            raise AssertionError

    with pytest.raises(ConfigError, match='format_results of AllAtOnce has to take indices'):
        ConcatDataset([make(AllAtOnce)]).format_results(label_maps, str(tmp_path))


def test_two_results_for_a_prediction_inside_a_concatenation(make, score, label_maps):
    class Twice(CustomDataset):
        def pre_eval(self, preds, indices):
            return super().pre_eval(preds, indices) * 2

    with pytest.raises(DataError, match='pre_eval of Twice returned 2 results for a prediction'):
        score(ConcatDataset([make(Twice)]))


def test_a_concatenation_is_told_all_predictions(make, label_maps):
    with pytest.raises(DataError, match='needs the predictions of all 12 images'):
        ConcatDataset([make(), make(Evaluates)]).evaluate(label_maps)


def test_the_registry_builds_them(dataset_cfg, score, turned_iou, monkeypatch):
    from mmseg.datasets import DATASETS
    monkeypatch.setitem(DATASETS.module_dict, 'ByIdx', ByIdx)
    assert score(build_dataset({**dataset_cfg, 'type': 'ByIdx'},
                               {'test_mode': True}))['mIoU'] == turned_iou
