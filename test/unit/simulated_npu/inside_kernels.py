"""torch_npu's own operators in place of the plain ones."""
from unittest import mock

import pytest
import torch
import torch_npu

from mmcv_replace.ops import deform_conv2d, modulated_deform_conv2d
from mmcv_replace.ops.kernels import plain_operators


def draw(*shape):
    return torch.rand(shape).mul_(2).sub_(1).to('npu').requires_grad_()


@pytest.fixture
def called():
    """The vendor's operator, which counts its calls."""
    torch.manual_seed(0)
    real = torch_npu.npu_deformable_conv2d
    with mock.patch.object(torch_npu, 'npu_deformable_conv2d', wraps=real) as counted:
        yield counted


def outcome(function, *given):
    out = function(*given)
    wanted = [x for x in given if isinstance(x, torch.Tensor)]
    return [out, *torch.autograd.grad(out, wanted, torch.ones_like(out).cumsum(-1))]


def compare(function, *given):
    with plain_operators():
        expected = outcome(function, *given)
    for own, other in zip(outcome(function, *given), expected, strict=True):
        torch.testing.assert_close(own.cpu(), other.cpu(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(('groups', 'deform_groups'), [(1, 1), (2, 3)])
def test_deform_conv2d(called, groups, deform_groups):
    compare(deform_conv2d, draw(2, 6, 7, 8), draw(2, 18 * deform_groups, 4, 10),
            draw(4, 6 // groups, 3, 3), (2, 1), (2, 3), (2, 2), groups, deform_groups)
    assert called.call_count == 1


@pytest.mark.parametrize('biased', [True, False])
def test_modulated_deform_conv2d(called, biased):
    compare(modulated_deform_conv2d, draw(1, 4, 5, 6), draw(1, 36, 5, 6), draw(1, 18, 5, 6),
            draw(4, 2, 3, 3), draw(4) if biased else None, 1, 1, 1, 2, 2)
    assert called.call_count == 1


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_16_bits_are_computed_in_float32(called, dtype):
    x, offset, weight = (t.detach().to(dtype) for t in (
        draw(1, 4, 5, 6), draw(1, 18, 5, 6), draw(3, 4, 3, 3)))
    out = deform_conv2d(x, offset, weight, 1, 1)
    assert out.dtype == dtype
    assert called.call_args.args[0].dtype == torch.float32
    exact = deform_conv2d(x.float(), offset.float(), weight.float(), 1, 1)
    assert torch.equal(out.cpu(), exact.to(dtype).cpu())


@pytest.mark.parametrize(('kernel', 'channels'), [((1, 3), 4), ((46, 46), 1), ((32, 32), 64)])
def test_what_the_operator_cannot_takes_the_plain_form(called, kernel, channels):
    """Kernels that are no squares, of more than 2048 points, and columns longer than 65535."""
    points = kernel[0] * kernel[1]
    out = deform_conv2d(draw(1, channels, *kernel), draw(1, 2 * points, 1, 1),
                        draw(1, channels, *kernel))
    assert out.shape == (1, 1, 1, 1)
    assert not called.called
