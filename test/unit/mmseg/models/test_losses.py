"""Cross entropy against loops over single pixels; what other losses share: test_every_loss.py."""
import json
import math

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import FCNHead, build_loss
from mmseg.models.losses import (
    CrossEntropyLoss,
    binary_cross_entropy,
    cross_entropy,
    mask_cross_entropy,
    reduce_loss,
    weight_reduce_loss,
    weighted_loss,
)

N, C, H, W = 2, 3, 4, 5
IGNORE = 255
CLASS_WEIGHT = [0.5, 2.0, 1.25]


@pytest.fixture
def data():
    logit = torch.randn(N, C, H, W, dtype=torch.float64)
    label = torch.randint(C, (N, H, W))
    label[0, 0] = IGNORE
    return logit, label, torch.rand(N, H, W)


def softmax_terms(logit, label, class_weight=None, weight=None):
    """Loss of each pixel [N, H, W], 0 where it is ignored."""
    terms = torch.zeros(N, H, W, dtype=torch.float64)
    for n, y, x in np.ndindex(N, H, W):
        k = int(label[n, y, x])
        if k != IGNORE:
            scores = logit[n, :, y, x].tolist()
            value = math.log(sum(math.exp(score) for score in scores)) - scores[k]
            value *= class_weight[k] if class_weight else 1
            terms[n, y, x] = value * (float(weight[n, y, x]) if weight is not None else 1)
    return terms


def sigmoid_terms(logit, label, class_weight=None, weight=None):
    """Loss of each pixel and class [N, C, H, W]."""
    terms = torch.zeros(N, C, H, W, dtype=torch.float64)
    for n, c, y, x in np.ndindex(N, C, H, W):
        k = int(label[n, y, x])
        if k != IGNORE and k >= 0:
            score = float(logit[n, c, y, x])
            positive = class_weight[c] if class_weight else 1
            value = (positive * math.log1p(math.exp(-score)) if k == c
                     else math.log1p(math.exp(score)))
            terms[n, c, y, x] = value * (float(weight[n, y, x]) if weight is not None else 1)
    return terms


FORMS = [(False, softmax_terms), (True, sigmoid_terms)]


@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('class_weight', [None, CLASS_WEIGHT])
@pytest.mark.parametrize(('use_sigmoid', 'terms'), FORMS)
def test_reductions(data, use_sigmoid, terms, class_weight, weighted):
    logit, label, weight = data
    weight = weight if weighted else None
    expected = terms(logit, label, class_weight, weight)

    def found(**options):
        loss = CrossEntropyLoss(use_sigmoid=use_sigmoid, class_weight=class_weight, **options)
        return loss(logit, label, weight, ignore_index=IGNORE)

    torch.testing.assert_close(found(), expected.mean())
    torch.testing.assert_close(found(reduction='sum'), expected.sum())
    torch.testing.assert_close(found(reduction='none'), expected)
    torch.testing.assert_close(found(loss_weight=0.4), 0.4 * expected.mean())
    valid = (label != IGNORE).sum() * (C if use_sigmoid else 1)
    torch.testing.assert_close(found(avg_non_ignore=True), expected.sum() / valid)


@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_overrides_of_a_call(data, use_sigmoid):
    logit, label, _ = data
    loss = CrossEntropyLoss(use_sigmoid=use_sigmoid, avg_non_ignore=True)
    none = loss(logit, label, ignore_index=IGNORE, reduction_override='none')
    assert none.dim() == (4 if use_sigmoid else 3)
    total = loss(logit, label, ignore_index=IGNORE, reduction_override='sum')
    torch.testing.assert_close(none.sum(), total)
    by_factor = loss(logit, label, ignore_index=IGNORE, avg_factor=7.0)
    torch.testing.assert_close(by_factor, total / 7)


@pytest.mark.parametrize(('use_sigmoid', 'ignored'), [(False, -100), (True, -100), (True, 255)])
def test_ignored_index_unless_given(data, use_sigmoid, ignored):
    logit, label, _ = data
    other = torch.where(label == IGNORE, ignored, label)
    loss = CrossEntropyLoss(use_sigmoid=use_sigmoid)
    torch.testing.assert_close(loss(logit, other), loss(logit, label, ignore_index=IGNORE))


