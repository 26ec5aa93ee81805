"""Scores that predictions carry on request, against the softmax of the logits at original size."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import EncoderDecoder
from mmseg.models.segmentors import seg_map as seg_map_module
from mmseg.models.segmentors.slide import slide_logits

SLIDE = dict(mode='slide', crop_size=(32, 40), stride=(20, 24))
SIZES = ((25, 33), (40, 50), (40, 56))  # original, resized, padded


@pytest.fixture
def metas(make_metas):
    return make_metas(SIZES, SIZES)


def run(model, imgs, metas, **options):
    with torch.no_grad():
        return model.eval()(return_loss=False, img=imgs, img_metas=metas, **options)


def plain_probabilities(model, img, flip=None):
    """Softmax of the logits [N, C, H, W] without padding, at the original size, upright."""
    with torch.no_grad():
        if model.test_cfg.mode == 'slide':
            logits = slide_logits(model.forward_dummy, img, SLIDE['crop_size'], SLIDE['stride'])
        else:
            logits = model.forward_dummy(img)
    logits = F.interpolate(logits[..., :40, :50], (25, 33), mode='bilinear', align_corners=False)
    found = torch.sigmoid(logits) if logits.size(1) == 1 else logits.softmax(1)
    found = torch.cat([1 - found, found], 1) if found.size(1) == 1 else found
    return found.flip(-1) if flip else found


def check(model, imgs, views, expected):
    """Both kinds of scores against probabilities [N, C, H, W], and the maps against those alone."""
    alone = run(model, imgs, views)
    full = run(model, imgs, views, scores='probabilities')
    short = run(model, imgs, views, scores='confidence')
    assert len(alone) == len(full) == len(short) == len(expected)
    for seg_map, (same, scores), (again, confidence), plain in zip(
            alone, full, short, expected.numpy(), strict=True):
        np.testing.assert_array_equal(same, seg_map)
        np.testing.assert_array_equal(again, seg_map)
        assert scores.dtype == confidence.dtype == np.float32
        np.testing.assert_allclose(scores, plain, rtol=0, atol=1e-6)
        chosen = [[plain[seg_map[y, x], y, x] for x in range(33)] for y in range(25)]
        np.testing.assert_allclose(confidence, chosen, rtol=0, atol=1e-6)
        assert len(np.unique(seg_map)) > 1


@pytest.mark.parametrize('test_cfg', [
    dict(mode='whole'), SLIDE, dict(SLIDE, max_logits_mb=1), dict(mode='whole', max_logits_mb=1)])
@pytest.mark.parametrize('block', [2**25, 3000])
def test_one_view(build_tiny, metas, monkeypatch, test_cfg, block):
    """In blocks of a few rows too, and with windows that give strips."""
    monkeypatch.setattr(seg_map_module, 'BLOCK_BYTES', block)
    if block < 2**25:  # whatever the limit is, the logits are above it
        monkeypatch.setattr('mmseg.models.segmentors.encoder_decoder.MAX_LOGITS_MB', 0)
        test_cfg = {key: value for key, value in test_cfg.items() if key != 'max_logits_mb'}
    model, img = build_tiny(test_cfg=test_cfg).double().eval(), torch.randn(2, 3, 40, 56).double()
    check(model, [img], [metas], plain_probabilities(model, img))


@pytest.mark.parametrize('test_cfg', [dict(mode='whole'), SLIDE])
def test_float32(build_tiny, metas, test_cfg):
    model, img = build_tiny(test_cfg=test_cfg).eval(), torch.randn(2, 3, 40, 56)
    check(model, [img], [metas], plain_probabilities(model, img))


@pytest.mark.parametrize('test_cfg', [dict(mode='whole'), SLIDE])
def test_several_views(build_tiny, metas, test_cfg):
    model, imgs = build_tiny(test_cfg=test_cfg).eval(), torch.randn(3, 2, 3, 40, 56)
    flips = [None, None, 'horizontal']
    views = [[dict(meta, flip=flip is not None, flip_direction=flip) for meta in metas]
             for flip in flips]
    expected = sum(plain_probabilities(model, img, flip)
                   for img, flip in zip(imgs, flips, strict=True)) / 3
    check(model, list(imgs), views, expected)


def test_one_flipped_view(build_tiny, metas):
    model, img = build_tiny().eval(), torch.randn(2, 3, 40, 56)
    views = [dict(meta, flip=True, flip_direction='horizontal') for meta in metas]
    check(model, [img], [views], plain_probabilities(model, img, 'horizontal'))


@pytest.mark.parametrize('views', [1, 2])
def test_one_logit_has_the_scores_of_two_classes(build_tiny, tiny_cfg, metas, views):
    head = dict(tiny_cfg['decode_head'], num_classes=2, out_channels=1, threshold=0.6,
                loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
    model = build_tiny(decode_head=head, auxiliary_head=None).eval()
    for parameter in model.decode_head.conv_seg.parameters():
        parameter.data *= 300  # for probabilities around the threshold
    imgs = torch.randn(views, 2, 3, 40, 56)
    expected = sum(plain_probabilities(model, img) for img in imgs) / views
    check(model, list(imgs), [metas] * views, expected)


def test_logits_of_low_precision_have_scores_of_float32(build_tiny, metas):
    model, img = build_tiny().eval(), torch.randn(2, 3, 40, 56)
    with torch.autocast('cpu', torch.bfloat16):
        found = run(model, [img], [metas], scores='probabilities')
    for _, scores in found:
        np.testing.assert_allclose(scores.sum(0), 1, rtol=0, atol=1e-6)


def test_an_unknown_kind_of_scores(build_tiny, metas):
    with pytest.raises(ConfigError, match="scores='logits': choose one of probabilities, confide"):
        run(build_tiny(), [torch.randn(2, 3, 40, 56)], [metas], scores='logits')


def test_a_model_that_gives_no_scores(build_tiny, metas):
    class WithoutScores(EncoderDecoder):
        def simple_test(self, img, img_metas, rescale=True):
            return super().simple_test(img, img_metas, rescale)

    model, img = build_tiny(), torch.randn(2, 3, 40, 56)
    model.__class__ = WithoutScores
    assert len(run(model, [img], [metas])) == 2
    with pytest.raises(ConfigError, match='simple_test of WithoutScores gives no scores: let it '
                                          'take scores=None'):
        run(model, [img], [metas], scores='confidence')
    assert len(run(model, [img] * 2, [metas] * 2, scores='confidence')) == 2
