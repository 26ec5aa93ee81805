"""Convolutions with several dilations at once."""
import logging

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn.rfsearch import BaseConvRFSearchOp, Conv2dRFSearchOp
from mmcv_replace.cnn.rfsearch.utils import expand_rates, get_single_padding

CONFIG = dict(exp_rate=0.5, init_alphas=0.01, mmin=1, mmax=24, num_branches=2)


@pytest.mark.parametrize(('dilation', 'options', 'expected'), [
    ((1, 1), {}, [(1, 1), (2, 2)]),
    ((2, 2), {}, [(1, 1), (3, 3)]),
    ((5, 5), {}, [(2, 2), (8, 8)]),
    ((10, 3), {}, [(5, 2), (15, 4)]),
    ((5, 5), dict(exp_rate=0.1), [(4, 4), (6, 6)]),
    ((2, 2), dict(exp_rate=0.1), [(2, 2)]),
    ((20, 20), {}, [(10, 10), (24, 24)]),
    ((3, 3), dict(mmin=2, mmax=4, num_branches=3), [(2, 2), (3, 3), (4, 4)]),
    ((5, 5), dict(num_branches=1), [(5, 5)]),
    ((12, 12), dict(num_branches=4), [(6, 6), (18, 18)]),
    ((12, 12), dict(num_branches=5), [(6, 6), (12, 12), (18, 18)]),
])
def test_dilations_around_one(dilation, options, expected):
    assert expand_rates(dilation, {**CONFIG, **options}) == expected


@pytest.mark.parametrize(('arguments', 'expected'), [
    ((3,), 1), ((3, 1, 2), 2), ((5, 2, 1), 2), ((4, 1, 1), 1), ((4, 2, 3), 5), ((1,), 0)])
def test_padding_that_keeps_the_size(arguments, expected):
    assert get_single_padding(*arguments) == expected


def make(kernel_size=3, num_branches=2, **options):
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, kernel_size, **options)
    return Conv2dRFSearchOp(conv, {**CONFIG, 'num_branches': num_branches})


@pytest.mark.parametrize('options', [{}, dict(stride=2, groups=2), dict(dilation=2, bias=False)])
def test_output_is_the_mean_of_the_branches(options):
    op, x = make(**options), torch.randn(1, 4, 16, 16)
    op.branch_weights.data.copy_(torch.tensor([0.2, -0.6]))
    layer = op.op_layer
    branches = [F.conv2d(x, layer.weight, layer.bias, layer.stride, rate, rate, layer.groups)
                for rate in op.dilation_rates]
    assert len(branches) == 2
    torch.testing.assert_close(op(x), 0.25 * branches[0] + 0.75 * branches[1])
    op.estimate_rates()
    (rate,) = op.dilation_rates
    assert layer.dilation == layer.padding == rate
    torch.testing.assert_close(op(x), layer(x))


@pytest.mark.parametrize(('kernel_size', 'dilation', 'expanded', 'estimated', 'padding'), [
    (3, 1, [(1, 1), (2, 2)], (2, 2), (2, 2)),
    (5, 1, [(1, 1), (2, 2)], (2, 2), (4, 4)),
    (5, (1, 2), [(1, 1), (2, 3)], (2, 2), (4, 4)),
    ((1, 5), 1, [(1, 1), (1, 2)], (1, 2), (0, 4)),
    ((3, 1), (2, 2), [(1, 2), (3, 2)], (2, 2), (2, 0)),
    ((2, 3), 1, [(1, 1), (1, 2)], (1, 2), (0, 2)),
])
def test_a_round_with_equal_weights(kernel_size, dilation, expanded, estimated, padding):
    op = make(kernel_size, dilation=dilation)
    assert op.dilation_rates == expanded
    op.estimate_rates()
    assert op.dilation_rates == [estimated]
    assert op.op_layer.dilation == estimated
    assert op.op_layer.padding == padding


def test_weights_decide_the_dilation_and_begin_anew():
    op = make(dilation=4, num_branches=3)
    weights = op.branch_weights
    assert op.dilation_rates == [(2, 2), (4, 4), (6, 6)]
    weights.data.copy_(torch.tensor([0.1, -0.2, 0.7]))
    op.estimate_rates()
    assert op.dilation_rates == [(5, 5)]
    op.expand_rates()
    assert op.dilation_rates == [(2, 2), (5, 5), (8, 8)]
    assert op.branch_weights is weights
    assert weights.tolist() == pytest.approx([0.01] * 3)


def test_fewer_branches_than_weights():
    op = make(num_branches=3)
    assert op.dilation_rates == [(1, 1), (2, 2)]
    op(torch.randn(1, 4, 8, 8)).sum().backward()
    assert op.branch_weights.grad[:2].all()
    assert op.branch_weights.grad[2] == 0
    op.estimate_rates()
    assert op.dilation_rates == [(2, 2)]  # of 1.5, and 1 with the third weight


def test_state_and_base():
    op = make()
    assert isinstance(op, BaseConvRFSearchOp)
    assert list(op.state_dict()) == ['branch_weights', 'op_layer.weight', 'op_layer.bias']


@pytest.mark.parametrize('verbose', [True, False])
def test_verbose(caplog, verbose):
    logging.getLogger('mmseg').propagate = True
    with caplog.at_level('INFO', logger='mmseg'):
        Conv2dRFSearchOp(nn.Conv2d(1, 1, 3), CONFIG, verbose).estimate_rates()
    assert ('are tried' in caplog.text) is ('is estimated' in caplog.text) is verbose
