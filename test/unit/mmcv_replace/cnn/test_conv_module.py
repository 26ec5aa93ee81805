"""ConvModule against the same layers put together by hand."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import ConvModule, DepthwiseSeparableConvModule
from mmcv_replace.utils.errors import ArgumentError, ConfigError, RegistryError

BN = dict(type='BN')


def randomise(module):
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    return module.eval()


def norm_by_hand(x, bn):
    shape = (1, -1, 1, 1)
    scale = bn.weight / (bn.running_var + bn.eps).sqrt()
    return (x - bn.running_mean.view(shape)) * scale.view(shape) + bn.bias.view(shape)


@pytest.mark.parametrize(('norm_cfg', 'keys'), [
    (None, ['conv.weight', 'conv.bias']),
    (BN, ['conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var',
          'bn.num_batches_tracked']),
    (dict(type='SyncBN'), ['conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean',
                           'bn.running_var', 'bn.num_batches_tracked']),
    (dict(type='GN', num_groups=2), ['conv.weight', 'gn.weight', 'gn.bias']),
    (dict(type='IN', affine=True), ['conv.weight', 'in.weight', 'in.bias']),
    (dict(type='LN'), ['conv.weight', 'ln.weight', 'ln.bias']),
])
def test_keys_of_the_state(norm_cfg, keys):
    assert list(ConvModule(3, 4, 3, norm_cfg=norm_cfg).state_dict()) == keys


def test_bias_follows_the_norm_unless_it_is_given():
    assert ConvModule(3, 4, 1).conv.bias is not None
    assert ConvModule(3, 4, 1, bias=False).conv.bias is None
    assert ConvModule(3, 4, 1, norm_cfg=BN).conv.bias is None
    assert ConvModule(3, 4, 1, norm_cfg=BN, bias=True).conv.bias is not None


@pytest.mark.parametrize(('norm_cfg', 'warned'), [
    (BN, True), (dict(type='IN'), True), (dict(type='GN', num_groups=2), False), (None, False)])
def test_bias_that_the_norm_takes_away_is_warned_about(monkeypatch, norm_cfg, warned):
    messages = []
    monkeypatch.setattr('mmcv_replace.cnn.bricks.conv_module.warn_once',
                        lambda message, logger: messages.append(message))
    ConvModule(3, 4, 1, norm_cfg=norm_cfg, bias=True)
    assert [('takes the bias away' in message) for message in messages] == [True] * warned


def test_layers_run_in_the_usual_order():
    module = randomise(ConvModule(3, 4, 3, stride=2, padding=2, dilation=2, norm_cfg=BN))
    x = torch.randn(2, 3, 9, 9)
    conv = F.conv2d(x, module.conv.weight, stride=2, padding=2, dilation=2)
    expected = norm_by_hand(conv, module.bn).clamp(min=0)
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(module(x, activate=False), norm_by_hand(conv, module.bn))
    torch.testing.assert_close(module(x, norm=False), conv.clamp(min=0))
    assert module.norm is module.bn


def test_layers_run_in_another_order():
    module = randomise(ConvModule(3, 4, 1, norm_cfg=BN, inplace=False,
                                  order=('norm', 'act', 'conv')))
    x = torch.randn(2, 3, 5, 5)
    expected = F.conv2d(norm_by_hand(x, module.bn).clamp(min=0), module.conv.weight)
    torch.testing.assert_close(module(x), expected)


def test_without_activation_and_norm_it_is_a_convolution():
    module = ConvModule(3, 4, 3, act_cfg=None)
    x = torch.randn(1, 3, 5, 5)
    torch.testing.assert_close(module(x), F.conv2d(x, module.conv.weight, module.conv.bias))
    assert not module.with_activation
    assert module.norm is None


@pytest.mark.parametrize(('padding_mode', 'torch_mode'), [
    ('zeros', 'constant'), ('circular', 'circular'), ('reflect', 'reflect'),
    ('replicate', 'replicate')])
def test_padding_modes(padding_mode, torch_mode):
    module = ConvModule(2, 3, 3, padding=1, padding_mode=padding_mode, act_cfg=None)
    x = torch.randn(1, 2, 5, 6)
    expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=torch_mode), module.conv.weight,
                        module.conv.bias)
    torch.testing.assert_close(module(x), expected)


def test_groups_and_convolution_type():
    module = ConvModule(4, 4, 3, groups=4, conv_cfg=dict(type='Conv1d'), act_cfg=None)
    assert isinstance(module.conv, nn.Conv1d)
    assert module.conv.weight.shape == (4, 1, 3)
    assert module.groups == 4


def test_spectral_norm_divides_by_the_largest_singular_value():
    module = ConvModule(3, 4, 3, with_spectral_norm=True, act_cfg=None)
    assert list(module.state_dict()) == ['conv.bias', 'conv.weight_orig', 'conv.weight_u',
                                         'conv.weight_v']
    for _ in range(50):
        module(torch.zeros(1, 3, 3, 3))
    largest = torch.linalg.matrix_norm(module.conv.weight.flatten(1), ord=2)
    torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)


def test_inplace_goes_to_the_activations_that_have_it():
    assert ConvModule(3, 4, 1).activate.inplace
    assert not ConvModule(3, 4, 1, inplace=False).activate.inplace
    assert not ConvModule(3, 4, 1, act_cfg=dict(type='ReLU', inplace=False)).activate.inplace
    assert isinstance(ConvModule(3, 4, 1, act_cfg=dict(type='Sigmoid')).activate, nn.Sigmoid)


@pytest.mark.parametrize(('act_cfg', 'slope'), [
    (dict(type='ReLU'), 0), (dict(type='LeakyReLU', negative_slope=0.5), 0.5),
    (dict(type='LeakyReLU'), 0.01), (None, 0)])
def test_kaiming_weights_fit_the_activation(act_cfg, slope):
    module = ConvModule(64, 64, 3, norm_cfg=BN, act_cfg=act_cfg)
    expected = (2 / (1 + slope**2) / (64 * 9)) ** 0.5
    assert module.conv.weight.std().item() == pytest.approx(expected, rel=0.02)
    assert module.bn.weight.eq(1).all()
    assert module.bn.bias.eq(0).all()


def test_default_activation_is_not_shared():
    first = ConvModule(3, 4, 1)
    first.activate.inplace = False
    assert ConvModule(3, 4, 1).activate.inplace


@pytest.mark.parametrize('order', [
    ('conv', 'norm'), ('conv', 'norm', 'norm'), ('conv', 'norm', 'relu'),
    ['conv', 'norm', 'act']])
def test_wrong_order(order):
    with pytest.raises(ConfigError, match="a tuple of 'conv', 'norm' and 'act'"):
        ConvModule(3, 4, 1, order=order)


@pytest.mark.parametrize('name', ['conv_cfg', 'norm_cfg', 'act_cfg'])
def test_configs_are_dicts(name):
    with pytest.raises(AssertionError, match="by a dict with a 'type', not by 'BN'"):
        ConvModule(3, 4, 1, **{name: 'BN'})


def test_attributes_are_those_of_the_convolution():
    module = ConvModule(4, 6, (3, 5), stride=2, padding=(1, 2), dilation=(2, 1), groups=2)
    for name in ('in_channels', 'out_channels', 'kernel_size', 'stride', 'padding', 'dilation',
                 'transposed', 'output_padding', 'groups'):
        assert getattr(module, name) == getattr(module.conv, name), name
    assert (module.with_norm, module.with_activation, module.with_bias,
            module.with_spectral_norm, module.with_explicit_padding) == (
                False, True, True, False, False)
    assert (module.conv_cfg, module.norm_cfg, module.act_cfg, module.inplace, module.order) == (
        None, None, dict(type='ReLU'), True, ('conv', 'norm', 'act'))


def test_convolution_with_its_own_initialisation_keeps_it():
    class Ones(nn.Conv2d):
        def init_weights(self):
            nn.init.ones_(self.weight)

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.init_weights()

    assert ConvModule(3, 4, 1, conv_cfg=dict(type=Ones)).conv.weight.eq(1).all()


def test_unknown_padding_mode():
    with pytest.raises(RegistryError, match='mirror'):
        ConvModule(3, 4, 1, padding_mode='mirror')


def test_depthwise_separable():
    module = randomise(DepthwiseSeparableConvModule(
        4, 6, 3, padding=1, norm_cfg=BN, dw_act_cfg=dict(type='Sigmoid'), pw_norm_cfg=None))
    depthwise, pointwise = module.depthwise_conv, module.pointwise_conv
    assert list(module.state_dict())[0] == 'depthwise_conv.conv.weight'
    assert pointwise.norm is None
    x = torch.randn(2, 4, 5, 5)
    inner = F.conv2d(x, depthwise.conv.weight, padding=1, groups=4)
    inner = norm_by_hand(inner, depthwise.bn).sigmoid()
    expected = F.conv2d(inner, pointwise.conv.weight, pointwise.conv.bias).clamp(min=0)
    torch.testing.assert_close(module(x), expected)


def test_depthwise_separable_takes_the_common_configs():
    module = DepthwiseSeparableConvModule(4, 6, 3, norm_cfg=BN, act_cfg=dict(type='Tanh'),
                                          pw_act_cfg=None)
    assert isinstance(module.depthwise_conv.activate, nn.Tanh)
    assert isinstance(module.pointwise_conv.norm, nn.BatchNorm2d)
    assert not module.pointwise_conv.with_activation
    plain = DepthwiseSeparableConvModule(4, 6, 3, norm_cfg=BN, dw_norm_cfg=None)
    assert plain.depthwise_conv.norm is None


def test_depthwise_separable_hands_other_options_to_both_halves():
    module = DepthwiseSeparableConvModule(4, 6, 3, norm_cfg=BN, bias=True, inplace=False)
    for half in (module.depthwise_conv, module.pointwise_conv):
        assert half.conv.bias is not None
        assert not half.activate.inplace


def test_depthwise_separable_strides_and_dilates_in_depth():
    module = DepthwiseSeparableConvModule(4, 6, 3, stride=2, padding=2, dilation=2)
    conv = module.depthwise_conv.conv
    assert (conv.stride, conv.padding, conv.dilation) == ((2, 2), (2, 2), (2, 2))
    assert module(torch.randn(1, 4, 8, 8)).shape == (1, 6, 4, 4)


def test_depthwise_separable_refuses_groups():
    with pytest.raises(ArgumentError, match='groups=2 out'):
        DepthwiseSeparableConvModule(4, 6, 3, groups=2)
