"""Losses in strips of rows against the losses of whole enlarged logits."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmseg.models import FCNHead
from mmseg.models.builder import LOSSES
from mmseg.models.losses import chunked_loss

CE = dict(type='CrossEntropyLoss')


@pytest.fixture(autouse=True)
def small_strips(monkeypatch):
    """Strips of a few rows, so that small pictures have several."""
    monkeypatch.setattr(chunked_loss, 'HOST_BYTES', 2**11)


def make(strip_loss, losses=CE, **options):
    return FCNHead(in_channels=4, channels=4, num_classes=5, num_convs=0, concat_input=False,
                   strip_loss=strip_loss, loss_decode=losses, **options)


def sample(size=(23, 17), dtype=torch.float32, source=(5, 4)):
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(5, (2, 1, *size), generator=generator)
    label[:, :, 2:5] = 255
    return torch.randn(2, 5, *source, generator=generator, dtype=dtype), label


def values_and_gradient(head, logits, label):
    logits = logits.clone().requires_grad_()
    losses = head.losses(logits, label)
    # Different factors show that each loss has a gradient of its own.
    total = sum((i + 1) * value for i, (name, value) in enumerate(losses.items())
                if 'loss' in name)
    total.backward()
    return {name: value.detach() for name, value in losses.items()}, logits.grad


@pytest.mark.parametrize('losses', [
    CE,
    dict(CE, loss_weight=0.4, class_weight=[0.5, 2.0, 1.0, 0.0, 3.0]),
    dict(CE, avg_non_ignore=True),
    dict(CE, reduction='sum'),
    dict(CE, use_sigmoid=True),
    dict(CE, use_sigmoid=True, avg_non_ignore=True, class_weight=[0.5, 2.0, 1.0, 0.0, 3.0]),
    [CE, dict(CE, use_sigmoid=True, loss_name='loss_other', loss_weight=0.3), CE]],
    ids=['plain', 'weighted', 'non_ignore', 'sum', 'sigmoid', 'sigmoid_non_ignore', 'several'])
@pytest.mark.parametrize('align_corners', [False, True])
def test_equal_to_whole_logits(losses, align_corners):
    logits, label = sample(dtype=torch.float64)
    found, gradient = values_and_gradient(
        make(True, losses, align_corners=align_corners), logits, label)
    plain, expected = values_and_gradient(
        make(False, losses, align_corners=align_corners), logits, label)
    assert len(list(chunked_loss._chunks(logits, label[:, 0]))) > 3
    # Class weights are float32 by way of the config's numbers.
    torch.testing.assert_close(found, plain, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-9)


def test_value_against_torch():
    logits, label = sample()
    full = F.interpolate(logits, label.shape[2:], mode='bilinear')
    terms = F.cross_entropy(full, label[:, 0], reduction='none', ignore_index=255)
    found = make(True).losses(logits, label)
    torch.testing.assert_close(found['loss_seg'], terms.mean())
    right = (full.argmax(1) == label[:, 0]).float().mean()
    torch.testing.assert_close(found['acc_seg'], 100 * right.view(1))


def test_gradient_by_finite_differences():
    logits, label = sample((9, 8), torch.float64, (3, 3))
    head = make(True)
    torch.autograd.gradcheck(lambda x: head.losses(x, label)['loss_seg'], logits.requires_grad_())


def test_logits_of_the_size_of_the_labels():
    logits, label = sample((12, 10), source=(12, 10))
    found, gradient = values_and_gradient(make(True), logits, label)
    plain, expected = values_and_gradient(make(False), logits, label)
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(gradient, expected)


def test_low_precision_is_left_before_the_enlargement():
    logits, label = sample()
    logits = logits.bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        found, gradient = values_and_gradient(make(True), logits, label)
    plain, expected = values_and_gradient(make(False), logits, label)
    assert found['loss_seg'].dtype == torch.float32
    assert gradient.dtype == torch.bfloat16
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(gradient, expected)


def test_without_gradients():
    logits, label = sample()
    with torch.no_grad():
        found = make(True).losses(logits.requires_grad_(), label)
    assert not found['loss_seg'].requires_grad
    torch.testing.assert_close(found, make(False).losses(logits.detach(), label))


def test_all_pixels_ignored():
    logits, label = sample()
    found, gradient = values_and_gradient(make(True, dict(CE, avg_non_ignore=True)), logits,
                                          torch.full_like(label, 255))
    assert found['loss_seg'] == 0
    assert gradient.abs().sum() == 0


def test_other_losses_get_whole_logits():
    seen = []

    class OwnLoss(nn.Module):
        def forward(self, logits, label, weight=None, ignore_index=None):
            seen.append(tuple(logits.shape))
            return logits.mean()

    logits, label = sample()
    make(True, dict(type=OwnLoss)).losses(logits, label)
    make(True, dict(CE, use_mask=False)).losses(logits, label)
    assert seen == [(2, 5, 23, 17)]


class LargestTensor(TorchDispatchMode):
    """Elements of the largest tensor that an operator returns."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.untyped_storage().nbytes())
        return out


def test_a_subclass_may_add_what_is_no_sum_over_pixels():
    class WithPeak(LOSSES.get('CrossEntropyLoss')):
        def forward(self, cls_score, label, **options):
            return super().forward(cls_score, label, **options) + cls_score.max()

    logits, label = sample()
    found, gradient = values_and_gradient(make(True, dict(type=WithPeak)), logits, label)
    plain, expected = values_and_gradient(make(False, dict(type=WithPeak)), logits, label)
    assert torch.equal(found['loss_seg'], plain['loss_seg'])
    assert torch.equal(gradient, expected)


@pytest.mark.parametrize('strip_loss', [True, False])
def test_whole_logits_are_never_held(strip_loss):
    logits, label = sample((256, 256))
    with LargestTensor() as largest:
        values_and_gradient(make(strip_loss), logits, label)
    whole = 2 * 5 * 256 * 256 * 4
    # The labels, as int64, are the largest tensor that is left.
    assert (largest.elements < whole / 2) == strip_loss
