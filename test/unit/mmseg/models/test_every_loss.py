"""What holds for every loss: those in the registry, by LOSS_OPTIONS in loss_options.py, and two
written here, which show what a loss of pixels and one of whole images take.
"""
import copy
import importlib.util
import math
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import LOSSES, FCNHead, build_loss
from mmseg.models.losses import PixelLoss, WholeImageLoss, chunked_loss
from mmseg.models.losses.utils import one_hot, valid_pixels

SPEC = importlib.util.spec_from_file_location('loss_options', Path(__file__).with_name(
    'loss_options.py'))
table = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(table)
IGNORE, sample = table.IGNORE, table.sample


class FocalLoss(PixelLoss):
    """A sigmoid loss that counts certain pixels less (arXiv:1708.02002)."""

    def elementwise(self, logits, label, ignore_index):
        sign = one_hot(label, logits.size(1)).to(logits.dtype) * 2 - 1
        terms = -F.logsigmoid(sign * logits) * (-sign * logits).sigmoid() ** 2
        return terms * valid_pixels(label, ignore_index).unsqueeze(1)


class DiceLoss(WholeImageLoss):
    """One minus the overlap of the probabilities with the classes (arXiv:1606.04797)."""

    def elementwise(self, logits, label, ignore_index):
        valid = valid_pixels(label, ignore_index).unsqueeze(1)
        prob, target = logits.softmax(1) * valid, one_hot(label, logits.size(1)) & valid
        both, size = (prob * target).flatten(1).sum(1), (prob + target).flatten(1).sum(1)
        return 1 - 2 * both / (size + 1)


def focal_terms(scores, k):
    terms = []
    for c, score in enumerate(scores):
        prob = 1 / (1 + math.exp(-score))
        true = prob if c == k else 1 - prob
        terms.append(-(1 - true) ** 2 * math.log(true))
    return terms


def plain_dice(logits, label, reduction='mean', loss_weight=1.0):
    values = []
    for scores, truth in zip(logits.softmax(1), label, strict=True):
        places = [(y, x) for y, x in (truth != IGNORE).nonzero().tolist()]
        both = sum(scores[truth[y, x], y, x].item() for y, x in places)
        total = sum(scores[:, y, x].sum().item() for y, x in places) + len(places)
        values.append(1 - 2 * both / (total + 1))
    return loss_weight * sum(values) / (len(values) if reduction == 'mean' else 1)


focal = table.over_pixels(focal_terms)
ROWS = {**table.LOSS_OPTIONS,
        FocalLoss: (focal, {}, dict(avg_non_ignore=True, loss_weight=3.0)),
        DiceLoss: (plain_dice, {}, dict(reduction='sum', loss_weight=0.5))}
CASES = [(kind, number) for kind, row in ROWS.items() for number in range(len(row) - 1)]


@pytest.fixture(params=CASES, ids=lambda case: f'{getattr(case[0], "__name__", case[0])}-{case[1]}')
def case(request):
    """The loss with one of its sets of options, and its plain form."""
    kind, number = request.param
    plain, options = ROWS[kind][0], ROWS[kind][number + 1]
    return build_loss({'type': kind, **options}), partial(plain, **options)


def counts_ignored(case):
    """Whether ignored pixels have a part in the loss, as in mmsegmentation."""
    return getattr(case[0], 'count_ignored', False)


def test_every_loss_is_in_the_table():
    missing = set(LOSSES) - set(table.LOSS_OPTIONS)
    assert not missing, f'add rows of {missing} to LOSS_OPTIONS in {table.__file__}'
    assert all(len(row) > 2 for row in table.LOSS_OPTIONS.values()), 'two sets of options or more'
    assert all(issubclass(LOSSES.get(name), nn.Module) for name in LOSSES)


def test_value_against_the_plain_form(case):
    loss, plain = case
    assert loss(*sample(), ignore_index=IGNORE).item() == pytest.approx(plain(*sample()))


def test_gradient(case):
    logits, label = sample(size=(2, 3))
    torch.autograd.gradcheck(lambda x: case[0](x, label, ignore_index=IGNORE),
                             logits.requires_grad_())
    case[0](logits, label, ignore_index=IGNORE).backward()
    assert counts_ignored(case) or logits.grad[:, :, 1].eq(0).all(), 'of ignored pixels'
    assert logits.grad[:, :, 0].ne(0).any()


def test_everything_ignored(case):
    logits, label = sample()
    logits.requires_grad_()
    value = case[0](logits, torch.full_like(label, IGNORE), ignore_index=IGNORE)
    value.backward()
    assert value.isfinite()
    assert counts_ignored(case) or logits.grad.eq(0).all()
    assert value == 0 or not isinstance(case[0], PixelLoss)


def test_a_picture_alone_and_in_a_batch(case):
    logits, label = sample(3)
    run = partial(case[0], ignore_index=IGNORE, reduction_override='none')
    alone = [run(logits[i:i + 1], label[i:i + 1]) for i in range(3)]
    if not getattr(case[0], 'per_image', True):  # the batch is one image
        alone = [run(*(torch.cat(list(x), dim=-2)[None] for x in (logits, label)))]
    torch.testing.assert_close(run(logits, label), torch.cat(alone))


def test_points_are_pixels_in_a_row(case):
    """[N, C, P], as PointHead has them; three pictures of three classes may not be mixed up."""
    logits, label = sample(3)
    run = partial(case[0], ignore_index=IGNORE, reduction_override='sum')
    torch.testing.assert_close(run(logits.flatten(2), label.flatten(1)), run(logits, label))


