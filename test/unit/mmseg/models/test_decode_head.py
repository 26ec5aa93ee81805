"""BaseDecodeHead: choice of inputs, losses, classifier; and the two heads of this package."""
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.ops import HostSyncBatchNorm
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.core.seg import OHEMPixelSampler
from mmseg.models import FCNHead, PSPHead, build_head
from mmseg.models.decode_heads import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.models.utils import check_statistics
from mmseg.ops import resize

BN = dict(type='BN')


class Head(BaseDecodeHead):
    """The smallest head."""

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))


def make(**options):
    return Head(**{**dict(in_channels=4, channels=4, num_classes=3), **options})


def maps():
    return [torch.randn(2, width, size, size) for width, size in ((4, 8), (6, 4), (2, 2))]


@pytest.mark.parametrize(('index', 'width'), [(-1, 2), (0, 4), (1, 6)])
def test_one_input(index, width):
    inputs = maps()
    chosen = make(in_index=index, in_channels=width)._transform_inputs(inputs)
    assert chosen is inputs[index]


@pytest.mark.parametrize('align_corners', [False, True])
def test_concatenated_inputs(align_corners):
    head = make(in_channels=(6, 4), in_index=(1, 0), input_transform='resize_concat',
                align_corners=align_corners)
    assert head.in_channels == 10
    inputs = maps()
    found = head._transform_inputs(inputs)
    expected = torch.cat([inputs[1], resize(inputs[0], (4, 4), mode='bilinear',
                                            align_corners=align_corners)], 1)
    torch.testing.assert_close(found, expected)


def test_selected_inputs():
    head = make(in_channels=[4, 2], in_index=[0, 2], input_transform='multiple_select')
    assert head.in_channels == [4, 2]
    inputs = maps()
    found = head._transform_inputs(inputs)
    assert found[0] is inputs[0]
    assert found[1] is inputs[2]


@pytest.mark.parametrize(('options', 'message'), [
    (dict(input_transform='concat'), "'concat' is not known"),
    (dict(in_channels=[4, 6]), 'must be single numbers'),
    (dict(in_index=[0, 1]), 'must be single numbers'),
    (dict(input_transform='resize_concat'), 'lists of the same length'),
    (dict(input_transform='multiple_select', in_channels=[4, 6], in_index=[0]), 'same length')])
def test_inputs_that_do_not_fit(options, message):
    with pytest.raises(ConfigError, match=f'Head: .*{message}'):
        make(**options)


def label_batch(classes=3, size=16):
    label = torch.randint(classes, (2, 1, size, size))
    label[:, :, :3] = 255
    return label


@pytest.mark.parametrize('align_corners', [False, True])
def test_loss_and_accuracy_at_the_size_of_the_labels(align_corners):
    head = make(align_corners=align_corners, loss_decode=dict(type='CrossEntropyLoss',
                                                              loss_weight=0.4))
    logit, label = torch.randn(2, 3, 4, 4), label_batch()
    full = resize(logit, (16, 16), mode='bilinear', align_corners=align_corners)
    found = head.losses(logit, label)
    assert set(found) == {'loss_seg', 'acc_seg'}
    terms = F.cross_entropy(full, label[:, 0], ignore_index=255, reduction='none')
    torch.testing.assert_close(found['loss_seg'], 0.4 * terms.mean())
    right = (full.argmax(1) == label[:, 0]).float().mean()
    torch.testing.assert_close(found['acc_seg'], 100 * right.view(1))


def test_ignored_label_is_a_choice():
    logit, label = torch.randn(2, 3, 16, 16), label_batch()
    label[label == 255] = 7
    terms = F.cross_entropy(logit, label[:, 0], ignore_index=7, reduction='none')
    found = make(ignore_index=7).losses(logit, label)
    torch.testing.assert_close(found['loss_seg'], terms.mean())


def test_labels_of_any_integer_type_and_low_precision_logits():
    logit, label = torch.randn(2, 3, 16, 16), label_batch()
    expected = make().losses(logit.bfloat16().float(), label)
    found = make().losses(logit.bfloat16(), label.to(torch.uint8))
    assert found['loss_seg'].dtype == torch.float32
    torch.testing.assert_close(found, expected)


