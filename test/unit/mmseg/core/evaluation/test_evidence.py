"""What hooks learn of an evaluation, compared with counting each image by hand."""
import json

import numpy as np
import pytest
import torch

from mmcv_replace.runner import Hook
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation import gathering, standard

ALL = frozenset(('confusion', 'samples', 'pictures', 'worst'))


class Listen(Hook):
    """Keeps what it is told."""

    def __init__(self, *needs):
        self.evaluation_needs = frozenset(needs)
        self.told = []
        self.best = []  # files when it was told

    def after_evaluation(self, runner, evaluation):
        self.told.append(evaluation)


@pytest.fixture
def evaluate(make_runner, make_loader, train_loader):
    """Train for an iteration and evaluate; returns what a hook with these needs was told."""
    def run(*needs, length=1, hooks=(), **options):
        listen = Listen(*needs)
        runner = make_runner(EvalHook(make_loader(2), **options), length)
        for hook in (*hooks, listen):
            runner.register_hook(hook, 'VERY_LOW')
        runner.run([train_loader], [('train', 1)])
        return listen.told if length > 1 else listen.told[0]
    return run


def plain_scores(pred, label):
    """mIoU and accuracy of an image, pixel by pixel."""
    pairs = [(p, t) for p, t in zip(pred.ravel().tolist(), label.ravel().tolist(), strict=True)
             if t != 255]
    if not pairs:
        return float('nan'), float('nan')
    classes = {c for pair in pairs for c in pair}
    ious = [sum(p == t == c for p, t in pairs) / sum(c in pair for pair in pairs) for c in classes]
    return sum(ious) / len(ious), sum(p == t for p, t in pairs) / len(pairs)


def test_all_of_it(evaluate, dataset):
    found = evaluate(*ALL)

    assert (found.done, found.by_epoch, found.averaged) == (1, False, False)
    assert (found.classes, found.palette) == (dataset.CLASSES, dataset.PALETTE)
    assert {'mIoU', 'aAcc', 'Acc.sky'} <= found.scores.keys()
    counts = np.zeros((3, 3), int)
    for pred, label in zip(dataset.preds, dataset.labels, strict=True):
        np.add.at(counts, (label, pred), 1)
    np.testing.assert_array_equal(found.confusion, counts)
    assert [(sample.index, sample.name, sample.path) for sample in found.samples] == [
        (index, f'city/{index}.png', None) for index in range(7)]
    expected = [plain_scores(*pair) for pair in zip(dataset.preds, dataset.labels, strict=True)]
    np.testing.assert_allclose(
        [(sample.miou, sample.accuracy) for sample in found.samples], expected)
    assert [picture.sample.name for picture in found.worst] == [
        f'city/{index}.png' for index in sorted(range(7), key=lambda i: expected[i][0])]
    assert list(found.pictures) == ['city/0.png', 'city/2.png', 'city/4.png', 'city/6.png']
    picture = found.pictures['city/4.png']
    assert picture.sample == found.samples[4]
    np.testing.assert_array_equal(picture.seg_map, dataset.preds[4])
    np.testing.assert_array_equal(picture.truth, dataset.labels[4])
    np.testing.assert_array_equal(picture.image(), dataset.get_original_image(4))


@pytest.mark.parametrize(('needs', 'given'), [
    ((), []), (('samples',), ['samples']), (('pictures',), ['pictures']), (('worst',), ['worst']),
])
def test_only_what_is_needed_is_gathered(evaluate, monkeypatch, needs, given):
    added = []
    plain = gathering.Gatherer.add
    monkeypatch.setattr(gathering.Gatherer, 'add',
                        lambda self, *args: (added.append(1), plain(self, *args)))
    found = evaluate(*needs)
    assert [name for name in ('samples', 'pictures', 'worst') if getattr(found, name)] == given
    assert len(added) == (7 if needs else 0)
    assert found.confusion is not None  # made anyway


def test_the_needs_of_all_hooks_are_joined(evaluate):
    found = evaluate('worst', hooks=[Listen('samples')])
    assert len(found.samples) == len(found.worst) == 7
    assert not found.pictures


@pytest.mark.parametrize('needs', [frozenset(('confusions',)), 'samples'])
def test_a_need_that_does_not_exist(evaluate, needs):
    hook = Listen()
    hook.evaluation_needs = needs
    with pytest.raises(ConfigError, match=r'Listen\.evaluation_needs=.* is a set of some of conf'):
        evaluate(hooks=[hook])


