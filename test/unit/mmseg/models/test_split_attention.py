"""ResNeXt, ResNeSt and SplitAttentionConv2d: options, errors, memory. Values: test_backbones."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.ops import ModulatedDeformConv2dPack
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import build_backbone
from mmseg.models.utils import SplitAttentionConv2d
from mmseg.models.utils.split_attention import weighted_sum

from .backbone_plain import SMALL

DCN = dict(type='DCNv2', deform_groups=1)
ONE_STAGE = dict(SMALL, depth=50, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))


@pytest.mark.parametrize(('kind', 'option'), [
    ('ResNeXt', 'groups'), ('ResNeXt', 'base_width'), ('ResNeSt', 'groups'),
    ('ResNeSt', 'base_width'), ('ResNeSt', 'radix'), ('ResNeSt', 'reduction_factor')])
def test_numbers_below_1_are_refused(kind, option):
    with pytest.raises(ConfigError, match=f'{kind}: {option}=0 must be 1 or more'):
        build_backbone(dict(ONE_STAGE, type=kind, **{option: 0}))


def test_an_instance_norm_of_means_is_refused():
    model = build_backbone(dict(ONE_STAGE, type='ResNeSt', norm_cfg=dict(type='IN')))
    with pytest.raises(ArgumentError, match='SplitAttentionConv2d: its instance norm sees one'):
        model(torch.randn(2, 3, 16, 16))


@pytest.mark.parametrize('kind', ['ResNeXt', 'ResNeSt'])
def test_depth_18_has_no_groups(kind):
    with pytest.raises(ConfigError, match=f'{kind} has no depth 18: use one of 50, 101, 152'):
        build_backbone(dict(type=kind, depth=18))


@pytest.mark.parametrize(('groups', 'base_width', 'width'), [
    (1, 4, 64), (32, 4, 128), (64, 4, 256), (32, 8, 256)])
@pytest.mark.parametrize('kind', ['ResNeXt', 'ResNeSt'])
def test_widths_of_the_papers(kind, groups, base_width, width):
    with torch.device('meta'):
        model = build_backbone(dict(type=kind, depth=101, groups=groups, base_width=base_width))
    for i in range(4):
        conv = model.get_submodule(f'layer{i + 1}.0.conv2' + ('' if kind == 'ResNeXt' else '.conv'))
        assert conv.in_channels == width * 2**i
        assert conv.groups == groups * (1 if kind == 'ResNeXt' else 2)


@pytest.mark.parametrize('kind', ['ResNeXt', 'ResNeSt'])
def test_plugins_get_the_channels_of_the_wide_convolution(kind):
    plugins = [dict(cfg=dict(type='ContextBlock', ratio=1), position=f'after_conv{i}')
               for i in (1, 2, 3)]
    model = build_backbone(dict(ONE_STAGE, type=kind, groups=2, base_width=16, plugins=plugins[:1]))
    assert model.layer1[0].context_block.in_channels == 4 * 16 // 4 * 2
    for plugin, channels in zip(plugins, (32, 32, 16), strict=True):
        model = build_backbone(dict(ONE_STAGE, type=kind, groups=2, base_width=16,
                                    plugins=[plugin]))
        assert model.layer1[0].context_block.in_channels == channels
        assert model(torch.randn(1, 3, 16, 16) if kind == 'ResNeXt' else torch.randn(2, 3, 16, 16))


@pytest.mark.parametrize('kind', ['ResNeXt', 'ResNeSt'])
def test_deformable_convolutions_keep_the_groups(kind):
    model = build_backbone(dict(ONE_STAGE, type=kind, groups=2, base_width=8, dcn=DCN,
                                stage_with_dcn=(True,)))
    conv = model.layer1[0].conv2 if kind == 'ResNeXt' else model.layer1[0].conv2.conv
    assert isinstance(conv, ModulatedDeformConv2dPack)
    assert conv.groups == (2 if kind == 'ResNeXt' else 4)
    assert model(torch.randn(2, 3, 16, 16))[0].shape == (2, 16, 4, 4)


def test_a_convolution_of_its_own():
    layer = SplitAttentionConv2d(8, 6, 3, padding=1, dcn=DCN)
    assert isinstance(layer.conv, ModulatedDeformConv2dPack)
    assert layer(torch.randn(2, 8, 5, 5)).shape == (2, 6, 5, 5)
    with pytest.raises(ConfigError, match='dcn={.*} and conv_cfg={.*} both choose the conv'):
        SplitAttentionConv2d(8, 6, 3, dcn=DCN, conv_cfg=dict(type='Conv2d'))


def test_groups_that_do_not_divide_the_attention():
    with pytest.raises(ConfigError, match=r'groups=3 must divide the 32 channels of the attention '
                                          r'\(in_channels=6 \* radix=2 / reduction_factor=4, at'):
        SplitAttentionConv2d(6, 6, 3, groups=3)


@pytest.mark.parametrize(('in_channels', 'channels'), [(10, 8), (8, 9)])
def test_groups_that_do_not_divide_the_channels(in_channels, channels):
    with pytest.raises(ConfigError, match=rf'groups=2 \* radix=2 must divide the in_channels='
                                          rf'{in_channels}, and groups=2 the channels={channels}'):
        SplitAttentionConv2d(in_channels, channels, 3, groups=2)


def test_the_attention_is_as_wide_as_its_options_say():
    assert SplitAttentionConv2d(64, 64, 3, radix=2, reduction_factor=2).fc1.out_channels == 64
    assert SplitAttentionConv2d(64, 64, 3, radix=4, reduction_factor=2).fc1.out_channels == 128
    assert SplitAttentionConv2d(8, 8, 3).fc1.out_channels == 32


def test_one_image_has_no_statistics_in_training():
    layer = SplitAttentionConv2d(4, 4, 3)
    with pytest.raises(ArgumentError, match='SplitAttentionConv2d: its batch norm sees one value'):
        layer(torch.randn(1, 4, 9, 9))
    assert layer.eval()(torch.randn(1, 4, 9, 9)).shape == (1, 4, 7, 7)


def stored(layer, x):
    """Bytes that a forward pass keeps for backward, each storage once."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = layer(x)
    return sum(kept.values()), out


