"""Weighted sums of rows and bilinear corners: precision, bounds, odd inputs."""
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmcv_replace.ops import kernels
from mmcv_replace.ops.sampling import bilinear, weighted_rows

from .op_cases import uniform

pytestmark = pytest.mark.usefixtures('either_form')


def gradients(table, index, weight, grad):
    table, weight = table.detach().requires_grad_(), weight.detach().requires_grad_()
    out = weighted_rows.weighted_rows(table, index, weight)
    return torch.autograd.grad(out, (table, weight), grad)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_long_sums_in_low_precision(dtype):
    """A row that is used 4000 times: summed in half precision the gradient would stand still."""
    table, weight = uniform(5, 3).to(dtype), torch.ones(1000, 4, dtype=dtype)
    index = torch.ones(1000, 4, dtype=torch.long)
    grad = (uniform(1000, 3) + 1).to(dtype)
    for_table, _ = gradients(table, index, weight, grad)
    expected = grad.double().sum(0) * 4
    assert for_table.dtype == dtype
    assert not for_table[[0, 2, 3, 4]].any()
    step = {torch.float16: 2 ** -10, torch.bfloat16: 2 ** -7}[dtype]
    assert ((for_table[1].double() - expected).abs() <= step * expected.abs()).all()
    table = table.repeat(1000, 1)
    long = weighted_rows.weighted_rows(table, index.view(1, -1), weight.view(1, -1))
    assert ((long[0].double() - 4000 * table[1].double()).abs() <= step * long[0].abs()).all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16], ids=str)