def test_names_of_the_losses():
    logit, label = torch.randn(2, 3, 16, 16), label_batch()
    ce = dict(type='CrossEntropyLoss')
    single = make(loss_decode=dict(ce, loss_name='loss_own')).losses(logit, label)
    assert set(single) == {'loss_own', 'acc_seg'}
    head = make(loss_decode=[ce, dict(ce, loss_weight=2.0), dict(ce, loss_name='loss_aux')])
    several = head.losses(logit, label)
    assert set(several) == {'loss_ce', 'loss_aux', 'acc_seg'}
    torch.testing.assert_close(several['loss_ce'], 3 * several['loss_aux'])


def test_sampled_pixels_alone_count():
    head = make(sampler=dict(type='OHEMPixelSampler', thresh=0.5, min_kept=10))
    assert isinstance(head.sampler, OHEMPixelSampler)
    assert head.sampler.context is head
    logit, label = torch.randn(2, 3, 16, 16), label_batch()
    weight = head.sampler.sample(logit, label)
    terms = F.cross_entropy(logit, label[:, 0], ignore_index=255, reduction='none')
    found = head.losses(logit, label)
    torch.testing.assert_close(found['loss_seg'], (weight * terms).mean())
    assert 0 < weight.sum() < weight.numel()


def test_defaults():
    head = make()
    assert isinstance(head.loss_decode, CrossEntropyLoss)
    assert head.sampler is None
    assert isinstance(head.dropout, nn.Dropout2d)
    assert head.dropout.p == 0.1
    for off in (0, -1):  # the latter is in configs of mmsegmentation 0.10
        assert make(dropout_ratio=off).dropout is None
    assert 'align_corners=False' in repr(head)


def test_dropout_acts_before_the_classifier():
    feat = torch.ones(1, 4, 2, 2)
    head = make(dropout_ratio=1.0)
    torch.testing.assert_close(head.cls_seg(feat)[0, :, 0, 0], head.conv_seg.bias)
    assert not torch.allclose(head.eval().cls_seg(feat)[0, :, 0, 0], head.conv_seg.bias)


def test_classifier_starts_small():
    head = make(channels=512, num_classes=64)
    head.init_weights()
    assert head.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert head.conv_seg.bias.eq(0).all()
    own = make(init_cfg=dict(type='Constant', val=2, override=dict(name='conv_seg')))
    own.init_weights()
    assert own.conv_seg.weight.eq(2).all()


def test_train_and_test_forms():
    head = make().eval()
    inputs, label = [torch.randn(2, 4, 8, 8)], label_batch(size=8)
    logit = head.forward_test(inputs, None, None)
    torch.testing.assert_close(head.forward_train(inputs, None, label, None),
                               head.losses(logit, label))


@pytest.mark.parametrize('losses', [[], (), None])
def test_a_head_without_a_loss_is_refused(losses):
    with pytest.raises(ConfigError, match=r'Head: loss_decode=.* is no loss, so that .* a dict'):
        make(loss_decode=losses)


@pytest.mark.parametrize('pool_scales', [4, ()])
def test_pool_scales_must_be_a_list(pool_scales):
    with pytest.raises(ConfigError, match='pool_scales'):
        PSPHead(in_channels=4, channels=4, num_classes=3, pool_scales=pool_scales)


def psp(norm_cfg):
    return PSPHead(in_channels=4, channels=4, num_classes=3, norm_cfg=norm_cfg)


@pytest.mark.parametrize('kind', ['BN', 'SyncBN'])
def test_batch_of_one_is_explained(kind):
    head = psp(dict(type=kind))
    one = [torch.randn(1, 4, 6, 6)]
    with pytest.raises(ArgumentError, match=r'psp_modules.0, pool scale 1.*samples_per_gpu to 2'):
        head(one)
    assert head.eval()(one).shape == (1, 3, 6, 6)


