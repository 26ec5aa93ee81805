"""Accuracy against counting."""
import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ArgumentError
from mmseg.models.losses import Accuracy, accuracy

IGNORE = 255


def counted(pred, target, rank, thresh=None, ignore_index=None):
    right = seen = 0
    for place in np.ndindex(*target.shape):
        label = int(target[place])
        if label == ignore_index:
            continue
        seen += 1
        scores = pred[(place[0], slice(None), *place[1:])]
        best = scores.argsort(descending=True)[:rank].tolist()
        right += label in best and (thresh is None or float(scores[label]) > thresh)
    return 100 * right / max(seen, 1)


@pytest.fixture(params=[(40,), (2, 5, 6)], ids=['samples', 'pixels'])
def batch(request):
    shape = request.param
    pred = torch.randn(shape[0], 6, *shape[1:]).softmax(1)
    target = torch.randint(6, shape)
    target[torch.rand(shape) < 0.2] = IGNORE
    return pred, target


@pytest.mark.parametrize('ignore_index', [None, IGNORE])
@pytest.mark.parametrize('thresh', [None, 0.2])
def test_ranks_threshold_and_ignored_labels(batch, thresh, ignore_index):
    pred, target = batch
    expected = [counted(pred, target, rank, thresh, ignore_index) for rank in (1, 3)]
    found = accuracy(pred, target, (1, 3), thresh, ignore_index)
    assert [value.item() for value in found] == pytest.approx(expected, rel=1e-5)
    assert accuracy(pred, target, 1, thresh, ignore_index).item() == pytest.approx(expected[0],
                                                                                  rel=1e-5)
    layer = Accuracy((1, 3), thresh, ignore_index)
    assert [value.item() for value in layer(pred, target)] == pytest.approx(expected, rel=1e-5)


def test_a_single_number_gives_a_single_value(batch):
    value = accuracy(*batch)
    assert value.shape == (1,)  # user code reads acc[0]
    assert Accuracy()(*batch) == [value]


def test_nothing_to_count():
    assert accuracy(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).item() == 0
    target = torch.full((4,), IGNORE)
    assert accuracy(torch.rand(4, 3), target, ignore_index=IGNORE).item() == 0


def test_more_ranks_than_classes():
    with pytest.raises(ArgumentError, match='top-5 of 3 classes'):
        accuracy(torch.rand(4, 3), torch.zeros(4, dtype=torch.long), topk=(1, 5))


@pytest.mark.parametrize('topk', ['wrong', 1.0, (1, 2.5), None])
def test_other_ranks(topk):
    with pytest.raises(ArgumentError, match='topk=.* must be a whole number'):
        accuracy(torch.rand(4, 3), torch.zeros(4, dtype=torch.long), topk=topk)


@pytest.mark.parametrize('shape', [(5,), (4, 1), ()])
def test_shapes_that_do_not_belong_together(shape):
    with pytest.raises(ArgumentError, match='do not belong to scores'):
        accuracy(torch.rand(4, 3), torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_first_of_equal_scores_counts(dtype):
    pred = torch.randint(3, (2, 6, 9, 8)).to(dtype)
    target = torch.randint(-1, 8, (2, 9, 8))
    first = torch.from_numpy(pred.float().numpy().argmax(1))
    expected = 100 * (first == target).float().mean()
    torch.testing.assert_close(accuracy(pred, target)[0], expected)
    apart = pred + torch.arange(6).view(-1, 1, 1) / 8
    expected = 100 * (apart.argmax(1) == target).float().mean()
    torch.testing.assert_close(accuracy(apart, target)[0], expected)
