"""What is particular to CornerPool."""
import pytest
import torch

from mmcv_replace.ops import CornerPool
from mmcv_replace.ops.corner_pool import doubled_max

from .cases.corner_pool import plain, unequal

TIES = torch.tensor([1., 3, 3, 2, 3, 1]).double()
# Of each element, those of mmcv 1.7.2 for the gradients 1 to 6.
SHARES = {False: [1, 2, 7, 0, 11, 0], True: [0, 3, 3, 0, 9, 6]}
MODES = ('top', 'bottom', 'left', 'right')


def along(values, mode):
    """Values as a map, in the direction of the mode."""
    return values.view((1, 1, 1, -1) if mode in ('left', 'right') else (1, 1, -1, 1))


@pytest.fixture(params=['eager', 'traced'])
def pool(request):
    """pool(mode): the layer, and the form that graphs get."""
    places = {'top': (2, True), 'bottom': (2, False), 'left': (3, True), 'right': (3, False)}
    return CornerPool if request.param == 'eager' else (
        lambda mode: lambda x: doubled_max(x, *places[mode]))


@pytest.mark.parametrize('mode', MODES)
def test_largest_to_the_border(pool, mode):
    x = unequal(1, 2, 4, 6)
    assert torch.equal(pool(mode)(x), plain(mode)(x))


@pytest.mark.parametrize('mode', MODES)
def test_gradient_of_equal_values(pool, mode):
    x = along(TIES, mode).clone().requires_grad_()
    y = pool(mode)(x)
    y.backward(torch.arange(1., 7).double().view(y.shape))
    assert x.grad.flatten().tolist() == SHARES[mode in ('left', 'top')]


@pytest.mark.parametrize('mode', MODES)
def test_what_is_no_number_stays_none(pool, mode):
    x = along(torch.tensor([1., 3, float('nan'), 5]), mode)
    found = pool(mode)(x).flatten().tolist()
    numbers = [value == value for value in found]
    assert numbers == ([False] * 3 + [True] if mode in ('left', 'top') else
                       [True] * 2 + [False] * 2)


@pytest.mark.parametrize('shape', [(0, 2, 3, 4), (1, 0, 3, 4), (1, 2, 0, 4), (1, 2, 3, 0),
                                   (1, 2, 1, 1)])
def test_empty_and_single_pixels(pool, shape):
    for mode in MODES:
        assert torch.equal(pool(mode)(torch.ones(shape)), torch.ones(shape))


def test_export_of_the_older_kind_has_no_cumulative_maximum():
    graph = torch.jit.trace(CornerPool('top'), torch.rand(1, 1, 5, 4), check_trace=False).graph
    assert 'cummax' not in str(graph)


def test_modes():
    assert repr(CornerPool('top')) == "CornerPool(mode='top')"
    with pytest.raises(AssertionError, match="mode='up' is not one of bottom, left, right, top"):
        CornerPool('up')
    with pytest.raises(AssertionError, match=r'shape \(3, 4, 5\) is not \[N, C, H, W\]'):
        CornerPool('top')(torch.zeros(3, 4, 5))