def test_chunks_of_rows_sum_up(case):
    loss, plain = case
    if isinstance(loss, WholeImageLoss):
        assert not getattr(loss, 'is_chunkable', False)
        return
    logits, label = sample(size=(9, 7))
    count = loss.divisor(label, IGNORE)
    divisor = label.numel() if count is None else count
    parts = [loss.chunk(logits[:, :, i:i + 4], label[:, i:i + 4], IGNORE, divisor)
             for i in range(0, 9, 4)]
    assert loss.is_chunkable
    assert sum(parts).item() == pytest.approx(plain(logits, label))


def test_training_is_the_same_after_an_evaluation_and_in_a_copy(case):
    logits, label = sample()
    fresh, evaluated = copy.deepcopy(case[0]), case[0]
    with torch.inference_mode():
        evaluated(logits, label, ignore_index=IGNORE)
    gradients = []
    for loss in (fresh, evaluated, copy.deepcopy(evaluated)):
        x = logits.clone().requires_grad_()
        loss(x, label, ignore_index=IGNORE).backward()
        gradients.append(x.grad)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])
    assert not case[0].state_dict()


def test_bfloat16(case):
    value = case[0](*sample(dtype=torch.bfloat16), ignore_index=IGNORE)
    assert value.item() == pytest.approx(case[1](*sample()), rel=0.03)


def test_weights_of_pixels(case):
    loss = case[0]
    logits, label = sample()
    weight = torch.rand(label.shape)
    run = partial(loss, logits, label, ignore_index=IGNORE)
    if isinstance(loss, WholeImageLoss):
        with pytest.raises(ConfigError, match="whole images takes no weights .* remove `sampler`"):
            run(weight)
        return
    terms = run(reduction_override='none')
    expected = terms * (weight if terms.dim() == 3 else weight[:, None])
    torch.testing.assert_close(run(weight, reduction_override='sum'), expected.sum())
    torch.testing.assert_close(run(weight, reduction_override='mean', avg_factor=7.0),
                               expected.sum() / 7)


# ------------------------------------------------------------------ in heads


def head_losses(strip_loss, *losses, **options):
    head = FCNHead(in_channels=4, channels=4, num_classes=3, num_convs=0, concat_input=False,
                   strip_loss=strip_loss, loss_decode=[dict(type=loss) for loss in losses],
                   **options)
    logits, label = sample(size=(3, 4))[0].requires_grad_(), sample(size=(23, 17))[1][:, None]
    values = head.losses(logits, label)
    sum(value for name, value in values.items() if 'loss' in name).backward()
    return {name: value.detach() for name, value in values.items()}, logits.grad


@pytest.mark.parametrize('losses', [[FocalLoss], ['CrossEntropyLoss', FocalLoss]])
def test_a_loss_of_pixels_is_computed_in_chunks(monkeypatch, losses):
    monkeypatch.setattr(chunked_loss, 'HOST_BYTES', 2**10)
    rows = []
    terms = FocalLoss.elementwise
    monkeypatch.setattr(FocalLoss, 'elementwise', lambda self, logits, *others: (
        rows.append(logits.size(2)), terms(self, logits, *others))[1])
    chunked = head_losses(True, *losses)
    assert sum(rows) == 23
    assert len(rows) > 3
    torch.testing.assert_close(chunked, head_losses(False, *losses))


class LearnedScale(FocalLoss):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def elementwise(self, logits, label, ignore_index):
        return super().elementwise(logits * self.scale, label, ignore_index)


def test_parameters_of_a_loss_get_gradients():
    head = FCNHead(in_channels=4, channels=4, num_classes=3, num_convs=0, concat_input=False,
                   loss_decode=dict(type=LearnedScale))
    logits, label = sample(size=(3, 4))[0], sample(size=(23, 17))[1][:, None]
    head.losses(logits, label)['loss_seg'].backward()
    assert head.loss_decode.scale.grad.ne(0)


def test_a_loss_of_whole_images_beside_one_of_pixels():
    values, _ = head_losses(True, DiceLoss, FocalLoss)
    logits, label = sample(size=(3, 4))[0], sample(size=(23, 17))[1]
    logits = F.interpolate(logits, label.shape[1:], mode='bilinear')
    assert values['loss_seg'].item() == pytest.approx(plain_dice(logits, label)
                                                      + focal(logits, label))


class Mean(nn.Module):
    """A loss of a user's own, which gives a single number."""

    def forward(self, logits, label, weight=None, ignore_index=None, reduction_override=None):
        return logits.mean()


@pytest.mark.parametrize('thresh', [None, 0.5])
def test_hard_pixels_need_a_loss_of_pixels(thresh):
    sampler = dict(type='OHEMPixelSampler', thresh=thresh, min_kept=5)
    options = dict(in_channels=4, channels=4, num_classes=3, sampler=sampler)
    for loss in (DiceLoss, 'LovaszLoss', 'TverskyLoss'):  # before any data are read
        with pytest.raises(ConfigError, match="whole images takes no weights .* remove `sampler`"):
            FCNHead(loss_decode=[dict(type=FocalLoss), dict(type=loss)], **options)
    head_losses(True, FocalLoss, sampler=sampler)
    if thresh is None:
        with pytest.raises(ConfigError, match='Mean has no loss of single pixels .* set `thresh`'):
            head_losses(True, Mean, sampler=sampler)
    else:
        head_losses(True, Mean, sampler=sampler)
