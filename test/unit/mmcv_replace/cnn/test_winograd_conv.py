"""Which layers compute by Winograd's algorithm, and when."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvModule, WinogradConv2d, use_winograd
from mmcv_replace.cnn.utils import winograd_conv
from mmcv_replace.cnn.utils.recompute import norm_relu_conv


@pytest.fixture
def counted(monkeypatch):
    """Calls of the algorithm."""
    calls = []
    inner = winograd_conv.winograd_conv2d
    monkeypatch.setattr(winograd_conv, 'winograd_conv2d',
                        lambda *args: calls.append(args) or inner(*args))
    return calls


@pytest.fixture
def small(monkeypatch):
    """Layers that are too small to profit take part."""
    monkeypatch.setattr(winograd_conv, '_LEAST_CHANNELS', 1)
    monkeypatch.setattr(winograd_conv, '_LEAST_PIXELS', 16)


class OwnConv(nn.Conv2d):
    """A convolution with a way of its own."""


@pytest.mark.parametrize(('layer', 'taken'), [
    (nn.Conv2d(512, 512, 3, padding=1), True),
    (nn.Conv2d(2048, 512, 3, padding=4, dilation=4, bias=False), True),
    (nn.Conv2d(256, 256, 3, padding=1), True),
    (nn.Conv2d(128, 128, 3, padding=1), False),
    (nn.Conv2d(512, 512, 1), False),
    (nn.Conv2d(512, 512, 3), False),
    (nn.Conv2d(512, 512, 3, padding='same'), False),
    (nn.Conv2d(512, 512, 3, padding=1, stride=2), False),
    (nn.Conv2d(512, 512, 3, padding=1, groups=2), False),
    (nn.Conv2d(512, 512, 3, padding=2), False),
    (nn.Conv2d(512, 512, 3, padding=1, padding_mode='reflect'), False),
    (nn.ConvTranspose2d(512, 512, 3, padding=1), False),
    (OwnConv(512, 512, 3, padding=1), False)], ids=str)
def test_layers_that_may_profit(layer, taken):
    model = nn.Sequential(layer)
    keys = list(model.state_dict())
    assert use_winograd(model) is model
    assert model[0] is layer
    assert isinstance(layer, WinogradConv2d) == taken
    assert list(model.state_dict()) == keys


def make(**options):
    torch.manual_seed(0)
    return nn.Conv2d(4, 6, 3, **{**dict(padding=1), **options})


@pytest.mark.usefixtures('small')
def test_same_results_hooks_and_copies(counted):
    plain = make(padding=2, dilation=2)
    plain.register_forward_hook(lambda module, args, out: 2 * out)
    ours = use_winograd(copy.deepcopy(plain))
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(ours(x), plain(x))
    torch.testing.assert_close(copy.deepcopy(ours)(x), plain(x))
    assert len(counted) == 2


@pytest.mark.usefixtures('small')
@pytest.mark.parametrize('x', [
    torch.randn(1, 4, 3, 5),  # fewer pixels than _LEAST_PIXELS
    torch.randn(1, 4, 2, 9),  # tiles of 4 rows for 2
    torch.randn(0, 4, 8, 8),
    torch.randn(4, 8, 8)], ids=lambda x: str(tuple(x.shape)))
def test_torchs_own_for_what_would_not_profit(x, counted):
    plain = make()
    torch.testing.assert_close(use_winograd(copy.deepcopy(plain))(x), plain(x))
    assert not counted


def test_a_large_kernel_takes_no_images():
    conv = use_winograd(nn.Conv2d(512, 512, 3, padding=1))
    x = torch.zeros(0, 512, 8, 8, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad.shape == x.shape
    assert not conv.weight.grad.any()


@pytest.mark.usefixtures('small')
def test_torchs_own_in_low_precision(counted):
    plain, x = make(), torch.randn(1, 4, 8, 8)
    ours = use_winograd(copy.deepcopy(plain))
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(ours(x), plain(x))
    assert torch.equal(ours.bfloat16()(x.bfloat16()), plain.bfloat16()(x.bfloat16()))
    assert not counted
    ours.float()(x)
    assert counted


@pytest.mark.usefixtures('small')
def test_torchs_own_in_graphs():
    ours, x = use_winograd(make()), torch.randn(1, 4, 8, 8)
    traced = torch.jit.trace(ours, x, check_trace=False).inlined_graph
    kinds = {node.kind() for node in traced.nodes()}
    assert 'aten::_convolution' in kinds
    assert not kinds & {'aten::matmul', 'aten::mm', 'aten::bmm'}
    exported = torch.export.export(ours, (x,)).graph
    assert [str(node.target) for node in exported.nodes if node.op == 'call_function'] == [
        'aten.conv2d.default']


@pytest.mark.usefixtures('small')
def test_torchs_own_on_accelerators(counted, monkeypatch):
    monkeypatch.setattr(winograd_conv, 'is_asynchronous', lambda device: True)
    use_winograd(make())(torch.randn(1, 4, 8, 8))
    assert not counted


@pytest.mark.usefixtures('small')
@pytest.mark.parametrize('bias', [True, False])
def test_behind_a_recomputed_norm(bias, counted):
    layers = nn.ModuleList([nn.BatchNorm2d(4), nn.ReLU(inplace=True), make(bias=bias)])
    nn.init.normal_(layers[0].weight)
    plain, ours = (copy.deepcopy(layers).double() for _ in range(2))
    use_winograd(ours)
    results = []
    for each in (ours, plain):
        x = torch.randn(2, 4, 8, 8, dtype=torch.float64,
                        generator=torch.Generator().manual_seed(1)).requires_grad_()
        out = norm_relu_conv(*each, x * 1, recompute=True)
        assert 'NormReluConv' in type(out.grad_fn).__name__
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(p.grad for p in each.parameters())])
    assert len(counted) == 1
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.usefixtures('small')
def test_a_module_with_such_a_convolution_is_plain():
    block = ConvModule(4, 6, 3, padding=1, norm_cfg=dict(type='BN'))
    assert use_winograd(block).is_plain
    assert isinstance(block.conv, WinogradConv2d)
