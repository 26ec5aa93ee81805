"""Layers by name."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcv_replace import ops
from mmcv_replace.cnn import (
    CONV_LAYERS,
    NORM_LAYERS,
    PLUGIN_LAYERS,
    Conv2dAdaptivePadding,
    Linear,
    Scale,
    build_activation_layer,
    build_conv_layer,
    build_norm_layer,
    build_padding_layer,
    build_plugin_layer,
    build_upsample_layer,
    is_norm,
)
from mmcv_replace.cnn.bricks import wrappers
from mmcv_replace.cnn.bricks.norm import infer_abbr
from mmcv_replace.cnn.bricks.plugin import infer_abbr as infer_plugin_abbr
from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import ArgumentError, ConfigError, RegistryError


@pytest.fixture
def registered():
    """Register a class in a registry for one test."""
    added = []

    def register(registry, cls):
        registry.register_module(module=cls)
        added.append((registry, cls.__name__))
        return cls

    yield register
    for registry, name in added:
        del registry.module_dict[name]


@pytest.mark.parametrize(('cfg', 'cls'), [
    (None, nn.Conv2d), (dict(type='Conv'), nn.Conv2d), (dict(type='Conv2d'), nn.Conv2d),
    (dict(type='Conv1d'), nn.Conv1d), (dict(type='Conv3d'), nn.Conv3d),
    (dict(type='deconv'), nn.ConvTranspose2d), (dict(type='ConvTranspose2d'), nn.ConvTranspose2d),
    (dict(type='deconv3d'), nn.ConvTranspose3d), (dict(type='ConvTranspose3d'), nn.ConvTranspose3d),
    (dict(type=nn.ConvTranspose2d), nn.ConvTranspose2d)])
def test_conv_layers(cfg, cls):
    layer = build_conv_layer(cfg, 2, 3, kernel_size=3, bias=False)
    assert type(layer) is cls
    assert layer.bias is None


def test_options_of_the_config_reach_the_convolution():
    cfg = dict(type='Conv2d', padding_mode='reflect')
    assert build_conv_layer(cfg, 2, 3, 3).padding_mode == 'reflect'
    assert cfg == dict(type='Conv2d', padding_mode='reflect')


@pytest.mark.parametrize(('kind', 'cls', 'abbr'), [
    ('BN', nn.BatchNorm2d, 'bn'), ('BN1d', nn.BatchNorm1d, 'bn'), ('BN2d', nn.BatchNorm2d, 'bn'),
    ('BN3d', nn.BatchNorm3d, 'bn'), ('SyncBN', nn.SyncBatchNorm, 'bn'),
    ('MMSyncBN', nn.SyncBatchNorm, 'bn'),
    ('LN', nn.LayerNorm, 'ln'), ('IN', nn.InstanceNorm2d, 'in'),
    ('IN1d', nn.InstanceNorm1d, 'in'), ('IN2d', nn.InstanceNorm2d, 'in'),
    ('IN3d', nn.InstanceNorm3d, 'in')])
def test_norm_layers(kind, cls, abbr):
    name, layer = build_norm_layer(dict(type=kind), 6, postfix=2)
    assert type(layer) is cls
    assert name == f'{abbr}2'
    assert layer.eps == 1e-5
    assert is_norm(layer)
    assert build_norm_layer(dict(type=kind, eps=1e-3), 6)[0] == abbr


def test_group_norm():
    name, layer = build_norm_layer(dict(type='GN', num_groups=3, eps=1e-4), 6)
    assert name == 'gn'
    assert (layer.num_groups, layer.num_channels, layer.eps) == (3, 6, 1e-4)
    with pytest.raises(ConfigError, match='lacks num_groups'):
        build_norm_layer(dict(type='GN'), 6)


@pytest.mark.parametrize('trained', [True, False])
def test_norm_without_gradients(trained):
    _, layer = build_norm_layer(dict(type='BN', requires_grad=trained), 6)
    assert all(param.requires_grad is trained for param in layer.parameters())


def test_names_of_foreign_norms(registered):
    class FancyGroupThing(nn.Module):
        def __init__(self, num_features, eps):
            super().__init__()

    class Named(FancyGroupThing):
        _abbr_ = 'nm'

    class Odd(nn.Module):
        pass

    registered(NORM_LAYERS, FancyGroupThing)
    assert build_norm_layer(dict(type='FancyGroupThing'), 4, 1)[0] == 'gn1'
    assert infer_abbr(Named) == 'nm'
    assert infer_abbr(Odd) == 'norm_layer'
    assert not is_norm(Odd())
    for find in (infer_abbr, infer_plugin_abbr):
        with pytest.raises(TypeError, match="infer_abbr needs a class, got 'BN'"):
            find('BN')


@pytest.mark.parametrize(('cfg', 'reference'), [
    (dict(type='ReLU'), F.relu),
    (dict(type='LeakyReLU', negative_slope=0.3), lambda x: torch.where(x < 0, 0.3 * x, x)),
    (dict(type='ReLU6'), lambda x: x.clamp(0, 6)),
    (dict(type='ELU'), lambda x: torch.where(x < 0, x.exp() - 1, x)),
    (dict(type='Sigmoid'), lambda x: 1 / (1 + (-x).exp())),
    (dict(type='Tanh'), torch.tanh),
    (dict(type='GELU'), lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5))),
    (dict(type='Clip'), lambda x: x.clamp(-1, 1)),
    (dict(type='Clamp', min=0, max=2), lambda x: x.clamp(0, 2)),
    (dict(type='HSigmoid'), lambda x: ((x + 3) / 6).clamp(0, 1)),
    (dict(type='HSigmoid', bias=1.0, divisor=2.0, min_value=0.1, max_value=0.8),
     lambda x: ((x + 1) / 2).clamp(0.1, 0.8)),
    (dict(type='HSwish'), lambda x: x * (x + 3).clamp(0, 6) / 6),
    (dict(type='HSwish', inplace=True), lambda x: x * (x + 3).clamp(0, 6) / 6),
    (dict(type='Swish'), lambda x: x / (1 + (-x).exp())),
    (dict(type='SiLU'), lambda x: x / (1 + (-x).exp())),
])
def test_activations(cfg, reference):
    x = torch.linspace(-8, 8, 33, dtype=torch.float64)
    torch.testing.assert_close(build_activation_layer(cfg)(x.clone()), reference(x))


def test_hard_activations():
    with pytest.raises(AssertionError, match='divisor=0'):
        build_activation_layer(dict(type='HSigmoid', divisor=0))
    assert [build_activation_layer(dict(type='HSwish', inplace=flag)).act.inplace
            for flag in (False, True)] == [False, True]


@pytest.mark.parametrize(('kind', 'formula'), [
    ('Swish', lambda x: x * torch.sigmoid(x)), ('HSwish', lambda x: x * F.relu6(x + 3) / 6)])
def test_activations_that_round_as_their_formula(kind, formula):
    x = torch.randn(1000)
    assert torch.equal(build_activation_layer(dict(type=kind))(x), formula(x))


def test_learnable_and_random_activations_exist():
    assert len(list(build_activation_layer(dict(type='PReLU')).parameters())) == 1
    assert isinstance(build_activation_layer(dict(type='RReLU')), nn.RReLU)


@pytest.mark.parametrize(('kind', 'mode'), [
    ('zero', 'constant'), ('reflect', 'reflect'), ('replicate', 'replicate')])
def test_padding_layers(kind, mode):
    x = torch.randn(1, 2, 4, 5)
    padded = build_padding_layer(dict(type=kind), 2)(x)
    torch.testing.assert_close(padded, F.pad(x, (2, 2, 2, 2), mode=mode))


def test_upsample_layers():
    x = torch.randn(1, 4, 3, 3)
    nearest = build_upsample_layer(dict(type='nearest', scale_factor=2))
    torch.testing.assert_close(nearest(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    cfg = dict(type='bilinear', align_corners=True)
    bilinear = build_upsample_layer(cfg, scale_factor=2)
    assert cfg == dict(type='bilinear', align_corners=True)
    torch.testing.assert_close(
        bilinear(x), F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True))
    deconv = build_upsample_layer(dict(type='deconv'), 4, 2, kernel_size=2, stride=2)
    assert deconv(x).shape == (1, 2, 6, 6)
    deconv = build_upsample_layer(dict(type='deconv3d'), 4, 2, kernel_size=2, stride=2)
    assert deconv(x.unsqueeze(2)).shape == (1, 2, 2, 6, 6)


def test_pixel_shuffle_puts_channels_side_by_side():
    layer = build_upsample_layer(dict(type='pixel_shuffle', in_channels=2, out_channels=1,
                                      scale_factor=2, upsample_kernel=3))
    x = torch.randn(1, 2, 3, 3)
    wide = layer.upsample_conv(x)
    out = layer(x)
    for row in range(2):
        for col in range(2):
            torch.testing.assert_close(out[0, 0, row::2, col::2], wide[0, 2 * row + col])
    bound = (6 / (2 * 9 + 4 * 9)) ** 0.5
    assert layer.upsample_conv.weight.abs().max() <= bound
    assert layer.upsample_conv.bias.eq(0).all()


@pytest.mark.parametrize('size', [(7, 8), (8, 7), (5, 5)])
@pytest.mark.parametrize(('stride', 'dilation'), [(1, 1), (2, 1), (2, 2), (3, 1)])
def test_adaptive_padding(size, stride, dilation):
    layer = build_conv_layer(dict(type='Conv2dAdaptivePadding'), 2, 3, 3, stride=stride,
                             padding=9, dilation=dilation)
    assert isinstance(layer, Conv2dAdaptivePadding)
    x = torch.randn(1, 2, *size)
    out = layer(x)
    assert out.shape[2:] == tuple(-(-side // stride) for side in size)
    # Of an odd amount of padding the larger half lies below and to the right.
    pads = []
    for side in reversed(size):
        total = max((-(-side // stride) - 1) * stride + 2 * dilation + 1 - side, 0)
        pads += [total // 2, total - total // 2]
    expected = F.conv2d(F.pad(x, pads), layer.weight, layer.bias, stride, 0, dilation)
    torch.testing.assert_close(out, expected)


def test_scale_learns():
    layer = Scale(2)
    x = torch.ones(3, requires_grad=True)
    layer(x).sum().backward()
    assert layer.scale.grad.item() == 3
    assert x.grad.tolist() == [2, 2, 2]
    assert list(layer.state_dict()) == ['scale']


def test_wrappers_accept_an_empty_batch():
    assert Linear(3, 4)(torch.zeros(0, 3)).shape == (0, 4)


def test_layers_of_users_know_the_version_of_torch(monkeypatch):
    assert '.'.join(map(str, wrappers.TORCH_VERSION)) == '.'.join(torch.__version__.split('.')[:2])
    monkeypatch.setattr('mmcv_replace.cnn.bricks.wrappers.TORCH_VERSION', (1, 4))
    assert wrappers.MaxPool2d(2)(torch.zeros(0, 3, 4, 4)).shape == (0, 3, 2, 2)


def test_plugins(registered):
    class HTMLGateBlock(nn.Module):
        def __init__(self, in_channels, ratio=1):
            super().__init__()
            self.sizes = (in_channels, ratio)

    registered(PLUGIN_LAYERS, HTMLGateBlock)
    name, layer = build_plugin_layer(dict(type='HTMLGateBlock', ratio=4), '_x', in_channels=8)
    assert name == 'html_gate_block_x'
    assert layer.sizes == (8, 4)

    class Short(HTMLGateBlock):
        _abbr_ = 'sh'

    assert infer_plugin_abbr(Short) == 'sh'


def test_norms_that_do_not_count():
    norm = nn.BatchNorm2d(3)
    assert is_norm(norm, exclude=nn.InstanceNorm2d)
    assert not is_norm(norm, exclude=nn.BatchNorm2d)
    assert not is_norm(norm, exclude=(nn.LayerNorm, _BatchNorm))
    for exclude in ('BN', ('BN',), [nn.BatchNorm2d]):
        with pytest.raises(TypeError, match='exclude=.* must be a class or a tuple of classes'):
            is_norm(norm, exclude=exclude)


@pytest.mark.parametrize(('kind', 'name', 'options'), [
    ('ConvModule', 'conv_block', dict(out_channels=4, kernel_size=3)),
    ('ContextBlock', 'context_block', dict(ratio=0.25)),
    ('GeneralizedAttention', 'gen_attention_block', {}),
    ('NonLocal2d', 'nonlocal_block', {})])
@pytest.mark.parametrize('postfix', ['', '_a', 1])
def test_plugins_of_our_own(kind, name, options, postfix):
    found, layer = build_plugin_layer(dict(type=kind), postfix, in_channels=16, **options)
    assert found == f'{name}{postfix}'
    assert type(layer) is PLUGIN_LAYERS.module_dict[kind]


@pytest.mark.parametrize('postfix', [[1, 2], None])
def test_postfix_that_is_no_part_of_a_name(postfix):
    with pytest.raises(AssertionError, match='postfix=.* must be a number or a str'):
        build_norm_layer(dict(type='BN'), 3, postfix)
    with pytest.raises(AssertionError, match='postfix=.* must be a number or a str'):
        build_plugin_layer(dict(type='ContextBlock'), postfix, in_channels=8, ratio=1)


@pytest.mark.parametrize('build', [
    build_conv_layer, build_activation_layer, build_padding_layer, build_upsample_layer,
    build_plugin_layer, lambda cfg: build_norm_layer(cfg, 4)])
@pytest.mark.parametrize(('cfg', 'error'), [
    ('Conv2d', TypeError), (dict(padding=1), KeyError), ({}, KeyError)])
def test_a_layer_needs_a_dict_with_a_type(build, cfg, error):
    with pytest.raises(error, match="layer is described by a dict with a 'type'") as caught:
        build(cfg)
    assert isinstance(caught.value, ConfigError)


def test_a_type_is_a_name_or_a_class():
    with pytest.raises(TypeError, match="the 'type' of a norm layer is a name or a class, not 3"):
        build_norm_layer(dict(type=3), 4)


@pytest.mark.parametrize(('kind', 'name'), [
    ('DCN', 'DeformConv2dPack'), ('DCNv2', 'ModulatedDeformConv2dPack')])
def test_an_operator_is_built_by_its_name(kind, name):
    layer = build_conv_layer(dict(type=kind, deform_groups=2), 4, 8, 3, padding=1)
    assert type(layer) is getattr(ops, name)
    assert layer(torch.randn(1, 4, 5, 5)).shape == (1, 8, 5, 5)


def test_every_convolution_is_built_with_the_same_arguments():
    for kind, cls in CONV_LAYERS.module_dict.items():
        layer = build_conv_layer(dict(type=kind), in_channels=4, out_channels=8, kernel_size=3,
                                 groups=2, dilation=2)
        assert isinstance(layer, cls)
        assert (layer.in_channels, layer.out_channels, layer.groups) == (4, 8, 2)


def test_unknown_layer():
    with pytest.raises(RegistryError, match="did you mean 'BN"):
        build_norm_layer(dict(type='BNN'), 4)


def test_misspelt_option_names_its_place():
    cfg = ConfigDict(type='BN', momentun=0.1)
    with pytest.raises(ArgumentError, match="'BN' does not take 'momentun'; did you mean 'mom"):
        build_norm_layer(cfg, 4)
    cfg._origins['momentun'] = ('my.py',)
    with pytest.raises(ArgumentError, match='my.py'):
        build_norm_layer(cfg, 4)


@pytest.mark.parametrize(('build', 'cfg', 'options'), [
    (build_conv_layer, dict(type='Conv2d', bias=True), dict(bias=False)),
    (build_upsample_layer, dict(type='nearest', size=2), dict(size=3)),
    (build_plugin_layer, dict(type='ContextBlock', ratio=1), dict(in_channels=4, ratio=2))])
def test_option_that_the_module_sets(build, cfg, options):
    with pytest.raises(ArgumentError, match=f'{[*cfg][-1]} is set by the module around it'):
        build(cfg, **options)


def test_registries_know_their_layers():
    assert 'Conv2d' in CONV_LAYERS
    assert 'SyncBN' in NORM_LAYERS
