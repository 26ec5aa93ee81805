"""Focal losses: published figures, far logits, parts, and what is refused."""
import copy

import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.device import DeviceKind
from mmcv_replace.ops import (
    SigmoidFocalLoss,
    SoftmaxFocalLoss,
    focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
)
from mmcv_replace.utils.errors import ArgumentError

LOSSES = {'sigmoid': sigmoid_focal_loss, 'softmax': softmax_focal_loss}
MODULES = {'sigmoid': SigmoidFocalLoss, 'softmax': SoftmaxFocalLoss}
# Of mmcv's tests: logits, classes, and the mean loss with its gradient for gamma 2 and alpha 0.25.
PUBLISHED = [
    ([[1, 0], [0, 1]], [0, 1], {
        'softmax': (0.00566451, [[-0.00657264, 0.00657264], [0.00657264, -0.00657264]]),
        'sigmoid': (0.13562961, [[-0.00657264, 0.11185755], [0.11185755, -0.00657264]])}),
    ([[1, 0, -1], [0, 1, 2]], [2, 1], {
        'softmax': (0.34956908, [[0.10165970, 0.03739851, -0.13905823],
                                 [0.01227554, -0.10298023, 0.09070466]]),
        'sigmoid': (1.10251057, [[0.28808805, 0.11185755, -0.09602935],
                                 [0.11185755, -0.00657264, 0.40376765]])}),
    ([[1e-6, 2e-6, 3e-6], [4e-6, 5e-5, 6e-4], [7e-3, 8e-2, 9e-1]], [1, 2, 0], {
        'softmax': (0.15754992, [[0.02590877, -0.05181759, 0.02590882],
                                 [0.02589641, 0.02589760, -0.05179400],
                                 [-0.07307514, 0.02234372, 0.05073142]]),
        'sigmoid': (0.42287254, [[0.07457182, -0.02485716, 0.07457201],
                                 [0.07457211, 0.07457669, -0.02483728],
                                 [-0.02462499, 0.08277918, 0.18050370]])}),
]


@pytest.fixture(params=LOSSES)
def form(request):
    return request.param


@pytest.fixture
def logits():
    return torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def with_gradient(loss, x, *args):
    x = x.detach().requires_grad_()
    y = loss(x, *args)
    y.sum().backward()
    return y.detach(), x.grad