def test_the_criterion_can_be_replaced(data):
    logit, label, _ = data
    loss = CrossEntropyLoss(loss_weight=2.0, class_weight=CLASS_WEIGHT)
    assert loss.cls_criterion is cross_entropy
    assert loss.is_chunkable
    assert CrossEntropyLoss(use_sigmoid=True).cls_criterion is binary_cross_entropy
    assert CrossEntropyLoss(use_mask=True).cls_criterion is mask_cross_entropy

    def criterion(pred, label, reduction, ignore_index, class_weight):
        assert (reduction, ignore_index) == ('none', IGNORE)
        assert class_weight.tolist() == CLASS_WEIGHT
        return label.to(pred.dtype)

    loss.cls_criterion = criterion
    assert not loss.is_chunkable
    assert loss(logit, label, ignore_index=IGNORE).item() == pytest.approx(
        2 * label.double().mean().item())


def test_two_dimensions_and_given_targets():
    logit = torch.randn(4, C, dtype=torch.float64)
    label = torch.tensor([0, 2, 1, 2])
    one_hot = torch.eye(C, dtype=torch.float64)[label]
    torch.testing.assert_close(binary_cross_entropy(logit, label),
                               binary_cross_entropy(logit, one_hot))
    log_prob = logit.log_softmax(1)
    torch.testing.assert_close(cross_entropy(logit, label), -(log_prob * one_hot).sum() / 4)


def test_class_weight_of_two_dimensions():
    logit = torch.zeros(1, C, dtype=torch.float64)
    weight = torch.tensor(CLASS_WEIGHT, dtype=torch.float64)
    loss = binary_cross_entropy(logit, torch.tensor([1]), class_weight=weight, reduction='none')
    torch.testing.assert_close(loss, math.log(2) * torch.tensor([[1.0, 2.0, 1.0]]).double())


@pytest.mark.parametrize('suffix', ['npy', 'json', 'yaml'])
def test_class_weight_of_a_file(tmp_path, data, suffix):
    path = tmp_path / f'weights.{suffix}'
    if suffix == 'npy':
        np.save(path, np.array(CLASS_WEIGHT))
    else:
        path.write_text(json.dumps(CLASS_WEIGHT))
    logit, label, _ = data
    found = CrossEntropyLoss(class_weight=str(path))(logit, label, ignore_index=IGNORE)
    expected = softmax_terms(logit, label, CLASS_WEIGHT).mean()
    torch.testing.assert_close(found, expected)


def test_class_weight_follows_the_scores(data):
    logit, label, _ = data
    loss = CrossEntropyLoss(class_weight=CLASS_WEIGHT)
    with torch.inference_mode():
        loss(logit.float(), label, ignore_index=IGNORE)
    score = logit.clone().requires_grad_()
    value = loss(score, label, ignore_index=IGNORE)
    value.backward()
    assert value.dtype == torch.float64
    first = loss._class_weight_like(score)
    assert loss._class_weight_like(score) is first
    # A tensor made during validation must still serve training.
    again = CrossEntropyLoss(class_weight=CLASS_WEIGHT)
    with torch.inference_mode():
        again(logit, label, ignore_index=IGNORE)
    again(score, label, ignore_index=IGNORE).backward()


@pytest.mark.parametrize(('class_weight', 'message'), [
    ([1.0, 2.0], 'class_weight has 2 numbers for 3 classes'),
    ([[1.0], [2.0], [3.0]], 'one number a class'),
    ([1.0, 2.0, -0.5], r'class_weight: -0\.5 for class 2 must be a number from 0 on'),
    ([1.0, math.inf, 2.0], 'class_weight: inf for class 1 must be'),
    ([math.nan, 1.0, 2.0], 'class_weight: nan for class 0 must be'),
    ('absent.npy', "no file 'absent.npy'")])
def test_class_weights_that_do_not_fit(data, class_weight, message):
    logit, label, _ = data
    with pytest.raises(ConfigError, match=message):
        CrossEntropyLoss(class_weight=class_weight)(logit, label, ignore_index=IGNORE)


def make_head(loss_decode):
    return FCNHead(in_channels=4, channels=4, num_classes=3, loss_decode=loss_decode)


def test_a_head_counts_class_weights_when_it_is_built():
    with pytest.raises(ConfigError, match='class_weight has 2 numbers for 3 classes'):
        make_head(dict(type='CrossEntropyLoss', class_weight=[1.0, 2.0]))
    make_head(dict(type='CrossEntropyLoss', class_weight='absent.npy'))  # read at the first use


