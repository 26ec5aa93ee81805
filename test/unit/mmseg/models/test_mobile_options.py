"""MobileNets, CGNet, Fast-SCNN and their parts: options and errors that the cases do not show."""
import copy
import re

import pytest
import torch
from torch import nn

from mmcv_replace.runner.checkpoints import key_names
from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_backbone, build_head
from mmseg.models.backbones.cgnet import ContextGuidedBlock, GlobalContextExtractor
from mmseg.models.backbones.fast_scnn import GlobalFeatureExtractor
from mmseg.models.utils import InvertedResidual, InvertedResidualV3, SELayer

from .backbone_cases.fast_scnn import SMALL
from .head_plain import HEAD, WIDTHS

MAPS = dict(in_channels=WIDTHS, in_index=(0, 1, 2), input_transform='multiple_select',
            branch_channels=(3, 5))


@pytest.mark.parametrize(('options', 'message'), [
    (dict(type='MobileNetV2', strides=(1, 2)), r'strides=\(1, 2\) must be 7 numbers, each 1 or 2'),
    (dict(type='MobileNetV2', strides=(3,) * 7), 'each 1 or 2'),
    (dict(type='MobileNetV2', dilations=(0,) * 7), 'dilations=.* must be 7 numbers, each 1 or mo'),
    (dict(type='MobileNetV2', out_indices=(1, 7)), r'out_indices=\(1, 7\) must be .*0 to 6'),
    (dict(type='MobileNetV2', widen_factor=0.0), 'widen_factor=0.0 must be positive'),
    (dict(type='MobileNetV3', arch='tiny'), "no arch 'tiny': use one of small, large"),
    (dict(type='MobileNetV3', out_indices=(13,)), "0 to 12 of arch='small'"),
    (dict(type='MobileNetV3', arch='large', out_indices=()), "0 to 16 of arch='large'"),
    (dict(type='MobileNetV3', reduction_factor=0), 'reduction_factor=0 must be 1 or more'),
    (dict(type='CGNet', num_channels=(8, 16)), r'num_channels=\(8, 16\) must be 3 numbers'),
    (dict(type='CGNet', num_blocks=(0, 1)), r'num_blocks=\(0, 1\) must be 2 numbers from 1 on'),
    (dict(type='CGNet', dilations=(1,)), r'dilations=\(1,\) must be 2'),
    (dict(type='CGNet', reductions=(100, 1)), 'reduction=100 must be 1 to channel=64'),
    (dict(type='FastSCNN', global_in_channels=32), 'global_in_channels=32 must equal higher_in_ch'),
    (dict(type='FastSCNN', global_out_channels=32), 'global_out_channels=32 must equal lower_in_c'),
    (dict(type='FastSCNN', out_indices=(3,)), r'out_indices=\(3,\) must be 0, 1 or 2 each'),
    (dict(type='FastSCNN', global_block_strides=(1, 2)), r'strides=\(1, 2\) must have three'),
])
def test_backbones_refuse(options, message):
    with pytest.raises(ConfigError, match=message):
        build_backbone(options)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(type='LRASPPHead'), "set input_transform='multiple_select'"),
    (dict(MAPS, type='LRASPPHead', branch_channels=(3,)), r'branch_channels=\(3,\) must have a nu'),
    (dict(type='DepthwiseSeparableFCNHead', num_convs=0, channels=16), 'num_convs=0 leaves nothi'),
])
def test_heads_refuse(options, message):
    with pytest.raises(ConfigError, match=message):
        build_head({**HEAD, **options})


def test_blocks_refuse():
    with pytest.raises(ConfigError, match='InvertedResidual: stride=3 must be 1 or 2'):
        InvertedResidual(4, 4, 3, 6)
    with pytest.raises(ConfigError, match='InvertedResidualV3: stride=3 must be 1 or 2'):
        InvertedResidualV3(4, 4, 8, stride=3)
    with pytest.raises(ConfigError, match='mid_channels=8 must equal in_channels=4'):
        InvertedResidualV3(4, 4, 8, with_expand_conv=False)
    with pytest.raises(ConfigError, match='act_cfg=.* one for each of the two convolutions'):
        SELayer(8, act_cfg=(dict(type='ReLU'),))


def test_se_layer():
    torch.manual_seed(0)
    layer, x = SELayer(32, ratio=2, act_cfg=dict(type='Tanh')), torch.randn(2, 32, 3, 4)
    assert layer.conv1.out_channels == 16
    y = x.mean((2, 3))
    for conv in (layer.conv1.conv, layer.conv2.conv):
        y = nn.functional.linear(y, conv.weight.flatten(1), conv.bias).tanh()
    torch.testing.assert_close(layer(x), x * y[:, :, None, None])
    assert SELayer(64).conv1.out_channels == 8  # ratio 16, in multiples of 8
    other = SELayer(32, conv_cfg=dict(type='Conv2dAdaptivePadding'))
    assert type(other.conv1.conv).__name__ == 'Conv2dAdaptivePadding'


