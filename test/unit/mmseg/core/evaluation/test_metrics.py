"""Scores against their definitions over sets of pixels."""
import inspect
import math

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation import (
    check_metrics,
    eval_metrics,
    mean_dice,
    mean_fscore,
    mean_iou,
    metrics_from_confusion,
    pre_eval_to_metrics,
    summarize,
    total_intersect_and_union,
)
from mmseg.core.evaluation.metrics import intersect_and_union

NUM_CLASSES = 6


@pytest.fixture
def maps():
    """Five predictions and annotations; class 4 is in no map, class 5 in no annotation."""
    label = np.random.randint(0, 4, (5, 10, 12))
    label[np.random.rand(*label.shape) < 0.1] = 255
    pred = np.where(np.random.rand(*label.shape) < 0.6, label % 4, np.random.randint(0, 4))
    pred[0, 0, :3] = 5
    label[0, 0, :3] = 1
    return list(pred), list(label)


def sets_by_class(maps):
    """(predicted pixels, true pixels) of each class, as sets."""
    pred, label = np.stack(maps[0]).ravel(), np.stack(maps[1]).ravel()
    pixels = [i for i in range(label.size) if label[i] != 255]
    return [({i for i in pixels if pred[i] == c}, {i for i in pixels if label[i] == c})
            for c in range(NUM_CLASSES)]


def ratio(part, whole):
    return part / whole if whole else math.nan


DEFINITIONS = {
    'Acc': lambda p, t: ratio(len(p & t), len(t)),
    'IoU': lambda p, t: ratio(len(p & t), len(p | t)),
    'Dice': lambda p, t: ratio(2 * len(p & t), len(p) + len(t)),
    'Precision': lambda p, t: ratio(len(p & t), len(p)),
    'Recall': lambda p, t: ratio(len(p & t), len(t)),
}


def expected(maps, score):
    return [DEFINITIONS[score](p, t) for p, t in sets_by_class(maps)]


def overall(maps):
    pred, label = np.stack(maps[0]), np.stack(maps[1])
    return (pred == label)[label != 255].mean()


@pytest.mark.parametrize(('function', 'score'), [(mean_iou, 'IoU'), (mean_dice, 'Dice')])
def test_iou_and_dice(maps, function, score):
    all_acc, acc, values = function(*maps, NUM_CLASSES, 255)
    assert all_acc == pytest.approx(overall(maps))
    np.testing.assert_allclose(acc, expected(maps, 'Acc'))
    np.testing.assert_allclose(values, expected(maps, score))
    assert np.isnan(values[4])
    assert values[5] == 0


@pytest.mark.parametrize('beta', [0.5, 1.0, 2.0])
def test_fscore_is_the_weighted_harmonic_mean(maps, beta):
    _, _, fscore, precision, recall = mean_fscore(*maps, NUM_CLASSES, 255, beta=beta)
    np.testing.assert_allclose(precision, expected(maps, 'Precision'))
    np.testing.assert_allclose(recall, expected(maps, 'Recall'))
    present = slice(0, 4)
    np.testing.assert_allclose(
        fscore[present],
        (1 + beta**2) / (1 / precision[present] + beta**2 / recall[present]))


def test_fscore_of_a_class_that_is_never_right_is_zero():
    fscore = metrics_from_confusion(np.array([[0, 2], [0, 5]]), 'mFscore')['Fscore']
    assert fscore[0] == 0


def test_nan_to_num(maps):
    assert np.isnan(mean_iou(*maps, NUM_CLASSES, 255)[2][4])
    assert mean_iou(*maps, NUM_CLASSES, 255, nan_to_num=-1)[2][4] == -1
    assert mean_dice(*maps, NUM_CLASSES, 255, nan_to_num=-1)[2][4] == -1
    assert mean_fscore(*maps, NUM_CLASSES, 255, nan_to_num=-1)[2][4] == -1


def test_label_map_and_reduce_zero_label(maps):
    pred, label = maps
    moved = [np.where(one == 3, 77, one) for one in label]
    same = mean_iou(pred, label, NUM_CLASSES, 255)[2]
    np.testing.assert_array_equal(
        mean_iou(pred, moved, NUM_CLASSES, 255, label_map={77: 3})[2], same)
    raised = [np.where(one == 255, 0, one + 1) for one in label]
    np.testing.assert_array_equal(
        mean_iou(pred, raised, NUM_CLASSES, 255, reduce_zero_label=True)[2], same)


