"""The sum of binary cross entropies against torch's function and masks of the classes."""
import pytest
import torch
import torch.nn.functional as F

from mmseg.models.losses import chunked_loss, cross_entropy_loss
from mmseg.models.losses.binary_sum import binary_cross_entropy_sum
from mmseg.ops import resize_matrices


def sample():
    logits = 30 * torch.randn(2, 5, 7, 6, dtype=torch.float64)
    logits[0, :, 0, 0] = torch.tensor([-800.0, -39.9, 0.0, 40.1, 800.0])
    label = torch.randint(-1, 7, (2, 7, 6))  # 5 and 6 are no classes, and -1 is not valid
    label[1, 2] = 255
    return logits.requires_grad_(), label, (label >= 0) & (label != 255)


def plain_sum(logits, label, valid):
    target = torch.stack([label == i for i in range(5)], dim=1).double()
    terms = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
    return (terms * valid.unsqueeze(1)).sum()


def test_value_and_gradient():
    logits, label, valid = sample()
    found, expected = (function(logits, label, valid)
                       for function in (binary_cross_entropy_sum, plain_sum))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.autograd.grad(3 * found, logits),
                               torch.autograd.grad(3 * expected, logits), rtol=1e-12, atol=1e-15)


def test_maps_in_channels_last_and_float32():
    logits, label, valid = sample()
    last = logits.detach().float().to(memory_format=torch.channels_last).requires_grad_()
    value = binary_cross_entropy_sum(last, label, valid)
    torch.testing.assert_close(value.double(), plain_sum(logits, label, valid), rtol=1e-6, atol=0)
    torch.testing.assert_close(torch.autograd.grad(value, last)[0].double(), torch.autograd.grad(
        plain_sum(logits, label, valid), logits)[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(('options', 'fast'), [
    ({}, True), (dict(class_weight=[1.0] * 5), False), (dict(use_sigmoid=False), False)])
def test_which_losses_use_it(monkeypatch, options, fast):
    calls = []
    monkeypatch.setattr(cross_entropy_loss, 'binary_cross_entropy_sum',
                        lambda *args: calls.append(args) or args[0].sum())
    loss = cross_entropy_loss.CrossEntropyLoss(**{'use_sigmoid': True, **options})
    loss.chunk(torch.randn(1, 5, 2, 3), torch.ones(1, 2, 3, dtype=torch.long), 255, 6)
    assert bool(calls) == fast


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(('source', 'target'), [(5, 23), (64, 512), (1, 9), (9, 1), (23, 5), (7, 8),
                                            (97, 769), (13, 13)])
def test_rows_of_a_chunk_come_from_few_rows(source, target, align_corners):
    x = torch.randn(1, 2, source, 3, dtype=torch.float64)
    rows, columns = resize_matrices(x, (target, 11), align_corners)
    whole = rows @ x @ columns.T
    enlarge = chunked_loss._enlarger(x, (target, 11), align_corners)
    step = max(target // 5, 1)
    for begin in range(0, target, step):
        end = min(begin + step, target)
        band = chunked_loss._source_rows(source, target, begin, end, align_corners)
        torch.testing.assert_close(enlarge(x[:, :, band], begin, end, band), whole[:, :, begin:end])
        assert band.stop - band.start <= (end - begin) * source / target + 5