@pytest.mark.parametrize(('track', 'fails_in_test'), [(False, True), (True, False)])
def test_an_instance_norm_of_one_value_is_explained(track, fails_in_test):
    head = psp(dict(type='IN', track_running_stats=track))
    two = [torch.randn(2, 4, 6, 6)]
    message = r"psp_modules.0, pool scale 1\): its instance norm sees one value .* norm_cfg=dict"
    with pytest.raises(ArgumentError, match=message):
        head(two)
    with pytest.raises(ArgumentError, match=message) if fails_in_test else nullcontext():
        head.eval()(two)
    large = PSPHead(in_channels=4, channels=4, num_classes=3, norm_cfg=dict(type='IN'),
                    pool_scales=(2, 3))
    assert large(two).shape == (2, 3, 6, 6)


@pytest.mark.parametrize(('kind', 'options', 'place'), [
    ('ASPPHead', {}, r'pooling \(image_pool\)'),
    ('APCHead', {}, r'adaptive context \(pool scale 1\), global_info'),
    ('APCHead', dict(pool_scales=(1,), norm_cfg=dict(type='IN')), 'adaptive context'),
])
def test_an_instance_norm_of_one_value_in_other_heads(kind, options, place):
    head = build_head(dict(dict(type=kind, in_channels=4, channels=4, num_classes=3,
                                norm_cfg=dict(type='IN')), **options))
    with pytest.raises(ArgumentError, match=f'{place}.*: its instance norm sees one value'):
        head([torch.randn(2, 4, 6, 6)])


def test_batches_of_one_that_work():
    one = [torch.randn(1, 4, 6, 6)]
    assert psp(dict(type='GN', num_groups=2))(one).shape == (1, 3, 6, 6)
    assert psp(None)(one).shape == (1, 3, 6, 6)
    assert psp(dict(type='BN'))([torch.randn(2, 4, 6, 6)]).shape == (2, 3, 6, 6)
    frozen = psp(dict(type='BN'))
    for module in frozen.psp_modules.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert frozen(one).shape == (1, 3, 6, 6)
    large = PSPHead(in_channels=4, channels=4, num_classes=3, norm_cfg=BN, pool_scales=(2, 3))
    assert large(one).shape == (1, 3, 6, 6)


@pytest.mark.parametrize(('world_size', 'shared'), [(2, True), (1, False)])
def test_several_processes_share_statistics(monkeypatch, world_size, shared):
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: True)
    monkeypatch.setattr(torch.distributed, 'get_world_size', lambda group=None: world_size)
    for norm in (nn.SyncBatchNorm(4), HostSyncBatchNorm(4)):
        with nullcontext() if shared else pytest.raises(ArgumentError, match='^here: '):
            check_statistics(norm, 1, 1, 'here')
    with pytest.raises(ArgumentError, match='^here: '):
        check_statistics(nn.BatchNorm2d(4), 1, 1, 'here')


def test_the_group_of_a_norm_counts(monkeypatch):
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: True)
    monkeypatch.setattr(torch.distributed, 'get_world_size',
                        lambda group=None: 2 if group is None else 1)
    norm = nn.SyncBatchNorm(4, process_group='of this process alone')
    with pytest.raises(ArgumentError, match='^here: '):
        check_statistics(norm, 1, 1, 'here')


@pytest.mark.parametrize(('options', 'message'), [
    (dict(num_convs=-1), 'num_convs=-1 must be 0 or more'),
    (dict(kernel_size=2), 'kernel_size=2 must be odd with .* concat_input=False'),
    (dict(num_convs=0, channels=8), 'channels=8 must equal in_channels=4')])
def test_fully_convolutional_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        FCNHead(**{**dict(in_channels=4, channels=4, num_classes=3), **options})


def test_a_head_without_convolutions_is_the_classifier():
    head = FCNHead(num_convs=0, concat_input=False, in_channels=4, channels=4, num_classes=3)
    assert isinstance(head.convs, nn.Identity)
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(head.eval()([x]), head.conv_seg(x))
    assert head.fp16_enabled is False