def test_several_metrics_in_their_order(maps):
    results = eval_metrics(*maps, NUM_CLASSES, 255, metrics=['mDice', 'mIoU'])
    np.testing.assert_allclose(results[2], expected(maps, 'Dice'))
    np.testing.assert_allclose(results[3], expected(maps, 'IoU'))
    assert len(results) == 4


def test_predictions_from_files(maps, tmp_path):
    files = []
    for number, pred in enumerate(maps[0]):
        files.append(str(tmp_path / f'{number}.npy'))
        np.save(files[-1], pred)
    np.testing.assert_array_equal(
        mean_iou(files, maps[1], NUM_CLASSES, 255)[2], mean_iou(*maps, NUM_CLASSES, 255)[2])


def test_error_names_the_sample(maps, tmp_path):
    pred, label = maps
    label[2] = label[2][:-1]
    with pytest.raises(DataError, match='sample 2: the prediction is 10 x 12'):
        mean_iou(pred, label, NUM_CLASSES, 255)
    file = tmp_path / 'second.npy'
    np.save(file, pred[2])
    with pytest.raises(DataError, match=r'second\.npy: the prediction is 10 x 12'):
        mean_iou([pred[0], pred[1], file], label[:3], NUM_CLASSES, 255)


def test_numbers_of_samples_must_agree(maps):
    with pytest.raises(DataError, match='4 predictions for 5 annotations'):
        mean_iou(maps[0][:4], maps[1], NUM_CLASSES, 255)


def test_unknown_metric():
    with pytest.raises(ConfigError, match="'IoU' does not exist; choose from mIoU, mDice, mFscore"):
        check_metrics(['mIoU', 'IoU'])
    with pytest.raises(ConfigError, match='choose from'):
        eval_metrics([], [], 2, 255, metrics='cityscapes')


def test_summary_leaves_absent_classes_out(maps):
    scores = metrics_from_confusion(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), ['mIoU', 'mDice'])
    summary = summarize(scores)
    assert list(summary) == ['aAcc', 'mIoU', 'mDice', 'mAcc']
    assert summary['aAcc'] == pytest.approx(7 / 8)
    assert summary['mIoU'] == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert summary['mAcc'] == pytest.approx((3 / 4 + 1) / 2)
    assert all(type(value) is float for value in summary.values())


def test_no_pixel_at_all_is_nan():
    assert all(math.isnan(value) for value in summarize(
        metrics_from_confusion(np.zeros((3, 3), np.int64))).values())


def test_areas_of_all_maps_and_of_each(maps):
    total = total_intersect_and_union(*maps, NUM_CLASSES, 255)
    each = [intersect_and_union(pred, label, NUM_CLASSES, 255)
            for pred, label in zip(*maps, strict=True)]

    for number, area in enumerate(('both', 'either', 'pred', 'label')):
        counts = [len(dict(both=p & t, either=p | t, pred=p, label=t)[area])
                  for p, t in sets_by_class(maps)]
        assert total[number].tolist() == sum(areas[number] for areas in each).tolist() == counts


def test_scores_of_what_pre_eval_returned(maps):
    each = [intersect_and_union(pred, label, NUM_CLASSES, 255)
            for pred, label in zip(*maps, strict=True)]

    scores = pre_eval_to_metrics(each, ['mIoU', 'mFscore'], nan_to_num=-1, beta=2)

    values = eval_metrics(*maps, NUM_CLASSES, 255, ['mIoU', 'mFscore'], -1, beta=2)
    assert list(scores) == ['aAcc', 'Acc', 'IoU', 'Fscore', 'Precision', 'Recall']
    for value, same in zip(scores.values(), values, strict=True):
        np.testing.assert_array_equal(value, same)


@pytest.mark.parametrize(('function', 'own'), [(mean_iou, []), (mean_dice, []),
                                               (mean_fscore, ['beta'])])
def test_parameters_of_the_functions_of_one_metric(function, own):
    assert list(inspect.signature(function).parameters) == [
        'results', 'gt_seg_maps', 'num_classes', 'ignore_index', 'nan_to_num', 'label_map',
        'reduce_zero_label', *own]
