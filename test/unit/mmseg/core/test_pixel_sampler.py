"""OHEMPixelSampler against the plain algorithm: sort, then cut."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ArgumentError
from mmseg.core.seg import (
    PIXEL_SAMPLERS,
    BasePixelSampler,
    OHEMPixelSampler,
    build_pixel_sampler,
)
from mmseg.models import build_loss

IGNORE = 255


def make_batch(ignored=0.3, classes=4, shape=(2, 6, 7)):
    logit = torch.randn(shape[0], classes, *shape[1:], dtype=torch.float64)
    label = torch.randint(classes, (shape[0], 1, *shape[1:]))
    label[torch.rand(label.shape) < ignored] = IGNORE
    return logit, label


def head(*losses):
    built = [build_loss(cfg) for cfg in losses or [dict(type='CrossEntropyLoss')]]
    return SimpleNamespace(ignore_index=IGNORE,
                           loss_decode=built[0] if len(built) == 1 else nn.ModuleList(built))


def by_probability(logit, label, thresh, kept):
    prob = logit.softmax(1).numpy()
    flat = [(prob[n, label[n, 0, y, x], y, x], (n, y, x))
            for n, y, x in np.argwhere(label.numpy()[:, 0] != IGNORE)]
    weight = np.zeros((logit.size(0), *logit.shape[2:]))
    if flat:
        ranked = sorted(value for value, _ in flat)
        cut = max(thresh, ranked[min(kept, len(ranked) - 1)])
        for value, place in flat:
            weight[place] = value < cut
    return torch.from_numpy(weight)


def by_loss(loss, label, kept):
    valid = np.argwhere(label.numpy()[:, 0] != IGNORE)
    ranked = sorted(valid.tolist(), key=lambda place: -loss[tuple(place)].item())
    weight = torch.zeros_like(loss)
    for place in ranked[:kept]:
        weight[tuple(place)] = 1
    return weight


@pytest.mark.parametrize('thresh', [0.05, 0.3, 0.9])
@pytest.mark.parametrize('min_kept', [2, 10, 25, 1000])
@pytest.mark.parametrize('ignored', [0, 0.4, 0.97, 1])
def test_threshold(thresh, min_kept, ignored):
    logit, label = make_batch(ignored)
    sampler = OHEMPixelSampler(head(), thresh, min_kept)
    expected = by_probability(logit, label, thresh, 2 * min_kept)
    assert torch.equal(sampler.sample(logit, label), expected)


@pytest.mark.parametrize('min_kept', [2, 10, 1000])
@pytest.mark.parametrize('ignored', [0, 0.4, 1])
def test_largest_losses(min_kept, ignored):
    logit, label = make_batch(ignored)
    loss = F.cross_entropy(logit, label[:, 0], ignore_index=IGNORE, reduction='none')
    weight = OHEMPixelSampler(head(), None, min_kept).sample(logit, label)
    assert torch.equal(weight, by_loss(loss, label, 2 * min_kept))


def test_several_losses_are_summed():
    logit, label = make_batch()
    losses = [dict(type='CrossEntropyLoss', class_weight=[1.0, 5.0, 1.0, 1.0]),
              dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=3.0)]
    context = head(*losses)
    softmax, sigmoid = (loss(logit, label[:, 0], ignore_index=IGNORE, reduction_override='none')
                        for loss in context.loss_decode)
    weight = OHEMPixelSampler(context, None, 5).sample(logit, label)
    assert torch.equal(weight, by_loss(softmax + sigmoid.sum(1), label, 10))


def test_gradients_do_not_pass():
    logit, label = make_batch()
    weight = OHEMPixelSampler(head(), 0.7, 10).sample(logit.requires_grad_(), label)
    assert not weight.requires_grad
    assert weight.dtype == logit.dtype


def test_built_by_name():
    context = head()
    cfg = dict(type='OHEMPixelSampler', thresh=0.7, min_kept=5)
    sampler = build_pixel_sampler(cfg, context=context)
    assert sampler.context is context
    assert (sampler.thresh, sampler.min_kept) == (0.7, 5)
    assert set(PIXEL_SAMPLERS) == {'OHEMPixelSampler'}


def test_too_few_pixels():
    with pytest.raises(ArgumentError, match='min_kept=1 must be at least 2'):
        OHEMPixelSampler(head(), min_kept=1)


@pytest.mark.parametrize('label', [(1, 1, 9, 8), (1, 2, 8, 8)])
def test_labels_of_another_size_are_refused(label):
    with pytest.raises(AssertionError, match=r'OHEMPixelSampler: labels \[1, .* \[1, 3, 8, 8\]'):
        OHEMPixelSampler(head()).sample(torch.zeros(1, 3, 8, 8), torch.zeros(label).long())


def test_a_sampler_of_users_hands_its_settings_on():
    class Own(BasePixelSampler):
        def __init__(self, context, **kwargs):
            super().__init__(context=context, **kwargs)

        def sample(self, seg_logit, seg_label):
            return seg_label.squeeze(1)

    assert Own('head', thresh=1).sample(None, torch.ones(1, 1, 2, 2)).shape == (1, 2, 2)