@pytest.mark.parametrize('conv_cfg', [None, dict(type='Conv2dAdaptivePadding')])
def test_weighted_channels_in_the_last_convolution(conv_cfg):
    """A block whose last convolution weights the channels equals one that weights the map."""
    torch.manual_seed(0)
    block = InvertedResidualV3(8, 12, 16, se_cfg=dict(channels=16, ratio=2), norm_cfg=None,
                               conv_cfg=conv_cfg)
    x = torch.randn(2, 8, 6, 5)
    wide = block.depthwise_conv(block.expand_conv(x))
    expected = block.linear_conv(block.se(wide))
    torch.testing.assert_close(block(x), expected)
    if conv_cfg is None:
        block.to(memory_format=torch.channels_last)
        found = block(x)
        torch.testing.assert_close(found, expected)
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_context_blocks():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 6, 6)
    block = ContextGuidedBlock(8, 8, skip_connect=False, reduction=4)
    skipping = ContextGuidedBlock(8, 8, reduction=4)
    skipping.load_state_dict(block.state_dict())
    torch.testing.assert_close(block.eval()(x) + x, skipping.eval()(x))
    context = GlobalContextExtractor(8, 2)
    cheap = copy.deepcopy(context)
    cheap.with_cp = True
    for module in (context, cheap):
        inputs = x.clone().requires_grad_()
        module(inputs).square().sum().backward()
        module.result = inputs.grad
    torch.testing.assert_close(context.result, cheap.result)


def test_initial_slopes_of_cgnet_are_zero():
    model = build_backbone(dict(type='CGNet', num_channels=(4, 8, 16), num_blocks=(1, 1)))
    model.init_weights()
    slopes = [layer.weight for layer in model.modules() if isinstance(layer, nn.PReLU)]
    assert slopes
    assert not any(slope.any() for slope in slopes)


@pytest.mark.parametrize('align_corners', [False, True])
def test_fusion_of_a_small_map_in_fast_scnn(align_corners):
    found, sizes = [], []
    for fuse in (True, False):
        torch.manual_seed(0)
        model = build_backbone(dict(SMALL, type='FastSCNN', fuse_pyramid=fuse,
                                    align_corners=align_corners)).double()
        conv = model.feature_fusion.dwconv.conv
        forward = conv.forward
        conv.forward = lambda x, forward=forward: sizes.append(x.shape[2:]) or forward(x)
        maps = model(torch.randn(2, 3, 66, 98, dtype=torch.float64))
        sum(each.square().mean() for each in maps).backward()
        found.append([*maps, *(param.grad for param in model.parameters())])
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)
    assert sizes == [(2, 3), (8, 12)]


def test_context_of_fast_scnn():
    model = GlobalFeatureExtractor(4, (4, 8, 12), 6, expand_ratio=2, num_blocks=(1, 2, 3),
                                   strides=(2, 1, 1), pool_scales=(1, 4))
    assert [len(getattr(model, f'bottleneck{i}')) for i in (1, 2, 3)] == [1, 2, 3]
    assert model.bottleneck1[0].conv[0].out_channels == 8
    assert model.ppm.pool_scales == (1, 4)
    assert model(torch.randn(2, 4, 9, 9)).shape == (2, 6, 5, 5)


@pytest.mark.parametrize('name', ['MobileNetV2', 'MobileNetV3', 'CGNet', 'FastSCNN'])
def test_layer_types_of_backbones(name):
    act = {} if name == 'MobileNetV3' else dict(act_cfg=dict(type='Tanh'))
    model = build_backbone(dict(type=name, norm_cfg=dict(type='GN', num_groups=1),
                                conv_cfg=dict(type='ConvWS'), **act))
    kinds = {type(layer).__name__ for layer in model.modules()}
    assert 'GroupNorm' in kinds
    assert 'BatchNorm2d' not in kinds
    assert 'ConvWS2d' in kinds
    if act:  # the layers that weight the channels of MobileNetV3 are its own
        assert 'Conv2d' not in kinds
        assert 'Tanh' in kinds


