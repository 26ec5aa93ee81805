import pytest
import torch

from mmcv_replace.ops import PSAMask
from mmcv_replace.ops import psa_mask as module
from mmcv_replace.ops.psa_mask import psa_mask
from mmcv_replace.utils.errors import ArgumentError, ConfigError

from .cases.psa_mask import plain
from .op_cases import uniform


@pytest.mark.parametrize('rows', [1, 2, 4])
@pytest.mark.parametrize('kind', ['collect', 'distribute'])
def test_some_rows_at_a_time(monkeypatch, rows, kind):
    monkeypatch.setattr(module, 'LIMIT', rows * 4 * 2 * 5 * 4 * 4)
    x = uniform(2, 7 * 5, 5, 4).requires_grad_()
    sizes = module._Sizes((7, 5), (5, 4))
    assert [strip.stop - strip.start for strip in sizes.strips(2)] == {
        1: [1] * 5, 2: [2, 2, 1], 4: [3, 2]}[rows]
    found, expected = psa_mask(x, kind, (7, 5)), plain(x, kind, (7, 5))
    assert torch.equal(found, expected)
    weight = uniform(*found.shape, seed=1)
    assert torch.equal(*[torch.autograd.grad(y, x, weight)[0] for y in (found, expected)])


@pytest.mark.parametrize('kind', ['collect', 'distribute'])
def test_gradient_of_the_gradient(kind):
    assert torch.autograd.gradgradcheck(
        lambda x: psa_mask(x, kind, (3, 5)) ** 2, uniform(1, 15, 4, 3).requires_grad_())


def test_the_two_types_are_transposed():
    x = uniform(2, 35, 6, 8)
    collect, distribute = (PSAMask(kind, (5, 7))(x) for kind in ('collect', 'distribute'))
    assert torch.equal(collect.flatten(2).mT, distribute.flatten(2))
    assert torch.equal(psa_mask(x, 0, [5, 7]), collect)
    assert torch.equal(psa_mask(x, 1, (5, 7)), distribute)


@pytest.mark.parametrize('shape', [(0, 9, 4, 3), (2, 9, 0, 3), (2, 9, 4, 0)])
def test_empty_inputs(shape):
    x = torch.rand(shape, requires_grad=True)
    result = PSAMask('collect', 3)(x)
    assert result.shape == (shape[0], shape[2] * shape[3], *shape[2:])
    result.sum().backward()
    assert x.grad.shape == shape


def test_module():
    layer = PSAMask('distribute', mask_size=(3, 5))
    assert repr(layer) == 'PSAMask(psa_type=distribute, mask_size=(3, 5))'
    assert (layer.psa_type, layer.psa_type_enum, layer.mask_size) == ('distribute', 1, (3, 5))
    assert not layer.state_dict()


def test_unknown_type():
    for make in (lambda: PSAMask('gather', 3), lambda: psa_mask(torch.rand(1, 9, 2, 2), 2, 3)):
        with pytest.raises(ConfigError, match='is not one of collect, distribute') as error:
            make()
        assert isinstance(error.value, AssertionError)


@pytest.mark.parametrize('size', [None, 3.0, (3,), (3, 3, 3), '33', (3, None)], ids=repr)
def test_no_size(size):
    layer = PSAMask('collect', size)  # as in mmcv: it is needed by the call
    with pytest.raises(ArgumentError, match='is no size') as error:
        layer(torch.rand(1, 9, 2, 2))
    assert isinstance(error.value, TypeError)


@pytest.mark.parametrize('size', [0, -3, (3, 0)], ids=repr)
def test_size_below_one(size):
    with pytest.raises(ConfigError, match='is below 1'):
        PSAMask('collect', size)(torch.rand(1, 9, 2, 2))


@pytest.mark.parametrize('shape', [(1, 8, 2, 2), (9, 2, 2)], ids=str)
def test_input_that_does_not_fit(shape):
    with pytest.raises(ConfigError, match=r'needs \[N, 9, H, W\]') as error:
        PSAMask('collect', 3)(torch.rand(shape))
    assert isinstance(error.value, AssertionError)
