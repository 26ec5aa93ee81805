"""Scores of groups of classes, against label maps whose classes are merged by hand."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation import ConfusionMatrix, group_scores, mean_iou
from mmseg.core.evaluation.groups import check_groups

CLASSES = ('sky', 'car', 'bus', 'traffic light', 'none of it')
GROUPS = dict(vehicles=['car', 'bus'], single=['sky'], absent=['none of it'],
              mixed=['none of it', 'traffic light'])


@pytest.fixture
def maps():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, (20, 30))
    label[:2] = 255
    pred = np.where(rng.random(label.shape) < 0.5, label, rng.integers(0, 4, label.shape))
    return np.where(pred == 255, 0, pred), label


@pytest.fixture
def scores(maps):
    confusion = ConfusionMatrix(5)
    confusion.update(*maps)
    found = group_scores(confusion.matrix, GROUPS, CLASSES, ['mIoU', 'mFscore'])
    return {name: dict(zip(GROUPS, values.tolist(), strict=True))
            for name, values in found.items()}


def test_the_mean_over_the_classes_of_a_group(maps, scores):
    _, accs, ious = mean_iou([maps[0]], [maps[1]], 5, 255)
    assert scores['mIoU']['vehicles'] == pytest.approx((ious[1] + ious[2]) / 2)
    assert scores['mAcc']['vehicles'] == pytest.approx((accs[1] + accs[2]) / 2)
    assert scores['mIoU']['single'] == scores['IoU']['single'] == pytest.approx(ious[0])
    assert scores['mIoU']['mixed'] == pytest.approx(ious[3])  # a class without a pixel is left out


def test_a_group_as_one_class(maps, scores):
    pred, label = (np.isin(each, (1, 2)) for each in maps)
    valid = maps[1] != 255
    assert scores['IoU']['vehicles'] == pytest.approx(
        (pred & label).sum() / ((pred | label) & valid).sum())
    assert scores['Acc']['vehicles'] == scores['Recall']['vehicles'] == pytest.approx(
        (pred & label).sum() / label.sum())
    assert scores['Precision']['vehicles'] == pytest.approx(
        (pred & label).sum() / (pred & valid).sum())
    assert scores['IoU']['vehicles'] > scores['mIoU']['vehicles']


def test_the_pixels_of_a_group_that_are_right(maps, scores):
    label = np.isin(maps[1], (1, 2))
    assert scores['aAcc']['vehicles'] == pytest.approx(
        (maps[0] == maps[1])[label].sum() / label.sum())
    assert scores['aAcc']['vehicles'] < scores['Acc']['vehicles']


def test_a_group_without_a_pixel(scores):
    assert all(np.isnan(values['absent']) for values in scores.values())


@pytest.mark.parametrize(('groups', 'message'), [
    (dict(a=['car', 'buss']), r"groups\.a: 'buss' is no class of the dataset; did you mean 'bus'"),
    (dict(a=['xyz']), r"'xyz' is no class of the dataset, which has sky, car, bus, traffic light"),
    (dict(bus=['car']), r"groups\.bus: 'bus' has scores of that name already"),
    (dict(flat=['car']), r"groups\.flat: 'flat' has scores of that name already"),
    (dict(a=[]), r'groups\.a=\[\] is a list of names'),
    (dict(a='car'), r"groups\.a='car' is a list of names of classes, such as \['sky', 'car'\]"),
    (dict(a=['car', 'car']), r"groups\.a=\['car', 'car'\] has a class twice"),
    (['car'], r"groups=\['car'\] is a dict of lists, such as dict\(vehicles=\['sky', 'car'\]\)"),
])
def test_groups_that_cannot_be_scored(groups, message):
    with pytest.raises(ConfigError, match=message):
        check_groups(groups, CLASSES, ['flat'])


def test_data_without_classes():
    with pytest.raises(ConfigError, match='the dataset has no CLASSES to make groups of'):
        check_groups(GROUPS, None)
    check_groups(None, None)


def test_they_are_checked_before_training(make_runner, make_loader, train_loader, dataset):
    with pytest.raises(ConfigError, match=r"groups\.a: 'roads' is no class .*did you mean 'road'"):
        make_runner(EvalHook(make_loader(), groups=dict(a=['roads'])), 1).run(
            [train_loader], [('train', 1)])
    dataset.evaluate = lambda results, logger=None: dict(mIoU=0.5)
    with pytest.raises(ConfigError, match='scores in its own way .*leave groups out'):
        make_runner(EvalHook(make_loader(), groups=dict(a=['road'])), 1).run(
            [train_loader], [('train', 1)])
    given = []
    dataset.evaluate = lambda results, logger=None, groups=None: (
        given.append(groups), dict(mIoU=0.5))[1]
    make_runner(EvalHook(make_loader(), groups=dict(a=['any'])), 1).run(
        [train_loader], [('train', 1)])
    assert given == [dict(a=['any'])]
