"""run_blocks against the blocks called one after another."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvModule
from mmseg.models.utils.conv_blocks import conv_of_parts, run_blocks

BN = dict(type='BN')
KINDS = [
    dict(norm_cfg=BN), dict(norm_cfg=None), dict(norm_cfg=BN, act_cfg=None),
    dict(norm_cfg=BN, order=('conv', 'act', 'norm')), dict(norm_cfg=BN, bias=True),
    dict(norm_cfg=BN, order=('norm', 'conv', 'act')), dict(padding_mode='circular', norm_cfg=BN),
    dict(conv_cfg=dict(type='Conv2dAdaptivePadding'), norm_cfg=BN), dict(norm_cfg=BN, groups=3)]


def build(options, number=3):
    torch.manual_seed(0)
    return nn.Sequential(*(ConvModule(6, 6, 3, padding=1, **options)
                           for _ in range(number))).double()


def parts(*widths):
    torch.manual_seed(1)
    return [torch.randn(2, width, 7, 5, dtype=torch.float64, requires_grad=True)
            for width in widths]


@pytest.mark.parametrize('widths', [(6,), (2, 4), (1, 2, 3)])
@pytest.mark.parametrize('options', KINDS, ids=str)
@pytest.mark.parametrize('recompute', [False, True])
def test_values_and_gradients(options, widths, recompute):
    found = []
    for run in (lambda blocks, given: blocks(torch.cat(given, 1)),
                lambda blocks, given: run_blocks(blocks, given, recompute)):
        blocks, given = build(options), parts(*widths)
        out = run(blocks, given)
        out.square().sum().backward()
        found.append([out, *(x.grad for x in [*given, *blocks.parameters()]),
                      *blocks.buffers()])
    torch.testing.assert_close(*found)


def test_a_single_map_needs_no_list():
    blocks, (x,) = build(KINDS[0], 1), parts(6)
    torch.testing.assert_close(run_blocks(blocks, x), blocks(x))


def test_hooks_of_blocks_are_called():
    blocks, seen = build(KINDS[0]), []
    blocks[1].register_forward_hook(lambda block, args, out: seen.append(out.shape))
    run_blocks(blocks, parts(2, 4))
    assert seen == [(2, 6, 7, 5)]


def test_parts_are_not_copied():
    kept = []
    block, given = build(KINDS[0], 1)[0], parts(2, 4)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.data_ptr()) or x,
                                                  lambda x: x):
        conv_of_parts(block, given)
    assert {x.data_ptr() for x in given} <= set(kept)


def mobile_blocks():
    torch.manual_seed(0)
    return nn.Sequential(
        ConvModule(6, 8, 1, norm_cfg=BN, act_cfg=dict(type='ReLU6')),
        ConvModule(8, 8, 3, padding=1, groups=8, norm_cfg=BN),
        ConvModule(8, 4, 1, norm_cfg=BN, act_cfg=None))


def run_all(made, x, recompute):
    """Number of maps kept for the backward pass; values and gradients."""
    saved = []
    x = x.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        out = run_blocks(made, x, recompute)
    out.square().sum().backward()
    maps = {t.untyped_storage().data_ptr() for t in saved if t.dim() == 4 and len(t) == 2}
    return len(maps), [out, x.grad, *(p.grad for p in made.parameters()), *made.buffers()]


def test_blocks_in_a_row():
    x = torch.randn(2, 6, 9, 7)
    found = [run_all(mobile_blocks(), x, recompute) for recompute in (True, False)]
    assert found[0][0] == 4 < found[1][0]  # the input, and what each convolution gives
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize('change', [
    lambda made: made[1].register_forward_hook(lambda *args: None),
    lambda made: made.__setitem__(1, ConvModule(8, 8, 1, norm_cfg=BN, act_cfg=None)),
    lambda made: made.__setitem__(1, ConvModule(8, 8, 1)),
    lambda made: made.__setitem__(1, ConvModule(8, 8, 1, norm_cfg=BN,
                                                order=('norm', 'conv', 'act')))],
    ids=['hook', 'no activation', 'no norm', 'order'])
def test_blocks_that_are_called(change):
    made, x = mobile_blocks(), torch.randn(2, 6, 5, 5)
    change(made)
    plain = copy.deepcopy(made)
    torch.testing.assert_close(run_all(made, x, True)[1], run_all(plain, x, False)[1])