def test_a_head_tells_which_loss_is_not_trained(caplog):
    loss = dict(type='CrossEntropyLoss')
    make_head([loss, dict(loss, loss_name='overlap')])
    assert ("FCNHead: the CrossEntropyLoss called 'overlap' is logged, but not trained, as its "
            "name does not contain 'loss': to train it, set loss_name='loss_overlap'"
            ) in caplog.text
    caplog.clear()
    make_head(dict(loss, loss_name='my_loss'))
    assert caplog.text == ''


def test_masks():
    logit = torch.randn(2, C, H, W, dtype=torch.float64)
    target = torch.randint(2, (2, H, W)).double()
    classes = torch.tensor([2, 0])
    chosen = torch.stack([logit[0, 2], logit[1, 0]]).sigmoid()
    terms = -(target * chosen.log() + (1 - target) * (1 - chosen).log())
    expected = terms.mean()
    torch.testing.assert_close(mask_cross_entropy(logit, target, classes), expected[None])
    loss = CrossEntropyLoss(use_mask=True, loss_weight=2.0)
    torch.testing.assert_close(loss(logit, target, classes), 2 * expected[None])
    weighted = CrossEntropyLoss(use_mask=True, class_weight=CLASS_WEIGHT)
    factors = torch.tensor([1.25, 0.5], dtype=torch.float64).view(2, 1, 1)
    torch.testing.assert_close(weighted(logit, target, classes), (factors * terms).mean()[None])
    with pytest.raises(ConfigError, match="reduction='mean' alone"):
        loss(logit, target, classes, reduction_override='sum')
    with pytest.raises(ConfigError, match='without avg_factor and ignore_index'):
        loss(logit, target, classes, ignore_index=255)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(use_sigmoid=True, use_mask=True), 'exclude each other'),
    (dict(use_mask=True, avg_non_ignore=True), 'avg_non_ignore'),
    (dict(reduction='average'), "'average' is not known")])
def test_options_that_contradict(options, message):
    with pytest.raises(ConfigError, match=message):
        build_loss(dict(type='CrossEntropyLoss', **options))


def test_name():
    assert CrossEntropyLoss().loss_name == 'loss_ce'
    assert CrossEntropyLoss(loss_name='loss_x').loss_name == 'loss_x'


def test_reduce_loss():
    loss = torch.arange(6.0).view(2, 3)
    assert reduce_loss(loss, 'none') is loss
    assert reduce_loss(loss, 'mean').item() == 2.5
    assert reduce_loss(loss, 'sum').item() == 15
    with pytest.raises(ConfigError, match="'max'"):
        reduce_loss(loss, 'max')


def test_weight_reduce_loss():
    loss = torch.arange(6.0).view(2, 3)
    weight = torch.tensor([[0.0], [2.0]])
    assert weight_reduce_loss(loss, weight, 'sum').item() == 24
    assert weight_reduce_loss(loss, weight, 'mean', avg_factor=8).item() == 3
    assert weight_reduce_loss(loss, weight, 'none', avg_factor=8).tolist() == [[0, 0, 0],
                                                                              [6, 8, 10]]
    with pytest.raises(ConfigError, match='divides a mean'):
        weight_reduce_loss(loss, None, 'sum', avg_factor=8)
    for shape in ((2, 2), (1,), (2, 2, 4)):
        with pytest.raises(ArgumentError, match='does not fit the loss') as caught:
            weight_reduce_loss(torch.zeros(2, 3, 4), torch.ones(shape))
        assert isinstance(caught.value, AssertionError)


def test_weighted_loss():
    @weighted_loss
    def scaled_l1(pred, target, scale=1.0):
        """Distance."""
        return scale * (pred - target).abs()

    pred, target = torch.tensor([0.0, 2, 3]), torch.tensor([1.0, 1, 1])
    assert scaled_l1.__doc__ == 'Distance.'
    assert scaled_l1(pred, target).item() == pytest.approx(4 / 3)
    assert scaled_l1(pred, target, reduction='none').tolist() == [1, 1, 2]
    weight = torch.tensor([1.0, 0, 1])
    assert scaled_l1(pred, target, weight).item() == 1
    assert scaled_l1(pred, target, weight, avg_factor=2, scale=10.0).item() == 15