def test_recomputing_keeps_the_input_alone():
    """The maps of the splits, of 2 C channels, are made again."""
    layer = SplitAttentionConv2d(8, 8, 3, padding=1)
    x = torch.randn(2, 8, 64, 64, requires_grad=True)
    maps = 2 * 8 * 64 * 64 * 4
    plain, _ = stored(layer, x)
    layer.recompute_norms = True
    less, _ = stored(layer, x)
    assert plain - less == pytest.approx(2 * maps, rel=0.02)


def gradients(layer, x):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    layer(x).square().sum().backward()
    return [x.grad, *(param.grad for param in layer.parameters())]


def test_recomputing_with_parts_that_are_not_trained():
    layer = SplitAttentionConv2d(12, 8, 3, groups=2, radix=3)
    layer.fc1.requires_grad_(False)
    layer.bn1.bias.requires_grad_(False)
    x = torch.randn(2, 12, 9, 9)
    expected = gradients(copy.deepcopy(layer), x)
    layer.recompute_norms = True
    for one, other in zip(gradients(layer, x), expected, strict=True):
        assert one is other is None or torch.equal(one, other)


def test_recomputing_twice_through_one_graph():
    layer = SplitAttentionConv2d(4, 4, 3)
    layer.recompute_norms = True
    x = torch.randn(2, 4, 9, 9, requires_grad=True)
    out = layer(x).sum()
    out.backward(retain_graph=True)
    first = x.grad.clone()
    out.backward()
    assert torch.equal(x.grad, 2 * first)


def test_hooks_of_the_layer_run():
    model = build_backbone(dict(ONE_STAGE, type='ResNeSt'))
    model.layer1[0].recompute_norms = True
    seen = []
    model.layer1[0].conv2.register_forward_hook(lambda *args: seen.append(args[0]))
    model(torch.randn(2, 3, 16, 16))
    assert seen == [model.layer1[0].conv2]


def test_weighted_sums():
    splits, weights = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 3, 4, 1, 1)
    torch.testing.assert_close(weighted_sum(splits, weights), (splits * weights).sum(1))


def test_group_norm():
    layer = SplitAttentionConv2d(8, 8, 3, norm_cfg=dict(type='GN', num_groups=4))
    assert isinstance(layer.norm0, nn.GroupNorm)
    assert isinstance(layer.gn1, nn.GroupNorm)
    layer.recompute_norms = True  # for batch norms alone
    assert all(grad is not None for grad in gradients(layer, torch.randn(1, 8, 9, 9)))
