"""What is particular to the cells that merge maps."""
import inspect
from itertools import product

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvAWS2d
from mmcv_replace.ops import BaseMergeCell, ConcatCell, GlobalPoolingCell, SumCell

from .cases.merge_cells import bilinear, nearest, resized

SIZES = [(6, 6), (3, 3), (4, 7), (7, 2), (12, 3), (5, 18)]
GROW = dict(nearest=nearest, bilinear=bilinear)


@pytest.mark.parametrize('mode', GROW)
@pytest.mark.parametrize(('old', 'new'), [*product(SIZES, SIZES)])
def test_resize(mode, old, new):
    """Also where a map is higher and narrower than the other: heights decide."""
    x = torch.randn(1, 2, *old).double()
    found = BaseMergeCell(upsample_mode=mode)._resize(x, new)
    torch.testing.assert_close(found, resized(x, new, GROW[mode]))


@pytest.mark.parametrize(('first', 'second', 'result'), [
    ((4, 4), (8, 8), (8, 8)), ((8, 8), (4, 4), (8, 8)), ((4, 9), (5, 2), (5, 2)),
    ((4, 9), (4, 3), (4, 9))])
def test_the_larger_size_is_that_of_the_result(first, second, result):
    cell = SumCell(2, 2, with_out_conv=False)
    assert cell(torch.zeros(1, 2, *first), torch.zeros(1, 2, *second)).shape == (1, 2, *result)


def test_zeros_around_a_map_that_does_not_divide():
    """They are larger than negative values."""
    cell = SumCell(1, 1, with_out_conv=False)
    x = torch.full((1, 1, 5, 4), -1.)
    assert cell(x, torch.zeros(1, 1, 2, 2), (2, 2)).tolist() == [[[[-1, -1], [0, 0]]]]


@pytest.mark.parametrize('out_size', [(6, 8), [6, 8], torch.Size([6, 8])])
def test_kinds_of_sizes(out_size):
    cell, x = SumCell(2, 2, with_out_conv=False), torch.rand(1, 2, 6, 8)
    assert torch.equal(cell(x, x, out_size), x + x)


@pytest.mark.parametrize(('build', 'names'), [
    (lambda: SumCell(4, 6), {'out_conv.conv.weight': (6, 4, 3, 3), 'out_conv.conv.bias': (6,)}),
    (lambda: ConcatCell(4, 6, out_conv_cfg=dict(kernel_size=1, groups=2)),
     {'out_conv.conv.weight': (6, 4, 1, 1), 'out_conv.conv.bias': (6,)}),
    (lambda: GlobalPoolingCell(4, 4, with_out_conv=False, with_input2_conv=True),
     {'input2_conv.conv.weight': (4, 4, 3, 3), 'input2_conv.conv.bias': (4,)}),
    (lambda: SumCell(8, 4, with_out_conv=False, with_input1_conv=True, with_input2_conv=True,
                     input_norm_cfg=dict(type='GN', num_groups=2)),
     {f'input{i}_conv.{name}': shape for i in (1, 2) for name, shape in {
         'conv.weight': (4, 4, 3, 3), 'conv.bias': (4,), 'gn.weight': (4,), 'gn.bias': (4,)
     }.items()}),
    (lambda: GlobalPoolingCell(with_out_conv=False), {}),
])
def test_names_and_shapes_of_the_weights(build, names):
    assert {name: tuple(value.shape) for name, value in build().state_dict().items()} == names


def test_configs_of_the_convolutions():
    cell = SumCell(4, 4, with_input1_conv=True, input_conv_cfg=dict(type='ConvAWS'),
                   out_norm_cfg=dict(type='GN', num_groups=2),
                   out_conv_order=('conv', 'norm', 'act'))
    assert type(cell.input1_conv.conv) is ConvAWS2d
    assert isinstance(cell.out_conv.norm, nn.GroupNorm)
    assert cell.out_conv.order == ('conv', 'norm', 'act')
    assert SumCell(4, 4).out_conv.order == ('act', 'conv', 'norm')


def test_the_inputs_stay():
    """The activation of the last convolution works in place."""
    x1, x2 = -torch.rand(1, 2, 4, 4), -torch.rand(1, 2, 4, 4)
    kept = x1.clone(), x2.clone()
    for kind in (SumCell, ConcatCell, GlobalPoolingCell):
        kind(2, 2)(x1, x2)
        assert torch.equal(x1, kept[0])
        assert torch.equal(x2, kept[1])


def test_cells_of_users():
    class Product(BaseMergeCell):
        def _binary_op(self, x1, x2):
            return x1 * x2

    x1, x2 = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 2, 2)
    cell = Product(2, 2, with_out_conv=False)
    torch.testing.assert_close(cell(x1, x2), x1 * nearest(x2, 4, 4))
    with pytest.raises(NotImplementedError, match='BaseMergeCell has no _binary_op'):
        BaseMergeCell(2, 2)(x1, x2)


def test_parameters_and_defaults():
    defaults = {name: value.default for name, value in
                inspect.signature(BaseMergeCell).parameters.items()}
    assert defaults == dict(
        fused_channels=256, out_channels=256, with_out_conv=True,
        out_conv_cfg=dict(groups=1, kernel_size=3, padding=1, bias=True), out_norm_cfg=None,
        out_conv_order=('act', 'conv', 'norm'), with_input1_conv=False, with_input2_conv=False,
        input_conv_cfg=None, input_norm_cfg=None, upsample_mode='nearest')


def test_unknown_ways_to_grow():
    with pytest.raises(AssertionError, match="upsample_mode='cubic' is not one of nearest, biline"):
        SumCell(2, 2, upsample_mode='cubic')


@pytest.mark.parametrize('options', [{}, dict(in_channels=4),
                                     dict(with_out_conv=False, with_input1_conv=True)])
def test_convolutions_without_channels(options):
    with pytest.raises(TypeError, match='GlobalPoolingCell: its convolutions need in_channels and'):
        GlobalPoolingCell(**options)


@pytest.mark.parametrize('shape', [(1, 3, 4, 4), (2, 2, 4, 4)])
def test_inputs_that_do_not_fit(shape):
    with pytest.raises(AssertionError, match='differ in their batches or channels'):
        SumCell(2, 2)(torch.zeros(1, 2, 4, 4), torch.zeros(shape))


@pytest.mark.parametrize('size', [(4,), 4, (0, 3)])
def test_sizes_of_another_length(size):
    x = torch.zeros(1, 2, 4, 4)
    with pytest.raises(AssertionError, match=r'out_size=.* must be a height and a width, from 1'):
        SumCell(2, 2)(x, x, size)