def test_windows_of_lraspp():
    """A map of more than 49 pixels has several windows, as in the reference."""
    torch.manual_seed(0)
    head = build_head({**HEAD, **MAPS, 'type': 'LRASPPHead'}).eval()
    x = torch.randn(1, WIDTHS[-1], 65, 69)
    seen = []
    head.image_pool[1].register_forward_hook(lambda module, args, out: seen.append(args[0]))
    head([torch.randn(1, WIDTHS[0], 80, 80), torch.randn(1, WIDTHS[1], 70, 70), x])
    windows = [[x[0, :, i:i + 49, j:j + 49].mean((1, 2)) for j in (0, 20)] for i in (0, 16)]
    torch.testing.assert_close(seen[0][0], torch.stack(
        [torch.stack(row, 1) for row in windows], 1), rtol=1e-4, atol=1e-5)


def test_imagenet_weights_with_the_names_of_torchvision(shared_dir):
    path = shared_dir / 'data/weights/mobilenet_v2_imagenet_dequant_torchvision_names.pth'
    model = build_backbone(dict(type='MobileNetV2', pretrained=str(path)))
    model.init_weights()
    file, state = torch.load(path, weights_only=True), model.state_dict()
    assert set(model.adapt_state_dict(file)) == set(state)
    # In both, layers run in the order of their keys.
    values = [value for key, value in file.items() if re.match(r'features\.(\d|1[0-7])\.', key)]
    assert len(values) == len(state)
    for value, own in zip(values, state.values(), strict=True):
        assert torch.equal(value, own)
    assert state['layer7.0.conv.2.bn.running_var'].std() > 0
    assert tuple(row[2] for row in model.arch_settings) == key_names.REPEATS_V2


def check_names(model, rename):
    """All weights under foreign names, with a classifier, get their own names back."""
    state = model.state_dict()
    foreign = {rename(key): value for key, value in state.items()}
    assert not set(foreign) & set(state)
    found = model.adapt_state_dict({**foreign, 'classifier.3.weight': torch.zeros(3)})
    assert list(found) == list(state)
    assert all(found[key] is foreign[rename(key)] for key in state)


@pytest.mark.parametrize('arch', ['small', 'large'])
def test_names_of_torchvision(arch):
    model = build_backbone(dict(type='MobileNetV3', arch=arch))

    def rename(key):
        layer, part, *rest = key.split('.')
        number, block = layer.removeprefix('layer'), getattr(model, layer)
        place = {'conv': '0', 'bn': '1'}
        if part in place:
            return '.'.join(['features', number, place[part], *rest])
        steps = [name for name, _ in block.named_children()]
        if part == 'se':
            return f'features.{number}.block.{steps.index(part)}.fc{rest[0][-1]}.{rest[-1]}'
        return f'features.{number}.block.{steps.index(part)}.{place[rest[0]]}.{rest[1]}'

    check_names(model, rename)


@pytest.mark.parametrize(('arch', 'stages'), [('small', (1, 2, 3, 2, 3, 1)),
                                              ('large', (1, 2, 3, 4, 2, 3, 1))])
def test_names_of_timm(arch, stages):
    model = build_backbone(dict(type='MobileNetV3', arch=arch))
    places = [f'{i}.{j}' for i, number in enumerate(stages) for j in range(number)]
    names = {'expand_conv': ('conv_pw', 'bn1'), 'depthwise_conv': ('conv_dw', 'bn2'),
             'linear_conv': ('conv_pwl', 'bn3')}
    first = {'depthwise_conv': ('conv_dw', 'bn1'), 'linear_conv': ('conv_pw', 'bn2')}

    def rename(key):
        layer, part, *rest = key.split('.')
        number = int(layer.removeprefix('layer'))
        if number == 0:
            return '.'.join([{'conv': 'conv_stem', 'bn': 'bn1'}[part], *rest])
        block = f'blocks.{places[number - 1]}'
        if part == 'se':
            return f"{block}.se.conv_{'reduce' if rest[0] == 'conv1' else 'expand'}.{rest[-1]}"
        if part in ('conv', 'bn'):
            return '.'.join([block, {'conv': 'conv', 'bn': 'bn1'}[part], *rest])
        pair = (first if number == 1 else names)[part]
        return f"{block}.{pair[rest[0] == 'bn']}.{rest[1]}"

    check_names(model, rename)


def test_names_of_timm_for_mobilenet_v2():
    names = [('conv_pw', 'bn1'), ('conv_dw', 'bn2'), ('conv_pwl', 'bn3')]
    first = [('conv_dw', 'bn1'), ('conv_pw', 'bn2')]

    def rename(key):
        layer, *rest = key.split('.')
        if layer == 'conv1':
            return '.'.join([{'conv': 'conv_stem', 'bn': 'bn1'}[rest[0]], rest[1]])
        number = int(layer.removeprefix('layer'))
        pair = (first if number == 1 else names)[int(rest[2])]
        return f"blocks.{number - 1}.{rest[0]}.{pair[rest[3] == 'bn']}.{rest[4]}"

    check_names(build_backbone(dict(type='MobileNetV2')), rename)