def test_an_image_without_a_label_has_no_score_and_is_not_the_worst(evaluate, dataset):
    dataset.labels[3][:] = 255
    dataset.labels[5][0] = 255
    found = evaluate('samples', 'worst')
    assert np.isnan([found.samples[3].miou, found.samples[3].accuracy]).all()
    expected = plain_scores(dataset.preds[5], dataset.labels[5])
    assert (found.samples[5].miou, found.samples[5].accuracy) == pytest.approx(expected)
    assert len(found.worst) == 6
    assert 3 not in [picture.sample.index for picture in found.worst]


def test_only_the_worst_are_kept(evaluate, dataset, monkeypatch):
    monkeypatch.setattr(gathering, 'WORST', 2)
    packed = []
    monkeypatch.setattr(gathering.PackedMap, 'of', lambda seg_map: packed.append(seg_map))
    found = evaluate('worst', 'samples')
    lowest = sorted(found.samples, key=lambda sample: sample.miou)[:2]
    assert [picture.sample for picture in found.worst] == lowest
    assert len(packed) < 2 * 7


@pytest.mark.parametrize(('wanted', 'indices'), [
    (0, []), (1, [3]), (3, [1, 3, 5]), (7, [*range(7)]), (70, [*range(7)]),
    (['city/2.png', 'city/5'], [2, 5]),
])
def test_fixed_pictures(evaluate, dataset, wanted, indices):
    dataset.img_infos = [dict(filename=f'city/{index}.png') for index in range(7)]
    for found in evaluate('pictures', length=2, pictures=wanted):
        assert [picture.sample.index for picture in found.pictures.values()] == indices


@pytest.mark.parametrize(('pictures', 'asked', 'given'), [(2, 3, 3), (4, 3, 4), (['1'], 3, 1)])
def test_a_hook_may_ask_for_more_pictures(evaluate, dataset, pictures, asked, given):
    dataset.img_infos = [dict(filename=f'{index}.png') for index in range(7)]
    hook = Listen('pictures')
    hook.evaluation_pictures = asked
    assert len(evaluate(hooks=[hook], pictures=pictures).pictures) == given


def test_scores_of_classes_apart_from_the_others(evaluate, dataset):
    dataset.score_groups = ('ground',)
    plain = dataset.evaluate
    dataset.evaluate = standard(lambda results, **options: plain(results, **options) | {
        'IoU.ground': 0.5, 'IoU.none': 0.25})
    found = evaluate()
    assert found.class_scores() == {'Acc.sky': 0, 'Acc.road': 0, 'Acc.tree': 0, 'IoU.ground': 0.5}
    assert found.overall_scores().keys() == {'aAcc', 'mIoU', 'mAcc', 'IoU.none'}


def test_pictures_of_one_name_are_kept_apart(evaluate, dataset, monkeypatch):
    plain = type(dataset).__getitem__

    def of_one_name(self, index):
        sample = plain(self, index)
        sample['img_metas'][0].data['ori_filename'] = 'same.png'
        return sample

    monkeypatch.setattr(type(dataset), '__getitem__', of_one_name)
    assert list(evaluate('pictures', pictures=2).pictures) == ['same.png', 'same.png (5)']


def test_names_of_pictures_that_do_not_exist(evaluate, dataset):
    dataset.img_infos = [dict(filename=f'city/{index}.png') for index in range(7)]
    with pytest.raises(ConfigError, match=r"'city/9\.png' is no image of the 7 of the dataset; did "
                                          r"you mean 'city/"):
        evaluate(pictures=['city/9.png'])


def test_names_of_pictures_without_a_list(evaluate):
    with pytest.raises(ConfigError, match=r'no list of the names of its samples \(img_infos\)'):
        evaluate(pictures=['city/1.png'])


def test_data_of_users_that_score_in_their_own_way_tell_the_scores_alone(evaluate, dataset,
                                                                         monkeypatch):
    said = []
    monkeypatch.setattr(gathering, 'warn_once', said.append)
    monkeypatch.setattr(dataset, 'evaluate', lambda results, **kwargs: dict(mIoU=0.25))
    found = evaluate(*ALL)
    assert found.scores == dict(mIoU=0.25)
    assert found.confusion is None
    assert (found.samples, found.pictures, found.worst) == ([], {}, [])
    assert 'get no confusion, pictures, samples, worst' in said[0]


def test_hooks_of_users_that_score_in_their_own_way(make_runner, make_loader, train_loader):
    class Own(EvalHook):
        def evaluate(self, runner, results):
            runner.log_buffer.output['mIoU'] = len(results) / 10

    listen = Listen('samples')
    runner = make_runner(Own(make_loader()), 1)
    runner.register_hook(listen, 'VERY_LOW')
    runner.run([train_loader], [('train', 1)])
    assert [(found.scores, found.samples) for found in listen.told] == [(dict(mIoU=0.7), [])]


