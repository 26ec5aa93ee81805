"""Lovasz, Dice, Tversky and focal loss; what all losses share is in test_every_loss.py."""
import math

import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.models import FCNHead, build_loss
from mmseg.models.losses import lovasz_loss
from mmseg.models.losses.lovasz_loss import jaccard_slopes

IGNORE = 255
WEIGHT = [0.5, 2.0, 1.25]
REGIONS = ('DiceLoss', 'TverskyLoss')


def data():
    """Logits [2, 3, 4, 5] and labels [2, 4, 5] that can be written down elsewhere, too."""
    logits = (torch.arange(120, dtype=torch.float64) * 1.7).sin().mul(2).view(2, 3, 4, 5)
    label = (torch.arange(40) * 7 // 3 % 3).view(2, 4, 5)
    label[:, 1, :3] = IGNORE
    label[1, 3] = 2
    return logits, label


def two_classes():
    """The logit of class 1, [2, 1, 4, 5], and labels 0 and 1."""
    logits, label = data()
    return logits[:, :1], torch.where(label == IGNORE, IGNORE, (label > 0).long())


def loss(kind, **options):
    built = build_loss(dict(type=kind, **options))
    return lambda logits, label: built(logits, label, ignore_index=IGNORE)


# Value and norm of the gradient by mmsegmentation 0.30, in float32.
PUBLISHED = [
    ('DiceLoss', {}, 0.598983, 0.030652),
    ('DiceLoss', dict(exponent=1, smooth=0.5, class_weight=WEIGHT), 0.851366, 0.031607),
    ('DiceLoss', dict(loss_weight=3.0), 1.796950, 0.091956),
    ('TverskyLoss', {}, 0.565340, 0.026806),
    ('TverskyLoss', dict(alpha=0.9, beta=0.1, class_weight=WEIGHT, smooth=2), 0.601996, 0.027033),
    ('FocalLoss', {}, 0.212653, 0.025777),
    ('FocalLoss', dict(gamma=0.5, alpha=0.25, class_weight=WEIGHT), 0.449306, 0.042302),
    ('FocalLoss', dict(alpha=[0.1, 0.2, 0.6], reduction='sum'), 31.326096, 4.157119),
    ('LovaszLoss', dict(reduction='none'), 0.743689, 0.027700),
    ('LovaszLoss', dict(reduction='none', classes='all', class_weight=WEIGHT), 0.927520, 0.031793),
    ('LovaszLoss', dict(per_image=True), 0.752237, 0.026369),
    ('LovaszLoss', dict(per_image=True, reduction='sum', classes=[0, 2]), 1.515699, 0.068949),
    ('LovaszLoss', dict(loss_type='binary', reduction='none'), 1.293210, 0.151242),
    ('LovaszLoss', dict(loss_type='binary', per_image=True, loss_weight=2.0), 2.630823, 0.309149),
]


@pytest.mark.parametrize(('kind', 'options', 'value', 'slope'), PUBLISHED)
def test_values_of_mmsegmentation(kind, options, value, slope):
    logits, label = two_classes() if 'loss_type' in options else data()
    logits.requires_grad_()
    found = loss(kind, **options)(logits, label)
    found.sum().backward()
    assert found.sum().item() == pytest.approx(value, rel=2e-6)
    assert logits.grad.norm().item() == pytest.approx(slope, rel=5e-5)


@pytest.mark.parametrize(('kind', 'options', 'words'), [
    ('DiceLoss', dict(smooth=-1), 'DiceLoss: smooth=-1 must be a number from 0 on'),
    ('TverskyLoss', dict(smooth=math.inf), 'TverskyLoss: smooth=inf must be a number from 0 on'),
    ('DiceLoss', dict(exponent=0), 'DiceLoss: exponent=0 must be more than 0'),
    ('TverskyLoss', dict(alpha=0.5), 'TverskyLoss: alpha=0.5 and beta=0.7 must .* sum up to 1'),
    ('TverskyLoss', dict(alpha=-0.5, beta=1.5), 'TverskyLoss: alpha=-0.5 and beta=1.5 must be 0'),
    ('FocalLoss', dict(gamma=-1), 'FocalLoss: gamma=-1 must be 0 or more'),
    ('FocalLoss', dict(alpha=2), 'FocalLoss: alpha=2 must be from 0 to 1'),
    ('FocalLoss', dict(alpha=[0.5, -1]), r'FocalLoss: alpha=\[0.5, -1\] must be from 0 to 1'),
    ('LovaszLoss', dict(loss_type='hinge'), "LovaszLoss: loss_type='hinge' must be 'binary' or"),
    ('LovaszLoss', dict(classes='some'), "LovaszLoss: classes='some' must be 'all', 'present', or"),
    ('LovaszLoss', dict(classes=[]), r'LovaszLoss: classes=\[\] must be'),
    ('LovaszLoss', dict(classes=[-1]), r'LovaszLoss: classes=\[-1\] must be'),
    ('LovaszLoss', dict(loss_type='binary', classes='all'), 'no classes to choose or to weigh'),
    ('LovaszLoss', dict(loss_type='binary', class_weight=[1.0]), 'remove classes and class_weight'),
])
def test_options_that_cannot_be(kind, options, words):
    with pytest.raises(ConfigError, match=words):
        loss(kind, **options)


@pytest.mark.parametrize(('kind', 'options', 'words'), [
    ('FocalLoss', dict(alpha=[0.5, 0.5]), 'FocalLoss: alpha has 2 numbers for 3 classes'),
    ('LovaszLoss', dict(classes=[0, 3]), r'classes=\[0, 3\] holds 3, but there are 3 classes'),
    ('LovaszLoss', dict(loss_type='binary'), "'binary' does not fit 3 logits .* use 'multi_class'"),
    ('DiceLoss', dict(class_weight=[1.0, 2.0]), 'class_weight has 2 numbers for 3 classes')])
def test_options_that_do_not_fit_the_logits(kind, options, words):
    with pytest.raises(ConfigError, match=words):
        loss(kind, **options)(*data())
    with pytest.raises(ConfigError, match=words):  # before any data are read
        FCNHead(in_channels=4, channels=4, num_classes=3, loss_decode=[dict(type=kind, **options)])


# ------------------------------------------------------------------ ignored labels and classes


@pytest.mark.parametrize('kind', REGIONS)
def test_the_label_and_the_class_that_a_region_loss_ignores(kind):
    logits, label = data()
    options = dict(count_ignored=False) if kind == 'DiceLoss' else {}
    found = loss(kind, ignore_index=1, **options)(logits, label)
    without = torch.where(label == 1, IGNORE, label)
    expected = loss(kind, class_weight=[1.0, 0.0, 1.0], **options)(logits, without)
    torch.testing.assert_close(found, expected)
    head = build_loss(dict(type=kind, **options))(logits, without.masked_fill(
        without == IGNORE, 1), ignore_index=1)
    torch.testing.assert_close(head, expected)


def test_a_head_gives_its_losses_the_label_of_the_data_set():
    head = FCNHead(in_channels=3, channels=3, num_classes=3, num_convs=0, concat_input=False,
                   loss_decode=[dict(type='DiceLoss'), dict(type='TverskyLoss', ignore_index=1)])
    head.follow_ignore_index(7)
    assert [each.ignore_index for each in head.loss_decode] == [7, 1]
    assert head.ignored_labels() == {'': 7, '.loss_decode.1': 1}


# ------------------------------------------------------------------ one logit


@pytest.mark.parametrize('options', [
    {}, dict(class_weight=[3.0]), dict(class_weight=[0.25, 2.0], gamma=0.5), dict(alpha=[0.2])])
def test_focal_loss_of_one_logit(options):
    logits, label = two_classes()
    weights = ([1.0] + options.get('class_weight', [1.0]))[-2:]
    weights = weights if len(options.get('class_weight', ())) == 2 else [weights[1]] * 2
    alpha, gamma = options.get('alpha', [0.5])[0], options.get('gamma', 2.0)
    total = 0
    for logit, truth in zip(logits.flatten().tolist(), label.flatten().tolist(), strict=True):
        if truth != IGNORE:
            p = 1 / (1 + math.exp(-logit))
            p, share = (p, alpha) if truth else (1 - p, 1 - alpha)
            total -= weights[truth] * share * (1 - p) ** gamma * math.log(p)
    found = loss('FocalLoss', **options)(logits, label)
    assert found.item() == pytest.approx(total / label.numel())


@pytest.mark.parametrize('kind', REGIONS)
def test_a_region_by_one_logit_is_that_of_class_1(kind):
    logits, label = two_classes()
    # Two logits whose softmax is the sigmoid; class 0 has no weight.
    both = torch.cat([torch.zeros_like(logits), logits], 1)
    expected = loss(kind, class_weight=[0.0, 2.0])(both, torch.where(label == IGNORE, 0, label))
    valid = torch.where(label == IGNORE, 0, label)
    torch.testing.assert_close(loss(kind)(logits, valid), expected)
    ignored = loss(kind, class_weight=[3.0])(logits, label)
    if kind == 'TverskyLoss':
        torch.testing.assert_close(ignored, 3 * loss(kind, class_weight=[0.0, 2.0])(both, label))
    with pytest.raises(ConfigError, match='2 numbers, but with one logit .* give loss_weight'):
        loss(kind, class_weight=[1.0, 2.0])(logits, label)


def test_ignored_pixels_of_one_logit_in_dice():
    logits, label = two_classes()
    prob, valid = logits[:, 0].sigmoid(), label != IGNORE
    both = (prob * (label == 1)).sum((1, 2))
    size = (label == 1).sum((1, 2))
    for counted, mask in ((True, torch.ones_like(valid)), (False, valid)):
        powers = (prob ** 2 * mask).sum((1, 2))
        expected = (1 - (2 * both + 1) / (powers + size + 1)).mean()
        torch.testing.assert_close(loss('DiceLoss', count_ignored=counted)(logits, label), expected)


@pytest.mark.parametrize('kind', ['LovaszLoss', 'FocalLoss', *REGIONS])
def test_a_label_that_is_neither_class(monkeypatch, kind):
    logits, label = two_classes()
    label[0, 0, 0] = 2
    options = dict(loss_type='binary') if kind == 'LovaszLoss' else {}
    with pytest.raises(DataError, match='labels 2 in a problem of two classes'):
        loss(kind, **options)(logits, label)
    # An accelerator is not waited for.
    monkeypatch.setattr('mmseg.models.losses.utils.is_asynchronous', lambda _: True)
    assert loss(kind, **options)(logits, label).isnan()
    assert loss(kind, **options)(*two_classes()).isfinite()


@pytest.mark.parametrize(('kind', 'options', 'words'), [
    ('LovaszLoss', {}, "'multi_class' does not fit 1 logits a pixel: use 'binary'"),
    ('FocalLoss', dict(use_sigmoid=False), 'use_sigmoid=False of one logit learns nothing')])
def test_softmax_of_one_logit_is_refused(kind, options, words):
    with pytest.raises(ConfigError, match=words):
        loss(kind, **options)(*two_classes())
    with pytest.raises(ConfigError, match='gives one logit, of which the softmax'):
        head(dict(type=kind, **options), num_classes=1)


# ------------------------------------------------------------------ Lovasz


def test_the_batch_is_one_image_for_every_reduction():
    values = [loss('LovaszLoss', reduction=each)(*data()) for each in ('mean', 'sum', 'none')]
    assert values[0] == values[1] == values[2]


def test_maps_of_one_logit_without_a_dimension_of_classes():
    logits, label = two_classes()
    run = loss('LovaszLoss', loss_type='binary')
    torch.testing.assert_close(run(logits[:, 0], label), run(logits, label))


def test_ignored_pixels_change_nothing():
    """The loss, and its gradients, are those of the other pixels alone."""
    logits, label = data()
    valid = label.flatten() != IGNORE
    rows = logits.transpose(0, 1).flatten(1)[:, valid][None, :, None].clone().requires_grad_()
    logits.requires_grad_()
    found = loss('LovaszLoss', classes='all')(logits, label)
    expected = loss('LovaszLoss', classes='all')(rows, label.flatten()[valid][None, None])
    torch.testing.assert_close(found, expected)
    found.backward()
    expected.backward()
    gradient = logits.grad.transpose(0, 1).flatten(1)
    torch.testing.assert_close(gradient[:, valid], rows.grad[0, :, 0])
    assert gradient[:, ~valid].eq(0).all()


@pytest.mark.parametrize('per_image', [True, False])
def test_classes_in_parts(monkeypatch, per_image):
    run = loss('LovaszLoss', per_image=per_image)
    expected, sizes = run(*data()), []
    monkeypatch.setattr(lovasz_loss, 'SORTED_AT_ONCE', 80)
    monkeypatch.setattr(lovasz_loss, 'jaccard_slopes', lambda errors, *others: (
        sizes.append(errors.numel()), jaccard_slopes(errors, *others))[1])
    torch.testing.assert_close(run(*data()), expected)
    assert sizes == [80, 40]


def test_weights_of_many_pixels_in_float32():
    """As differences of numbers about 1 they would have two digits."""
    errors = torch.rand(1, 2 ** 18)
    region, valid = errors * 2 % 1 < 0.3, torch.ones(1, 1, dtype=torch.bool)
    expected = jaccard_slopes(errors.double(), region, valid)
    assert expected.sum().item() == pytest.approx(1)
    torch.testing.assert_close(jaccard_slopes(errors, region, valid).double(), expected,
                               rtol=1e-6, atol=0)


# ------------------------------------------------------------------ in heads


def head(*losses, **options):
    return FCNHead(**{**dict(in_channels=3, channels=3, num_classes=3, num_convs=0,
                             concat_input=False, dropout_ratio=0,
                             loss_decode=losses[0] if len(losses) == 1 else list(losses)),
                      **options})


def test_losses_in_a_list():
    kinds = ('LovaszLoss', 'DiceLoss', 'FocalLoss', 'TverskyLoss', 'CrossEntropyLoss')
    logits, label = data()
    found = head(*(dict(type=kind) for kind in kinds)).losses(logits, label[:, None])
    assert set(found) == {'loss_lovasz', 'loss_dice', 'loss_focal', 'loss_tversky', 'loss_ce',
                          'acc_seg'}
    for kind, name in zip(kinds, found, strict=False):
        torch.testing.assert_close(found[name].sum(), loss(kind)(logits, label).sum())
    sum(value.sum() for name, value in found.items() if 'loss' in name)


@pytest.mark.parametrize('classes', [dict(num_classes=1), dict(num_classes=2, out_channels=1)])
@pytest.mark.parametrize('kind', [
    dict(type='LovaszLoss', loss_type='binary'), dict(type='DiceLoss'), dict(type='TverskyLoss'),
    dict(type='FocalLoss'), dict(type='CrossEntropyLoss', use_sigmoid=True)])
def test_heads_of_one_logit(kind, classes):
    logits, label = two_classes()
    built = head(kind, dict(type='CrossEntropyLoss', use_sigmoid=True), **classes)
    name = built.loss_decode[0].loss_name
    losses = built.losses(logits.clone().requires_grad_(), label[:, None])
    assert set(losses) == {name, 'loss_ce', 'acc_seg'}
    times = 2 if name == 'loss_ce' else 1
    torch.testing.assert_close(
        losses[name].sum(), times * build_loss(kind)(logits, label, ignore_index=IGNORE).sum())
    losses[name].sum().backward()


def test_focal_loss_ranks_hard_pixels():
    built = head(dict(type='FocalLoss'), sampler=dict(type='OHEMPixelSampler', min_kept=5))
    logits, label = data()
    assert built.sampler.sample(logits, label[:, None]).sum() >= 10
