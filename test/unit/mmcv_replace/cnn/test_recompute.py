"""Norm, ReLU and convolution that keep one map less: same results, same gradients."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import HSwish
from mmcv_replace.cnn.utils.prelu import host_prelu
from mmcv_replace.cnn.utils.recompute import norm_prelu, norm_relu_conv
from mmcv_replace.cnn.utils.sync_bn import BatchNormXd


def layers(norm=nn.BatchNorm2d, dtype=torch.float32, **conv):
    torch.manual_seed(0)
    conv = {**dict(kernel_size=3, padding=1, bias=False), **conv}
    made = nn.ModuleList([norm(6), nn.ReLU(inplace=True), nn.Conv2d(6, 4, **conv)]).to(dtype)
    nn.init.normal_(made[0].weight)
    nn.init.normal_(made[0].bias)
    return made.train()


def run(made, x, recompute, **autocast):
    x = x.clone().requires_grad_()
    with torch.autocast('cpu', torch.bfloat16, enabled=bool(autocast)):
        # The stem of the graph, as in a network: the maps are no leaves.
        out = norm_relu_conv(*made, x * 1, recompute)
    out.float().square().sum().backward()
    return [out.detach(), x.grad, *(p.grad for p in made.parameters()),
            *(b.clone() for b in made.buffers())]


CASES = [{}, dict(bias=True), dict(stride=2, dilation=2, padding=2), dict(groups=2),
         dict(kernel_size=1, padding=0), dict(norm=BatchNormXd)]


@pytest.mark.parametrize('options', CASES, ids=str)
def test_equal_to_the_last_bit(options):
    made = layers(**options)
    x = torch.randn(2, 6, 9, 7)
    for found, expected in zip(run(copy.deepcopy(made), x, True), run(made, x, False),
                               strict=True):
        assert torch.equal(found, expected)


def test_gradient_by_finite_differences():
    made = layers(dtype=torch.float64)
    x = torch.randn(2, 6, 4, 4, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x: norm_relu_conv(*made, x, True), x)


def test_autocast_and_channels_last():
    x = torch.randn(2, 6, 9, 7).to(memory_format=torch.channels_last)
    made = layers(bias=True)
    for found, expected in zip(run(copy.deepcopy(made), x, True, on=True),
                               run(made, x, False, on=True), strict=True):
        torch.testing.assert_close(found, expected)


def kept(recompute, made, x):
    """Shapes of what is kept for backward."""
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        norm_relu_conv(*made, x, recompute)
    return {t.untyped_storage().data_ptr() for t in saved if t.dim() == 4 and t.shape[0] == 2}


def test_one_map_less_is_kept():
    made, x = layers(), torch.randn(2, 6, 9, 7, requires_grad=True)
    assert len(kept(True, made, x)) == 1
    assert len(kept(False, made, x)) == 2


def test_frozen_parts_get_no_gradient():
    for frozen in (0, 2):
        made = layers()
        made[frozen].requires_grad_(False)
        run(made, torch.randn(2, 6, 5, 5), True)
        assert [p.grad is None for p in made[frozen].parameters()] == [True] * len(
            list(made[frozen].parameters()))
        assert made[2 - frozen].weight.grad is not None


@pytest.mark.parametrize('change', [
    lambda made: made.eval(),
    lambda made: made.__setitem__(0, nn.GroupNorm(2, 6)),
    lambda made: made.__setitem__(1, nn.LeakyReLU()),
    lambda made: made.__setitem__(2, nn.Conv2d(6, 4, 3, padding_mode='circular', padding=1)),
    lambda made: made.__setitem__(2, nn.Conv2d(6, 4, 3, padding='same')),
    lambda made: made[2].register_forward_hook(lambda *args: None)],
    ids=['eval', 'other norm', 'other activation', 'padding mode', 'named padding', 'hook'])
def test_other_layers_are_called_as_they_are(change):
    made, x = layers(), torch.randn(2, 6, 5, 5, requires_grad=True)
    change(made)
    plain = copy.deepcopy(made)
    out = norm_relu_conv(*made, x, True)
    assert 'NormReluConv' not in type(out.grad_fn).__name__
    torch.testing.assert_close(out, plain[2](plain[1](plain[0](x))))


@pytest.mark.parametrize('act', [nn.ReLU6(), nn.ReLU6(inplace=True), nn.Hardtanh(-1.0, 2.0),
                                 HSwish()], ids=lambda act: type(act).__name__)
def test_other_activations(act):
    made = layers()
    made[1] = act
    x = 5 * torch.randn(2, 6, 9, 7)
    for found, expected in zip(run(copy.deepcopy(made), x, True), run(made, x, False),
                               strict=True):
        assert torch.equal(found, expected)
    assert len(kept(True, made, x.requires_grad_())) == 1


@pytest.mark.parametrize('prepare', [lambda layer: layer, host_prelu], ids=['own', 'host'])
def test_prelu_behind_a_norm(prepare):
    found, number, saved = [], [], []
    for recompute in (True, False):
        torch.manual_seed(0)
        saved.clear()
        norm, prelu = nn.BatchNorm2d(6).double(), prepare(nn.PReLU(6).double())
        x = torch.randn(2, 6, 5, 4, dtype=torch.float64, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t,
                                                      lambda t: t):
            out = norm_prelu(norm, prelu, x, recompute)
        number.append(sum(t.dim() == 4 for t in saved))
        (out * torch.arange(6).view(6, 1, 1)).square().sum().backward()
        found.append([out.detach(), x.grad, norm.weight.grad, norm.bias.grad, prelu.weight.grad,
                      norm.running_var, norm.num_batches_tracked])
    torch.testing.assert_close(*found)
    assert number[0] == 1 < number[1]
    norm.eval()
    torch.testing.assert_close(norm_prelu(norm, nn.Tanh(), x, True), norm(x).tanh())