def test_index_in_32_bits(dtype):
    index = torch.arange(20).view(5, 4) ** 2 % 6
    table, weight, grad = (uniform(*shape).to(dtype) for shape in ((6, 3), (5, 4), (5, 3)))
    assert torch.equal(weighted_rows.weighted_rows(table, index.int(), weight),
                       weighted_rows.weighted_rows(table, index, weight))
    for own, other in zip(gradients(table, index.int(), weight, grad),
                          gradients(table, index, weight, grad), strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize('wanted', [0, 1])
def test_one_gradient_alone(wanted):
    index = torch.arange(20).view(5, 4) % 6
    inputs = [uniform(6, 3), uniform(5, 4)]
    expected = gradients(inputs[0], index, inputs[1], torch.ones(5, 3).double())[wanted]
    leaf = inputs[wanted].requires_grad_()
    weighted_rows.weighted_rows(inputs[0], index, inputs[1]).sum().backward()
    assert torch.equal(leaf.grad, expected)
    assert inputs[1 - wanted].grad is None


def test_same_gradients_every_time():
    table, index, weight = torch.randn(50, 8), torch.randint(0, 50, (400, 16)), torch.rand(400, 16)
    grad = torch.randn(400, 8)
    first, again = (gradients(table, index, weight, grad) for _ in range(2))
    assert all(map(torch.equal, first, again))


@pytest.mark.parametrize(('rows', 'bags', 'count', 'width'), [
    (6, 0, 4, 3), (6, 5, 0, 3), (6, 5, 4, 0), (0, 0, 4, 3), (0, 5, 0, 3), (0, 0, 0, 0)])
def test_nothing_to_sum(rows, bags, count, width):
    table, weight = uniform(rows, width), uniform(bags, count)
    index = torch.zeros(bags, count, dtype=torch.int32)
    out = weighted_rows.weighted_rows(table, index, weight)
    assert torch.equal(out, torch.zeros(bags, width).double())
    grads = gradients(table, index, weight, out)
    assert [x.shape for x in grads] == [table.shape, weight.shape]
    assert not any(x.any() for x in grads)


def test_bags_larger_than_the_table():
    table, index, weight = uniform(2, 3), torch.arange(20).view(4, 5) % 2, uniform(4, 5)
    matrix = torch.zeros(4, 2).double().scatter_add(1, index, weight)
    torch.testing.assert_close(weighted_rows.weighted_rows(table, index, weight), matrix @ table)
    grad = uniform(4, 3, seed=1)
    torch.testing.assert_close(gradients(table, index, weight, grad), (
        matrix.T @ grad, (grad @ table.T).gather(1, index)))


def test_second_derivatives_are_refused():
    table = uniform(6, 3).requires_grad_()
    out = weighted_rows.weighted_rows(table, torch.zeros(5, 4, dtype=torch.int32), uniform(5, 4))
    grad, = torch.autograd.grad(out.square().sum(), table, create_graph=True)
    with pytest.raises(RuntimeError, match='once_differentiable'):
        grad.sum().backward()


def test_not_a_number_stays_where_it_is_used():
    table, index = uniform(6, 3), torch.arange(6).view(3, 2)
    weight = torch.ones(3, 2).double()
    weight[1, 0], table[5, 2] = torch.nan, torch.inf
    out = weighted_rows.weighted_rows(table, index, weight)
    assert torch.equal(out.isnan(), torch.tensor([[0, 0, 0], [1, 1, 1], [0, 0, 0]]).bool())
    assert torch.equal(out.isinf(), torch.tensor([[0, 0, 0], [0, 0, 0], [0, 0, 1]]).bool())


class Sizes(TorchDispatchMode):
    largest = calls = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.largest = max(self.largest, out.numel())
            self.calls += func is torch.ops.aten.index_select.default
        return out


def test_steps(monkeypatch):
    """The plain form selects no more rows at a time than the limit allows, with one result."""
    table, index, weight = uniform(6, 3), torch.arange(80).view(20, 4) % 6, uniform(20, 4)
    whole = gradients(table, index, weight, uniform(20, 3))
    value = weighted_rows.weighted_rows(table, index, weight)
    monkeypatch.setattr(weighted_rows, 'LIMIT', 90)
    with kernels.plain_operators(), Sizes() as sizes:
        parts = gradients(table, index, weight, uniform(20, 3))
        torch.testing.assert_close(weighted_rows.weighted_rows(table, index, weight), value)
    torch.testing.assert_close(parts, whole)
    assert sizes.calls == 9
    assert sizes.largest <= 90


def test_one_step_in_a_graph(monkeypatch):
    """The number of rows is no part of an exported program."""
    monkeypatch.setattr(weighted_rows, 'LIMIT', 90)

    class Sum(torch.nn.Module):
        def forward(self, table, index, weight):
            return weighted_rows.weighted_rows(table, index, weight)

    inputs = uniform(6, 3), torch.arange(80).view(20, 4) % 6, uniform(20, 4)
    rows = torch.export.Dim('rows')
    program = torch.export.export(Sum(), inputs, dynamic_shapes=(None, {0: rows}, {0: rows}))
    table, index, weight = inputs[0], torch.arange(200).view(50, 4) % 6, uniform(50, 4)
    torch.testing.assert_close(program.module()(table, index, weight),
                               weighted_rows.weighted_rows(table, index, weight))


def test_corners_of_maps_of_several_sizes():
    y, x = uniform(3, 40) * 6 + 2, uniform(3, 40, seed=1) * 6 + 2
    sizes = torch.tensor([[4, 5], [1, 7], [6, 1]], dtype=torch.int32)
    index, weight = bilinear.bilinear_corners(y, x, sizes[:, :1], sizes[:, 1:])
    assert index.dtype == torch.int32
    for i, (height, width) in enumerate(sizes.tolist()):
        one = bilinear.bilinear_corners(y[i], x[i], height, width)
        assert torch.equal(index[i], one[0])
        assert torch.equal(weight[i], one[1])
        assert 0 <= one[0].min() <= one[0].max() < height * width


def test_corners_in_a_table_of_more():
    """Pixels at a distance, from a first one on, and a share of each position."""
    y, x = uniform(3, 40) * 6 + 2, uniform(3, 40, seed=1) * 6 + 2
    index, weight = bilinear.bilinear_corners(y, x, 4, 5)
    first, share = torch.tensor([[2], [50], [0]], dtype=torch.int32), uniform(40, seed=2)
    own = bilinear.bilinear_corners(y, x, 4, 5, share, first, 3)
    assert torch.equal(own[0], first.unsqueeze(2) + index * 3)
    torch.testing.assert_close(own[1], weight * share.unsqueeze(1))


@pytest.mark.parametrize('value', [torch.nan, torch.inf, -torch.inf, 1e30, -1e30, -1., 4.])
def test_positions_without_a_pixel(value):
    """One at a distance of a whole pixel has no gradient, as in the compiled operators."""
    for y, x in ((value, 1.), (1., value)):
        y, x = (torch.tensor([v], requires_grad=True) for v in (y, x))
        index, weight = bilinear.bilinear_corners(y, x, 4, 4)
        assert not weight.any()
        assert 0 <= index.min() <= index.max() < 16
        assert not any(g.any() for g in torch.autograd.grad(weight @ torch.arange(1., 5), (y, x)))
