"""Losses of predicted logits, against torch's own losses of logits that are computed apart."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import EncoderDecoder, build_segmentor
from mmseg.models.decode_heads import BaseCascadeDecodeHead, FCNHead

from . import head_options as table
from .conftest import TINY

IMAGE, LABEL = (30, 42), (29, 41)


class Before(nn.Module):
    """Stands for the head before one of a cascade."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward_test(self, inputs, img_metas, test_cfg):
        return inputs[-1][:, :self.channels]


def model_of(head):
    """A segmentor of that head over the maps of the table, in evaluation mode."""
    kind, heads = 'EncoderDecoder', TINY['decode_head']
    cascade = isinstance(head, BaseCascadeDecodeHead)
    if cascade:
        kind, heads = 'CascadeEncoderDecoder', [heads]
    model = build_segmentor({**TINY, 'type': kind, 'decode_head': heads,
                             **({'num_stages': 1} if cascade else {})})
    model.decode_head = nn.ModuleList([Before(head.out_channels), head]) if cascade else head
    model._take_output(head)
    model.extract_feat = lambda img: table.maps(1)
    return model.double().eval()


def losses_of(model, label, meta, img=None):
    """Losses of the one image, and its predicted map."""
    found = []
    img = torch.zeros(1, 3, *IMAGE, dtype=torch.float64) if img is None else img
    with torch.no_grad():
        (seg_map,) = model(
            return_loss=False, img=[img], img_metas=[[meta]],
            on_logits=lambda place, logits: found.append(
                (place, model.prediction_losses(logits, label))))
    ((place, losses),) = found
    assert place == 0
    return losses, seg_map


def bilinear(logits, size, head):
    return F.interpolate(logits, size, mode='bilinear', align_corners=head.align_corners)


@pytest.mark.parametrize(('name', 'number'), table.CASES)
def test_every_head(make_metas, name, number):
    head = table.build(name, number).double()
    model, label = model_of(head), table.labels(head, 1)
    model.check_prediction_losses()

    losses, seg_map = losses_of(model, label, make_metas((LABEL, (28, 40), IMAGE))[0])

    with torch.no_grad():
        logits = head.forward_test(table.maps(1), *table.previous(head, table.maps(1)), [{}], None)
    logits = bilinear(bilinear(logits, IMAGE, head)[..., :28, :40], LABEL, head)
    if head.out_channels > 1:
        terms = F.cross_entropy(logits, label[:, 0], ignore_index=255, reduction='none')
    else:
        terms = F.binary_cross_entropy_with_logits(
            logits[:, 0], (label[:, 0] == 1).double(), reduction='none') * (label[:, 0] != 255)
    assert set(losses) == {'loss', 'loss_seg'}
    torch.testing.assert_close(losses['loss_seg'], terms.mean())
    torch.testing.assert_close(losses['loss'], terms.mean())
    expected = logits[0].argmax(0) if head.out_channels > 1 else logits[0, 0].sigmoid() > 0.3
    np.testing.assert_array_equal(seg_map, expected.numpy())


def logits_and_label(classes=5):
    torch.manual_seed(3)
    label = torch.randint(classes, (1, 1, 12, 16))
    label[:, :, 2:4] = 255
    return torch.randn(1, classes, 12, 16), label


def tiny(**head):
    return build_segmentor({**TINY, 'decode_head': {**TINY['decode_head'], **head}}).eval()


def test_options_of_the_losses_count():
    logits, label = logits_and_label()
    weights = [1.0, 2.0, 0.5, 3.0, 0.1]
    model = tiny(loss_decode=[
        dict(type='CrossEntropyLoss', class_weight=weights, avg_non_ignore=True, loss_weight=0.5,
             loss_name='loss_ce'),
        dict(type='FocalLoss', loss_name='loss_focal'),
        dict(type='CrossEntropyLoss', loss_name='watched')])
    losses = model.prediction_losses(logits, label)
    terms = F.cross_entropy(logits, label[:, 0], torch.tensor(weights), ignore_index=255,
                            reduction='none')
    torch.testing.assert_close(losses['loss_ce'], 0.5 * terms.sum() / (label != 255).sum())
    torch.testing.assert_close(losses['watched'], F.cross_entropy(
        logits, label[:, 0], ignore_index=255, reduction='none').mean())
    torch.testing.assert_close(losses['loss'], losses['loss_ce'] + losses['loss_focal'])
    assert set(losses) == {'loss', 'loss_ce', 'loss_focal', 'watched'}


def test_the_label_that_is_ignored():
    logits, label = logits_and_label()
    model = tiny(ignore_index=2, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    label[label == 255] = 0
    torch.testing.assert_close(model.prediction_losses(logits, label)['loss'],
                               F.cross_entropy(logits, label[:, 0], ignore_index=2))


def test_a_sampler_chooses_the_pixels_of_the_image():
    logits, label = logits_and_label()
    model = tiny(sampler=dict(type='OHEMPixelSampler', min_kept=20))
    terms = F.cross_entropy(logits, label[:, 0], ignore_index=255, reduction='none').flatten()
    torch.testing.assert_close(model.prediction_losses(logits, label)['loss'],
                               terms.topk(20).values.sum() / terms.numel())


def test_slide_mode_takes_the_means_of_the_windows(build_tiny, make_metas):
    model = build_tiny(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(24, 24),
                                     max_logits_mb=1)).double().eval()
    img = torch.randn(1, 3, 48, 64, dtype=torch.float64)
    label = torch.randint(5, (1, 1, 40, 50))
    losses, _ = losses_of(model, label, make_metas(((40, 50), (48, 64), (48, 64)))[0], img)
    with torch.no_grad():
        logits = model.slide_inference(img, make_metas((48, 64)), False)
    expected = F.cross_entropy(F.interpolate(logits, (40, 50), mode='bilinear'), label[:, 0])
    torch.testing.assert_close(losses['loss'], expected)