@pytest.mark.parametrize(('logits', 'target', 'expected'), PUBLISHED)
def test_published_figures(form, logits, target, expected):
    value, slopes = expected[form]
    loss = MODULES[form](2.0, 0.25)
    found = with_gradient(loss, torch.tensor(logits, dtype=torch.float32), torch.tensor(target))
    torch.testing.assert_close(found[0].item(), value, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(found[1], torch.tensor(slopes), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_far_logits(dtype, gamma):
    """Where p or 1 - p rounds to 0, terms and gradients are those of exact arithmetic."""
    x = torch.tensor([[40., -40., 90.], [-90., 20., -20.]]).to(dtype)
    target = torch.tensor([0, 2])
    for loss in LOSSES.values():
        args = (target, gamma, 0.25, None, 'sum')
        value, slope = with_gradient(loss, x, *args)
        exact = with_gradient(loss, x.double(), *args)
        steps = torch.finfo(dtype).eps
        assert value.dtype == slope.dtype == dtype
        torch.testing.assert_close(value.double(), exact[0], rtol=8 * steps, atol=0)
        torch.testing.assert_close(slope.double(), exact[1], rtol=8 * steps, atol=1e-7)
    assert with_gradient(sigmoid_focal_loss, x, *args)[0] > 0.75 * 90


def test_gamma_zero_is_cross_entropy(logits):
    target = torch.tensor([0, 1, 2, 3, 3, 1, 0])
    weight = torch.tensor([1., 2, 3, 4], dtype=torch.float64)
    found = softmax_focal_loss(logits, target, 0, 1, weight, 'sum')
    torch.testing.assert_close(found, F.cross_entropy(logits, target, weight, reduction='sum'))
    found = sigmoid_focal_loss(logits, target, 0, 0.5, None, 'none')
    torch.testing.assert_close(2 * found, F.binary_cross_entropy_with_logits(
        logits, F.one_hot(target, 4).double(), reduction='none'))


def test_where_there_is_no_class(logits, form):
    """-1 has neither a weight nor a class, and for the sigmoid 4 and 255 have none either."""
    weight = torch.tensor([2., 3, 5, 7], dtype=torch.float64)
    value, slope = with_gradient(LOSSES[form], logits[:1], torch.tensor([-1]), 2.0, 0.25, weight)
    if form == 'softmax':
        assert value == 0
        assert not slope.any()
        with pytest.raises(RuntimeError, match='out of bounds'):
            softmax_focal_loss(logits[:1], torch.tensor([4]))
        return
    p = logits[0].sigmoid()
    torch.testing.assert_close(value, (-0.75 * p ** 2 * (1 - p).log()).sum())
    for none in (4, 255):
        assert value == sigmoid_focal_loss(logits[:1], torch.tensor([none]), weight=weight)


@pytest.mark.parametrize('shape', [(30, 4), (3, 4, 5, 6), (30, 4, 1, 1), (1, 4, 50)])
@pytest.mark.parametrize('reduction', focal_loss.REDUCTIONS)
@pytest.mark.parametrize('dtype', [torch.float64, torch.float16])
def test_parts_are_one_whole(monkeypatch, form, shape, reduction, dtype):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    target = torch.arange(x[:, 0].numel()).view(x[:, 0].shape) % 5 - 1
    weight = torch.tensor([1., 2, 3, 4])
    args = (target, 2.0, 0.25, weight, reduction)
    whole = with_gradient(LOSSES[form], x, *args)
    monkeypatch.setattr(focal_loss, 'FEW', 8)
    flat = x.flatten(2) if x.dim() > 2 else x
    assert len(focal_loss._places(flat)) >= 14
    parts = with_gradient(LOSSES[form], x, *args)
    for own, other in zip(parts, whole, strict=True):
        torch.testing.assert_close(own, other, rtol=None if dtype == torch.float64 else 2e-3,
                                   atol=None if dtype == torch.float64 else 1e-6)


@pytest.mark.parametrize('reduction', focal_loss.REDUCTIONS)
def test_no_samples(form, reduction):
    value, slope = with_gradient(LOSSES[form], torch.ones(0, 3), torch.ones(0).long(), 2.0, 0.25,
                                 torch.ones(3), reduction)
    assert slope.shape == (0, 3)
    shape = (0, 3) if form == 'sigmoid' else (0,)
    assert value.shape == (shape if reduction == 'none' else ())
    assert not value.any()


def test_mean_of_half_numbers_does_not_overflow(form):
    """The sum over all places is beyond float16, the mean is not; slopes are not rounded to 0."""
    x = torch.zeros(2 ** 17, 8, dtype=torch.float16)
    x[:, 0] = -16
    value, slope = with_gradient(LOSSES[form], x, torch.zeros(len(x)).long(), 2.0, 0.25)
    exact = with_gradient(LOSSES[form], x.float(), torch.zeros(len(x)).long(), 2.0, 0.25)
    torch.testing.assert_close(value.float(), exact[0], rtol=1e-3, atol=0)
    assert len(x) * value > torch.finfo(torch.float16).max
    torch.testing.assert_close(slope.float(), exact[1], rtol=0, atol=2 ** -25)


def test_modules(form, logits):
    target = torch.tensor([0, 1, 2, 3, 3, 1, 0])
    weight = torch.tensor([1., 2, 3, 4], dtype=torch.float64)
    module = MODULES[form](1.5, 0.5, weight, 'sum')
    expected = LOSSES[form](logits, target, 1.5, 0.5, weight, 'sum')
    assert torch.equal(module(logits, target), expected)
    assert list(module.state_dict()) == ['weight']
    assert torch.equal(copy.deepcopy(module)(logits, target), module(logits, target))
    assert list(MODULES[form](2.0, 0.25).state_dict()) == []
    name = form.capitalize()
    assert repr(module) == f'{name}FocalLoss(gamma=1.5, alpha=0.5, reduction=sum)'


@pytest.mark.parametrize(('change', 'message'), [
    (dict(target=torch.zeros(6).long()), r'target \[6\] does not fit the input \[7, 4\]'),
    (dict(target=torch.zeros(7, 1).long()), r'target \[7, 1\] does not fit'),
    (dict(input=torch.zeros(7)), r'does not fit the input \[7\]'),
    (dict(target=torch.zeros(7).int()), 'target is torch.int32: give the numbers of classes'),
    (dict(weight=torch.ones(3)), r'weight \[3\] does not fit 4 classes'),
    (dict(weight=torch.ones(1, 4)), r'weight \[1, 4\] does not fit 4 classes'),
    (dict(reduction='max'), r"reduction='max' is not known: use one of \('none', 'mean', 'sum'\)"),
])
def test_refused(form, logits, change, message):
    with pytest.raises(ArgumentError, match=message) as error:
        LOSSES[form](**{'input': logits, 'target': torch.zeros(7).long(), **change})
    assert isinstance(error.value, AssertionError)


def test_parts_where_kernels_are_started(monkeypatch):
    """On a device that is told to start kernels they are larger."""
    monkeypatch.setattr(focal_loss, 'kind_of', lambda device: DeviceKind(
        device.type, backend='b', asynchronous=device.type == 'meta'))
    monkeypatch.setattr(focal_loss, 'FEW', 2 ** 10)
    monkeypatch.setattr(focal_loss, 'FEW_FOR_KERNELS', 2 ** 12)
    counts = [[len(focal_loss._places(torch.empty(rows, 4, device=device)))
               for rows in (2 ** 8, 2 ** 10, 2 ** 11, 2 ** 14)] for device in ('cpu', 'meta')]
    assert counts == [[1, 4, 8, 16], [1, 1, 2, 16]]
