"""What is particular to SAConv2d, alone and in a ConvModule."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import (
    ConvAWS2d,
    ConvModule,
    build_conv_layer,
    fuse_conv_bn,
    get_model_complexity_info,
    use_winograd,
)
from mmcv_replace.ops import SAConv2d
from mmcv_replace.runner import BaseModule

from .op_cases import uniform

OWN = ['weight', 'bias', 'weight_diff', 'weight_gamma', 'weight_beta', 'switch.weight',
       'switch.bias', 'pre_context.weight', 'pre_context.bias', 'post_context.weight',
       'post_context.bias']
OFFSETS = ['offset_s.weight', 'offset_s.bias', 'offset_l.weight', 'offset_l.bias']
# Norms that mmcv-full 1.7.2 finds: of the result, and of the gradients of its summed squares for
# the input, for weights in the order of their names below, and for those of the offsets.
NAMES = ['weight', 'weight_diff', 'switch.weight', 'pre_context.weight', 'post_context.weight']
MMCV = {
    'plain': (dict(padding=1, stride=2), [
        6.977445971, 23.776385652, 34.991531062, 37.951204851, 30.941429936, 6.863542316,
        6.252506975]),
    'deformable': (dict(padding=2, dilation=2, use_deform=True), [
        6.290643943, 9.18310272, 49.054948181, 42.699112144, 17.239876932, 6.825794027,
        21.017660109, 6.279637209, 3.949021161, 16.221169080, 13.990752469]),
}


def filled(layer):
    """The layer with fixed values in float64."""
    layer = layer.double()
    layer.load_state_dict({name: uniform(*value.shape, seed=i + 1) / 2
                           for i, (name, value) in enumerate(layer.state_dict().items())})
    return layer


def block(**options):
    return ConvModule(4, 6, 3, padding=1, conv_cfg=dict(type='SAC', **options),
                      norm_cfg=dict(type='BN'))


@pytest.mark.parametrize('name', MMCV)
def test_figures_of_mmcv(name):
    options, figures = MMCV[name]
    layer, x = filled(SAConv2d(4, 2, 3, bias=False, **options)), uniform(2, 4, 7, 6)
    y = layer(x.requires_grad_())
    y.square().sum().backward()
    names = NAMES + (OFFSETS if layer.use_deform else [])
    found = [y, x.grad, *(layer.get_parameter(name).grad for name in names)]
    assert [value.norm().item() for value in found] == pytest.approx(figures, rel=1e-8)


@pytest.mark.parametrize('use_deform', [False, True])
def test_names_and_first_values(use_deform):
    layer = SAConv2d(4, 6, 3, stride=2, groups=2, use_deform=use_deform)
    state = layer.state_dict()
    assert list(state) == OWN + (OFFSETS if use_deform else [])
    ones = {'weight_gamma', 'switch.bias'}
    for name in set(state) - {'weight', 'bias'}:
        assert torch.equal(state[name], torch.full_like(state[name], name in ones)), name
    assert state['weight_diff'].shape == (6, 2, 3, 3)
    assert state['switch.weight'].shape == (1, 4, 1, 1)
    if use_deform:
        assert state['offset_l.weight'].shape == (18, 4, 3, 3)
        assert layer.offset_s.stride == (2, 2)


@pytest.mark.parametrize('use_deform', [False, True])
def test_at_first_it_is_the_first_convolution(use_deform):
    layer, x = SAConv2d(4, 6, 3, padding=1, use_deform=use_deform), torch.randn(1, 4, 7, 8)
    plain = ConvAWS2d(4, 6, 3, padding=1, bias=False)
    plain.load_state_dict(layer.state_dict(), strict=False)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-4, atol=1e-5)


def test_weights_of_a_plain_convolution():
    plain, layer = nn.Conv2d(4, 6, 3, padding=1, bias=False), SAConv2d(4, 6, 3, padding=1)
    found = layer.load_state_dict(plain.state_dict(), strict=False)
    assert 'weight_diff' in found.missing_keys
    assert not {'weight', 'weight_gamma', 'weight_beta'} & set(found.missing_keys)
    x = torch.randn(1, 4, 5, 6)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-4, atol=1e-5)


def test_the_bias_has_no_effect_and_the_log_says_so(monkeypatch):
    told = []
    monkeypatch.setattr('mmcv_replace.ops.saconv.warn_once', lambda text, logger: told.append(text))
    layer, x = SAConv2d(2, 3, 3, padding=1), torch.randn(1, 2, 5, 5)
    expected = layer(x)
    nn.init.constant_(layer.bias, 100)
    assert torch.equal(layer(x), expected)
    assert len(told) == 1
    assert 'bias has no effect' in told[0]
    assert SAConv2d(2, 3, 3, bias=False).bias is None
    assert len(told) == 1


def test_of_the_channels_that_the_switch_sees_one_map_is_averaged(monkeypatch):
    shapes = []
    average = F.avg_pool2d
    monkeypatch.setattr(F, 'avg_pool2d',
                        lambda x, *args: shapes.append(tuple(x.shape)) or average(x, *args))
    SAConv2d(8, 3, 3, padding=1, bias=False)(torch.randn(2, 8, 5, 6))
    assert shapes == [(2, 1, 9, 10)]


@pytest.mark.parametrize('stride', [1, 2])
def test_hooks_of_the_switch_see_it(stride):
    layer = filled(SAConv2d(4, 6, 3, padding=1, stride=stride, bias=False))
    x, seen = uniform(1, 4, 7, 8), []
    expected = layer(x)
    handle = layer.switch.register_forward_hook(lambda module, args, output: seen.append(output))
    torch.testing.assert_close(layer(x), expected)
    assert [tuple(switch.shape) for switch in seen] == [(1, 1, *expected.shape[2:])]
    handle.remove()
    layer.switch.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    torch.testing.assert_close(layer(x), expected)
    assert seen[1].shape == x.shape


def test_operations_that_are_counted():
    """Those of the layers inside, as in mmcv: of convolutions by their class alone."""
    flops, params = get_model_complexity_info(
        nn.Sequential(SAConv2d(4, 6, 3, padding=1, bias=False)), (4, 7, 8), False, False)
    assert flops == 7 * 8 * (4 + 1) + 4 * (4 + 1) + 6 * (6 + 1)
    assert params == 2 * 6 * 4 * 9 + (4 + 1) + 4 * (4 + 1) + 6 * (6 + 1)


@pytest.mark.parametrize(('shape', 'result'), [((0, 4, 5, 6), (0, 6, 5, 6)),
                                               ((4, 5, 6), (6, 5, 6))])
def test_no_samples_and_no_batch(shape, result):
    layer = SAConv2d(4, 6, 3, padding=1, bias=False)
    y = layer(torch.zeros(shape))
    assert y.shape == result
    y.sum().backward()
    assert layer.weight.grad.shape == layer.weight.shape


def test_kernels_that_offsets_do_not_fit():
    with pytest.raises(ValueError, match='use_deform=True is for kernel_size=3, .* not for 5'):
        SAConv2d(4, 6, 5, use_deform=True)


def test_paddings_for_which_the_results_differ():
    with pytest.raises(RuntimeError, match=r'results of \(5, 6\) and \(1, 2\) pixels .* padding='):
        SAConv2d(4, 6, 3)(torch.zeros(1, 4, 7, 8))
    assert SAConv2d(4, 6, 1)(torch.zeros(1, 4, 7, 8)).shape == (1, 6, 7, 8)


def test_maps_without_a_mirror():
    layer = SAConv2d(4, 6, 3, padding=1)
    with pytest.raises(RuntimeError, match=r'a map of \(2, 8\) pixels; at least 3'):
        layer(torch.zeros(1, 4, 2, 8))
    assert layer(torch.zeros(1, 4, 3, 3)).shape == (1, 6, 3, 3)


@pytest.mark.parametrize('use_deform', [False, True])
def test_a_step_of_a_conv_module(use_deform):
    model = block(use_deform=use_deform)
    assert type(build_conv_layer(dict(type='SAC'), 4, 6, 3)) is type(model.conv) is SAConv2d
    assert model.conv.bias is None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = {name: value.clone() for name, value in model.named_parameters()}
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(2, 4, 8, 8)).square().mean().backward()
        optimizer.step()
    unmoved = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    # The norm takes away what is added to all pixels.
    assert set(unmoved) <= {'conv.post_context.bias'}


@pytest.mark.parametrize('use_deform', [False, True])
def test_autocast(use_deform):
    layer = filled(SAConv2d(4, 6, 3, padding=1, use_deform=use_deform)).float()
    x = uniform(2, 4, 6, 7).float()
    expected = layer(x)
    with torch.autocast('cpu', torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert (y - expected).abs().max() < 0.05 * expected.abs().max()
    y.float().sum().backward()
    assert all(value.grad.dtype == torch.float32 for name, value in layer.named_parameters()
               if name != 'bias')


def test_the_weight_is_drawn_by_the_layer_itself():
    """As in mmcv: neither a ConvModule nor init_weights of a module around it draws it anew."""
    torch.manual_seed(1)
    alone = SAConv2d(4, 6, 3, bias=False).weight
    torch.manual_seed(1)
    inside = block()
    assert torch.equal(inside.conv.weight, alone)
    outer = BaseModule()
    outer.add_module('conv', inside.conv)
    nn.init.ones_(inside.conv.weight_diff)
    outer.init_weights()
    assert torch.equal(inside.conv.weight, alone)
    assert not inside.conv.weight_diff.any()


def test_no_other_form_takes_its_place():
    model = nn.Sequential(ConvModule(256, 256, 3, padding=1, conv_cfg=dict(
        type='SAC', use_deform=True), norm_cfg=dict(type='BN')))
    kinds = [type(module) for module in model.modules()]
    assert [type(module) for module in use_winograd(model).modules()] == kinds
    assert [type(module) for module in fuse_conv_bn(model.eval()).modules()] == kinds
    assert not model[0].is_plain