def test_a_large_image_has_the_loss_of_all_its_strips(build_tiny, make_metas):
    """The logits take more than one megabyte, so that the map could be made of strips."""
    model = build_tiny(test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(64, 64),
                                     max_logits_mb=1)).eval()
    img, label = torch.randn(1, 3, 512, 128), torch.randint(5, (1, 1, 512, 128))
    metas = make_metas((512, 128))
    with torch.no_grad():
        model.decode_head.conv_seg.weight /= model.slide_inference(img, metas, False).std()
        logits = model.slide_inference(img, metas, False)
    losses, seg_map = losses_of(model, label, metas[0], img)
    expected = F.cross_entropy(logits, label[:, 0])
    assert expected > 1.1 * math.log(5)
    torch.testing.assert_close(losses['loss'], expected)
    np.testing.assert_array_equal(seg_map, logits[0].argmax(0).numpy())


@pytest.mark.parametrize('direction', ['horizontal', 'vertical'])
def test_a_flipped_image_is_flipped_back(build_tiny, make_metas, direction):
    model = build_tiny().double().eval()
    img = torch.randn(1, 3, 32, 40, dtype=torch.float64)
    (meta,) = make_metas((32, 40))
    meta.update(flip=True, flip_direction=direction)
    axis = -1 if direction == 'horizontal' else -2
    label = torch.randint(5, (1, 1, 32, 40))
    losses, _ = losses_of(model, label, meta, img)
    with torch.no_grad():
        logits = model.encode_decode(img, [meta]).flip(axis)
    torch.testing.assert_close(losses['loss'], F.cross_entropy(logits, label[:, 0]))


def test_each_image_of_a_batch(build_tiny, make_metas):
    """Of two sizes, so that they are computed in another order than that of the batch."""
    model, found = build_tiny().double().eval(), {}
    img, metas = torch.randn(3, 3, 40, 48, dtype=torch.float64), make_metas(
        (32, 40), (40, 48), (32, 40))
    with torch.no_grad():
        model(return_loss=False, img=[img], img_metas=[metas], on_logits=found.__setitem__)
        for place, meta in enumerate(metas):
            height, width = meta['img_shape'][:2]
            expected = model.encode_decode(img[place:place + 1, :, :height, :width], [meta])
            torch.testing.assert_close(found[place], expected)


# ------------------------------------------------------------------ what is refused


class OwnLosses(FCNHead):
    def losses(self, seg_logit, seg_label):
        return dict(loss_own=seg_logit.edges.mean())


class OwnPredictionLosses(OwnLosses):
    def prediction_losses(self, seg_logit, seg_label):
        return dict(loss_own=seg_logit.mean())


class OwnInference(EncoderDecoder):
    def inference(self, img, img_meta, rescale):
        return super().inference(img, img_meta, rescale)


class OwnTest(EncoderDecoder):
    def simple_test(self, img, img_meta, rescale=True):
        return super().simple_test(img, img_meta, rescale)


def with_head(head):
    model = tiny()
    model.decode_head = head(in_channels=32, channels=8, num_classes=5, in_index=3)
    return model


@pytest.mark.parametrize(('model', 'reason'), [
    (lambda: with_head(OwnLosses), r'losses of OwnLosses cannot be computed from logits and labels '
     r'alone \(AttributeError: .*give it a method prediction_losses'),
    (lambda: with_head(nn.Identity), 'the decode_head of EncoderDecoder is of the type Identity, '
     'which has no losses of logits: derive it from BaseDecodeHead'),
    (lambda: OwnInference(TINY['backbone'], TINY['decode_head']),
     'OwnInference predicts by an `inference` of its own'),
    (lambda: OwnTest(TINY['backbone'], TINY['decode_head']),
     'simple_test of OwnTest does not give the logits: let it take on_logits=None'),
])
def test_what_cannot_be_computed(model, reason):
    with pytest.raises(ConfigError, match=f'^val_loss=True: .*{reason}'):
        model().check_prediction_losses()


def test_a_head_of_users_that_says_how():
    model = with_head(OwnPredictionLosses)
    model.check_prediction_losses()
    logits, label = logits_and_label()
    assert model.prediction_losses(logits, label)['loss'] == logits.mean()


def test_several_views(build_tiny, make_metas):
    img, metas = torch.randn(1, 3, 32, 40), make_metas((32, 40))
    with pytest.raises(ConfigError, match='that of the logits of one view, but the pipeline gives '
                                          '2 of each image'):
        build_tiny()(return_loss=False, img=[img, img], img_metas=[metas, metas],
                     on_logits=lambda place, logits: None)
