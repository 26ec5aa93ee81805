"""What is particular to tin_shift."""
import pytest
import torch

from mmcv_replace.ops import TINShift, tin_shift

from .cases.tin_shift import plain


@pytest.mark.parametrize('dtype', [torch.int8, torch.uint8, torch.int32, torch.int64])
def test_types_of_the_shift(dtype):
    x, shift = torch.rand(2, 4, 6, 5), torch.tensor([[1, 0], [2, 3]])
    x.requires_grad_()
    y = TINShift()(x, shift.to(dtype))
    assert torch.equal(y, plain(x, shift))
    assert torch.equal(*(torch.autograd.grad(z.square().sum(), x)[0]
                         for z in (y, plain(x, shift))))


def test_published_figures():
    """Two groups of a sample in mmcv's test of its kernel for CUDA."""
    x = [[[0.88572276, 0.46422583], [0.13547045, 0.81549376]],
         [[0.57444429, 0.15905505], [0.081158757, 0.81340349]],
         [[0.8198145, 0.05990988], [0.83851069, 0.15194464]],
         [[0.80680406, 0.49327564], [0.75628334, 0.52934098]]]
    moved = [[[0, 0], [0.83851, 0.15194]], [[0.88572, 0.46423], [0.75628, 0.52934]],
             [[0.57444, 0.15906], [0, 0]], [[0.81981, 0.05991], [0, 0]]]
    y = tin_shift(torch.tensor([x]), torch.tensor([[1, -2]], dtype=torch.int32))
    torch.testing.assert_close(y, torch.tensor([moved]), rtol=0, atol=5.1e-6)


def test_values_that_are_moved_out_leave_no_trace():
    x = torch.full((1, 2, 1, 1), float('inf'))
    assert tin_shift(x, torch.tensor([[1]])).flatten().tolist() == [0, float('inf')]


def test_second_derivatives():
    x = torch.rand(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    shift = torch.tensor([[1, -1]])
    assert torch.autograd.gradgradcheck(lambda x: tin_shift(x, shift) ** 3, x)


@pytest.mark.parametrize('shape', [(0, 4, 6, 5), (2, 0, 6, 5), (2, 4, 6, 0)])
def test_empty(shape):
    x = torch.zeros(shape, requires_grad=True)
    y = tin_shift(x, torch.zeros(shape[0], 3, dtype=torch.int32))
    assert y.shape == shape
    y.sum().backward()
    assert x.grad.shape == shape


@pytest.mark.parametrize(('shape', 'shift', 'message'), [
    ((2, 4, 6, 5), torch.zeros(3, 2).int(), '2 samples in input and 3 in shift'),
    ((2, 4, 6, 5), torch.zeros(2, 4).int(), '6 channels .* the 4 groups'),
    ((2, 4, 6, 5), torch.zeros(2, 7).int(), '6 channels .* the 7 groups'),
    ((2, 4, 6, 5), torch.zeros(2, 0).int(), '6 channels .* the 0 groups'),
    ((2, 4, 0, 5), torch.zeros(2, 1).int(), '0 channels .* the 1 groups'),
    ((2, 4, 6, 5), torch.zeros(2, 2), r'in torch.float32; they must be \[N, T, C, H W\]'),
    ((2, 4, 6), torch.zeros(2, 2).int(), r'input of shape \(2, 4, 6\)'),
    ((2, 4, 6, 5), torch.zeros(2).int(), r'shift of shape \(2,\)'),
])
def test_what_does_not_fit(shape, shift, message):
    with pytest.raises(ValueError, match=message):
        tin_shift(torch.zeros(shape), shift)