def test_averaged_weights_are_told_of_too(make_runner, make_loader, train_loader, tmp_path):
    listen = Listen('samples')
    runner = make_runner(EvalHook(make_loader()), 1)
    runner.register_optimizer_hook({})
    runner.register_hook_from_cfg(dict(type='EMAHook'))
    runner.register_hook(listen, 'VERY_LOW')
    runner.run([train_loader], [('train', 1)])
    assert [(found.averaged, len(found.samples), 'mIoU' in found.scores)
            for found in listen.told] == [(False, 7, True), (True, 7, True)]
    assert sorted(path.name for path in (tmp_path / 'evaluations').iterdir()) == [
        'iter_1.npz', 'iter_1_ema.npz']


def test_hooks_are_told_before_the_best_checkpoint_is_written(make_runner, make_loader,
                                                              train_loader, tmp_path):
    class Look(Hook):
        def after_evaluation(self, runner, evaluation):
            seen.append([path.name for path in tmp_path.rglob('*')])

    seen = []
    runner = make_runner(EvalHook(make_loader()), 1)
    runner.register_hook(Look(), 'VERY_LOW')
    runner.run([train_loader], [('train', 1)])
    assert seen == [['evaluations', 'iter_1.npz']]
    assert (tmp_path / 'best_mIoU_iter_1.pth').exists()


def test_colours_of_any_kind_become_numbers(evaluate, dataset):
    dataset.PALETTE = torch.tensor(dataset.PALETTE).numpy()
    assert json.dumps(evaluate().palette) == '[[1, 1, 1], [2, 2, 2], [3, 3, 3]]'
    dataset.PALETTE = None
    assert evaluate().palette == []


def test_data_without_classes(evaluate, dataset):
    class Unnamed(type(dataset)):
        CLASSES = None

        @standard
        def evaluate(self, results, logger=None):
            return dict(mIoU=0.5)

    dataset.__class__ = Unnamed
    found = evaluate('samples')
    assert (found.classes, found.samples, found.confusion) == ((), [], None)


def test_data_without_classes_has_those_of_the_model(evaluate, dataset, model):
    named = evaluate(*ALL)
    dataset.CLASSES, model.module.num_classes = None, 3
    dataset.evaluate = standard(lambda results, logger=None: {'mIoU': 0.5, 'IoU.2': 0.25})
    found = evaluate(*ALL)
    np.testing.assert_array_equal(found.confusion, named.confusion)
    assert found.samples == named.samples
    assert found.pictures.keys() == named.pictures.keys()
    assert found.classes == ('0', '1', '2')
    assert (found.class_scores(), found.overall_scores()) == ({'IoU.2': 0.25}, {'mIoU': 0.5})


def test_pictures_of_what_was_found(evaluate, dataset):
    colours = dataset.PALETTE = [[250, 0, 0], [0, 250, 0], [0, 0, 250]]
    dataset.preds = [pred.repeat(40, 0).repeat(40, 1) for pred in dataset.preds]
    dataset.labels = [label.repeat(40, 0).repeat(40, 1) for label in dataset.labels]
    dataset.labels[3][:40] = 255
    found = evaluate('pictures', pictures=1)
    (picture,) = found.pictures.values()
    drawn = picture.panels(max_side=1000)
    pred, truth = dataset.preds[3], dataset.labels[3]
    height, width = pred.shape
    top = drawn.shape[0] - height
    left, lefts = 0, []
    for _ in range(4):
        lefts.append(left)
        left += width + 8
    parts = [drawn[top:, start:start + width] for start in lefts]
    np.testing.assert_array_equal(parts[0], dataset.get_original_image(3)[..., ::-1])
    for part, seg_map in ((parts[1], truth), (parts[2], pred)):
        for label, colour in (*enumerate(colours), (255, [0, 0, 0])):
            assert (part[seg_map == label] == colour).all()
    states = [parts[3][mask] for mask in ((pred == truth), (pred != truth) & (truth != 255),
                                          truth == 255)]
    assert [len(np.unique(state, axis=0)) for state in states] == [1, 1, 1]
    assert len({tuple(state[0]) for state in states}) == 3
    assert drawn.shape[1] > left  # the legend
    assert picture.panels(max_side=50).shape[1] < drawn.shape[1]
    assert found.confusion_picture().ndim == 3


def test_a_negative_label_for_what_is_ignored_is_drawn(evaluate, dataset):
    dataset.ignore_index = -1
    dataset.PALETTE = None
    dataset.labels = [label.astype(np.int16) for label in dataset.labels]
    dataset.labels[3][0] = -1
    (picture,) = evaluate('pictures', pictures=1).pictures.values()
    assert picture.panels().dtype == np.uint8
