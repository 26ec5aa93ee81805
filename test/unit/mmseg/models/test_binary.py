"""Two classes by one logit: that of class 1, against loops over single pixels."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.seg import OHEMPixelSampler
from mmseg.models import FCNHead
from mmseg.models.losses import CrossEntropyLoss, accuracy, binary_cross_entropy, chunked_loss
from mmseg.models.segmentors import seg_map
from mmseg.models.segmentors.seg_map import SegMapBuilder

SIGMOID = dict(type='CrossEntropyLoss', use_sigmoid=True)
ONE_LOGIT = dict(num_classes=2, out_channels=1, loss_decode=SIGMOID)
IGNORE = 255


def make(**options):
    return FCNHead(**{**dict(in_channels=4, channels=4, num_convs=0, concat_input=False,
                             dropout_ratio=0), **ONE_LOGIT, **options})


def batch(size=(12, 10), dtype=torch.float64):
    logit = torch.randn(2, 1, *size, dtype=dtype)
    label = torch.randint(2, (2, *size))
    label[0, :2] = IGNORE
    label[1, 0, 0] = -1
    return logit, label


def by_pixel(logit, label, weights=(1, 1), ignored=IGNORE):
    """Loss of each pixel [N, 1, H, W]; `weights` are those of class 0 and class 1."""
    terms = torch.zeros_like(logit)
    for n, y, x in np.ndindex(*label.shape):
        truth = label[n, y, x].item()
        if truth >= 0 and truth != ignored:
            probability = 1 / (1 + math.exp(-logit[n, 0, y, x]))
            terms[n, 0, y, x] = -(weights[1] * truth * math.log(probability)
                                  + weights[0] * (1 - truth) * math.log(1 - probability))
    return terms


# ------------------------------------------------------------------ losses


@pytest.mark.parametrize(('class_weight', 'weights'), [
    (None, (1, 1)), ([3.0], (1, 3)), ([0.25, 2.0], (0.25, 2))])
def test_loss_of_class_numbers(class_weight, weights):
    logit, label = batch()
    terms = by_pixel(logit, label, weights)

    def loss(**options):
        built = CrossEntropyLoss(use_sigmoid=True, class_weight=class_weight, **options)
        return built(logit, label, ignore_index=IGNORE)

    torch.testing.assert_close(loss(reduction='none'), terms)
    torch.testing.assert_close(loss(), terms.mean())
    torch.testing.assert_close(loss(reduction='sum', loss_weight=0.4), 0.4 * terms.sum())
    valid = ((label != IGNORE) & (label >= 0)).sum()
    torch.testing.assert_close(loss(avg_non_ignore=True), terms.sum() / valid)


def test_weights_of_pixels():
    logit, label = batch()
    weight = torch.rand(label.shape, dtype=torch.float64)
    found = binary_cross_entropy(logit, label, weight, ignore_index=IGNORE)
    torch.testing.assert_close(found, (by_pixel(logit, label)[:, 0] * weight).mean())


def test_class_zero_may_be_ignored():
    logit, label = batch()
    label[label == IGNORE] = 0
    found = binary_cross_entropy(logit, label, ignore_index=0, reduction='none')
    torch.testing.assert_close(found, by_pixel(logit, label, ignored=0))


@pytest.mark.parametrize('class_weight', [None, torch.tensor([0.25, 2.0], dtype=torch.float64)])
def test_targets_of_the_shape_of_the_logits_are_ignored_too(class_weight):
    logit, label = batch()
    weights = (1, 1) if class_weight is None else class_weight.tolist()
    target = torch.rand(label.shape, dtype=torch.float64)
    target[(label == IGNORE) | (label < 0)] = IGNORE
    target[0, 5, 5] = -1
    expected = by_pixel(logit, target, weights)
    options = dict(ignore_index=IGNORE, class_weight=class_weight)
    found = binary_cross_entropy(logit, target[:, None], reduction='none', **options)
    torch.testing.assert_close(found, expected)
    valid = (expected != 0).sum()
    found = binary_cross_entropy(logit, target[:, None], avg_non_ignore=True, **options)
    torch.testing.assert_close(found, expected.sum() / valid)
    integers = torch.where(label < 0, IGNORE, label)[:, None]
    torch.testing.assert_close(binary_cross_entropy(logit, integers, **options),
                               binary_cross_entropy(logit, label, **options))


def test_several_classes_of_one_shape_are_ignored_too():
    logit, label = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    label[:, :, 1] = IGNORE
    plain = F.binary_cross_entropy_with_logits(logit, label.clamp(max=1), reduction='none')
    plain[:, :, 1] = 0
    found = CrossEntropyLoss(use_sigmoid=True)(logit, label, ignore_index=IGNORE)
    torch.testing.assert_close(found, plain.mean())


def test_a_label_that_is_neither_class_is_named():
    logit, label = batch()
    label[0, 5, 5], label[1, 3, 3] = 7, 2
    for form in (label, label[:, None]):
        with pytest.raises(DataError, match=r'labels 2, 7 in a problem of two classes'):
            binary_cross_entropy(logit, form, ignore_index=IGNORE)


def test_on_an_accelerator_such_a_label_makes_the_loss_no_number(monkeypatch):
    monkeypatch.setattr('mmseg.models.losses.utils.is_asynchronous', lambda _: True)
    logit, label = batch()
    assert binary_cross_entropy(logit, label, ignore_index=IGNORE).isfinite()
    label[0, 5, 5] = 2
    assert binary_cross_entropy(logit, label, ignore_index=IGNORE).isnan()
    target = torch.full_like(logit, float('nan'))  # which is no way to ignore
    assert binary_cross_entropy(logit, target, ignore_index=IGNORE).isnan()


def test_softmax_of_one_logit_is_refused():
    logit, label = batch()
    with pytest.raises(ConfigError, match='always 0: for two classes give two logits, or one'):
        CrossEntropyLoss()(logit, label, ignore_index=IGNORE)


def test_number_of_class_weights():
    logit, label = batch()
    loss = CrossEntropyLoss(use_sigmoid=True, class_weight=[1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match='class_weight has 3 numbers for 1 classes'):
        loss(logit, label)


# ------------------------------------------------------------------ heads


@pytest.mark.parametrize('options', [{}, dict(num_classes=1, out_channels=None),
                                     dict(num_classes=1, out_channels=1)])
def test_the_classifier_has_one_channel(options):
    head = make(**options)
    assert head.conv_seg.weight.shape == (1, 4, 1, 1)
    assert head.out_channels == 1
    assert head.threshold == 0.3
    assert set(head.state_dict()) == {'conv_seg.weight', 'conv_seg.bias'}
    logit, label = batch((24, 20), torch.float32)
    found = head.losses(logit, label[:, None])
    torch.testing.assert_close(found['loss_seg'], by_pixel(logit, label).mean())


def test_several_logits_have_no_threshold():
    head = make(num_classes=2, out_channels=2, loss_decode=dict(type='CrossEntropyLoss'))
    assert head.threshold is None
    assert head.conv_seg.out_channels == 2


TWO_WAYS = (r'\(1\) two logits, num_classes=2 without out_channels, or \(2\) that of class 1, '
            r"num_classes=2, out_channels=1, loss_decode=dict\(type='CrossEntropyLoss', "
            r'use_sigmoid=True\)')


@pytest.mark.parametrize(('options', 'message'), [
    (dict(num_classes=1, out_channels=None, loss_decode=dict(type='CrossEntropyLoss')), TWO_WAYS),
    (dict(loss_decode=dict(type='CrossEntropyLoss')), TWO_WAYS),
    (dict(loss_decode=[SIGMOID, dict(type='CrossEntropyLoss')]), TWO_WAYS),
    (dict(num_classes=3), 'out_channels=1 must be num_classes=3, or 1 with num_classes=2'),
    (dict(out_channels=3), 'out_channels=3 must be num_classes=2'),
    (dict(out_channels=0), 'out_channels=0 must be num_classes=2'),
    (dict(out_channels=2, threshold=0.5), 'threshold=0.5 is for one logit'),
    (dict(threshold=30), 'threshold=30 must be a probability'),
    (dict(threshold=-0.1), r'threshold=-0\.1 must be a probability')])
def test_what_cannot_be(options, message):
    with pytest.raises(ConfigError, match=f'FCNHead: .*{message}'):
        make(**options)


@pytest.mark.parametrize('threshold', [None, 0.3, 0.6])
def test_accuracy_knows_the_threshold(threshold):
    logit, label = batch()
    hits = sum(int((1 / (1 + math.exp(-logit[n, 0, y, x])) > (threshold or 0.3))
                   == label[n, y, x].item()) for n, y, x in np.ndindex(*label.shape))
    expected = 100 * hits / label.numel()
    head = make(threshold=threshold)
    assert head.losses(logit, label[:, None])['acc_seg'].item() == pytest.approx(expected)
    head.strip_loss = False
    assert head.losses(logit, label[:, None])['acc_seg'].item() == pytest.approx(expected)
    assert accuracy(logit, label, thresh=threshold).item() == pytest.approx(expected)


@pytest.mark.parametrize('loss', [
    SIGMOID, dict(SIGMOID, class_weight=[0.25, 2.0], loss_weight=0.4),
    dict(SIGMOID, class_weight=[3.0], avg_non_ignore=True), dict(SIGMOID, reduction='sum')])
def test_strips_are_equal_to_whole_logits(monkeypatch, loss):
    monkeypatch.setattr(chunked_loss, 'HOST_BYTES', 2**10)
    results = []
    for strip_loss in (True, False):
        torch.manual_seed(0)
        logit, label = torch.randn(2, 1, 5, 4, requires_grad=True), batch((23, 17))[1]
        found = make(loss_decode=loss, strip_loss=strip_loss).losses(logit, label[:, None])
        found['loss_seg'].backward()
        results.append((found['loss_seg'].detach(), found['acc_seg'], logit.grad))
    torch.testing.assert_close(*results)
    assert results[0][2].abs().sum() > 0


@pytest.mark.parametrize('thresh', [None, 0.4])
def test_hard_pixels(thresh):
    logit, label = batch()
    label[label < 0] = 0
    probability = by_pixel(logit, label).neg().exp()[:, 0]
    valid = label != IGNORE
    order = probability[valid].sort().values
    cut = order[20] if thresh is None else max(thresh, order[20].item())
    sampler = OHEMPixelSampler(make(), thresh, 10)
    expected = valid & (probability < cut)
    assert torch.equal(sampler.sample(logit, label[:, None]), expected.double())


# ------------------------------------------------------------------ predictions


@pytest.fixture
def binary(build_tiny, tiny_cfg):
    """Builds a model with one logit, in double precision, and its auxiliary head with two."""
    def build(threshold=None, **changes):
        head = dict(tiny_cfg['decode_head'], threshold=threshold, **ONE_LOGIT)
        auxiliary = dict(tiny_cfg['auxiliary_head'], num_classes=2)
        model = build_tiny(decode_head=head, auxiliary_head=auxiliary, **changes).double()
        model.eval()
        # Probabilities from near 0 to near 1.
        with torch.no_grad():
            spread = model.forward_dummy(torch.randn(1, 3, 40, 56).double()).std()
            for parameter in model.decode_head.conv_seg.parameters():
                parameter /= spread
        return model
    return build


def expected_map(logits, size, threshold=0.3):
    enlarged = F.interpolate(logits, size, mode='bilinear')
    return (1 / (1 + torch.exp(-enlarged[0, 0])) > threshold).numpy().astype(np.uint8)


@pytest.mark.parametrize('threshold', [None, 0.6])
@pytest.mark.parametrize('rescale', [True, False])
def test_whole_image(binary, make_metas, threshold, rescale):
    model = binary(threshold)
    img, metas = torch.randn(1, 3, 40, 56).double(), make_metas(((20, 33), (36, 50), (40, 56)))
    with torch.no_grad():
        logits = model.encode_decode(img, metas)[..., :36, :50]
        found = model(return_loss=False, img=[img], img_metas=[metas], rescale=rescale)[0]
        probability = model.inference(img, metas, rescale)
    size = (20, 33) if rescale else (36, 50)
    np.testing.assert_array_equal(found, expected_map(logits, size, threshold or 0.3))
    assert found.dtype == np.uint8
    assert set(np.unique(found)) == {0, 1}
    assert probability.shape[:2] == (1, 1)
    np.testing.assert_array_equal(
        probability[0, 0, :size[0], :size[1]] > (threshold or 0.3), found)


def test_the_threshold_decides(binary, make_metas):
    img, metas = torch.randn(1, 3, 40, 56).double(), make_metas((40, 56))
    shares = [binary(threshold)(return_loss=False, img=[img], img_metas=[metas])[0].mean()
              for threshold in (0.0, 0.3, 0.4, 0.6, 1.0)]
    assert shares[0] == 1
    assert shares[-1] == 0
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 5


@pytest.mark.parametrize('max_logits_mb', [None, 256])
@pytest.mark.parametrize('batch_windows', [1, 4])
def test_windows(binary, make_metas, max_logits_mb, batch_windows):
    test_cfg = dict(mode='slide', crop_size=(32, 40), stride=(20, 24),
                    batch_windows=batch_windows, max_logits_mb=max_logits_mb)
    model = binary(test_cfg=test_cfg)
    img, metas = torch.randn(1, 3, 50, 60).double(), make_metas(((25, 31), (50, 60), (50, 60)))
    with torch.no_grad():
        logits = model.slide_inference(img, metas, rescale=False)
        found = model(return_loss=False, img=[img], img_metas=[metas])[0]
    np.testing.assert_array_equal(found, expected_map(logits, (25, 31)))


def test_strips_of_a_large_image(monkeypatch):
    monkeypatch.setattr(seg_map, 'BLOCK_BYTES', 4000)
    logits = torch.randn(1, 1, 60, 40, dtype=torch.float64)
    meta = dict(img_shape=(60, 40), ori_shape=(131, 77))
    found = SegMapBuilder((60, 40), meta, True, False, 0, 0.6)
    for strip in logits.split([17, 30, 13], dim=2):
        found.add(strip)
    np.testing.assert_array_equal(found.result(), expected_map(logits, (131, 77), 0.6))


@pytest.mark.parametrize('threshold', [None, 0.6])
def test_views_are_averaged_before_the_threshold(binary, make_metas, threshold):
    model = binary(threshold)
    sizes, flips = [(40, 56), (40, 56), (32, 48)], [False, True, False]
    imgs, views, total = [], [], 0
    for size, flip in zip(sizes, flips, strict=True):
        metas = make_metas(((20, 33), size, size), flip_direction='horizontal')
        metas[0]['flip'] = flip
        img = torch.randn(1, 3, *size).double()
        with torch.no_grad():
            logits = F.interpolate(model.encode_decode(img, metas), (20, 33), mode='bilinear')
        total = total + 1 / (1 + torch.exp(-(logits.flip([3]) if flip else logits)[0, 0]))
        imgs.append(img)
        views.append(metas)
    found = model(return_loss=False, img=imgs, img_metas=views)[0]
    np.testing.assert_array_equal(found, (total / 3 > (threshold or 0.3)).numpy())
    assert set(np.unique(found)) == {0, 1}


def test_low_precision_is_left_before_the_sigmoid(binary, make_metas):
    model = binary()
    logits = torch.linspace(-1, -0.7, 40 * 56).view(1, 1, 40, 56).bfloat16()
    model.encode_decode = lambda img, metas: logits
    found = model(return_loss=False, img=[torch.zeros(1, 3, 40, 56)],
                  img_metas=[make_metas((40, 56))])[0]
    np.testing.assert_array_equal(found, expected_map(logits.float(), (40, 56)))


def test_heads_of_both_forms_train_together(binary, make_metas):
    model = binary().train()
    label = torch.randint(2, (2, 1, 32, 32))
    label[:, :, 0] = IGNORE
    outputs = model.train_step(dict(
        img=torch.randn(2, 3, 32, 32).double(), gt_semantic_seg=label,
        img_metas=make_metas((32, 32), (32, 32))), None)
    outputs['loss'].backward()
    assert model.decode_head.conv_seg.weight.grad.abs().sum() > 0
    assert model.auxiliary_head.conv_seg.weight.shape[0] == 2
    assert set(outputs['log_vars']) == {'decode.loss_seg', 'decode.acc_seg', 'aux.loss_seg',
                                        'aux.acc_seg', 'loss'}
