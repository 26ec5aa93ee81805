"""UNet and its parts: what their options change, and what they refuse."""
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_backbone
from mmseg.models.backbones.unet_blocks import BasicConvBlock
from mmseg.models.utils import UpConvBlock
from mmseg.models.utils.upsample_layers import DeconvModule, InterpConv

from .backbone_cases.unet import THREE


def make(**options):
    torch.manual_seed(0)
    return build_backbone(dict(type='UNet', **THREE | options))


def use(model, recompute=False):
    """FLOPs of a pass, numbers kept for the backward pass, and the gradients."""
    for module in model.modules():
        if hasattr(module, 'recompute_norms'):
            module.recompute_norms = recompute
    sizes = {}
    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(
            lambda x: sizes.update({x.untyped_storage().data_ptr(): x.numel()}) or x, lambda x: x):
        outs = model.double().train()(torch.ones(2, 3, 16, 24, dtype=torch.float64))
    sum(out.square().mean() for out in outs).backward()
    return (counter.get_total_flops(), sum(sizes.values()),
            {name: param.grad for name, param in model.named_parameters()})


def test_the_fused_form_multiplies_and_stores_less():
    fused, plain = use(make()), use(make(fuse_pyramid=False))
    assert fused[0] < plain[0]
    assert fused[1] < 0.9 * plain[1]
    torch.testing.assert_close(fused[2], plain[2], rtol=1e-9, atol=1e-12)
    assert use(make(), recompute=True)[1] < 0.9 * fused[1]


def test_the_switch_reaches_the_layers():
    for fuse in (True, False):
        model = make(fuse_pyramid=fuse)
        assert [stage.fuse_pyramid for stage in model.decoder] == [fuse] * 2
        assert [stage.upsample.fuse_pyramid for stage in model.decoder] == [fuse] * 2


def test_channels_strides_and_sizes():
    model = make()
    assert (model.out_channels, model.out_strides) == ((16, 8, 4), (4, 2, 1))
    assert model.size_divisor == 4
    model = make(strides=(2, 2, 1), downsamples=(True, False))
    assert (model.out_strides, model.size_divisor) == ((4, 4, 2), 4)
    assert [type(stage[0]).__name__ for stage in model.encoder] == ['BasicConvBlock'] * 3
    assert isinstance(make().encoder[1][0], nn.MaxPool2d)
    assert [len(stage[-1].convs) for stage in make(enc_num_convs=(1, 2, 3)).encoder] == [1, 2, 3]


def test_layer_types_and_checkpoints():
    model = make(norm_cfg=dict(type='GN', num_groups=2), act_cfg=dict(type='Tanh'),
                 conv_cfg=dict(type='Conv2dAdaptivePadding'), with_cp=True)
    blocks = [module for module in model.modules()
              if isinstance(module, BasicConvBlock | InterpConv)]
    assert all(block.with_cp for block in blocks)
    kinds = {type(module).__name__ for module in model.modules()}
    assert {'GroupNorm', 'Tanh', 'Conv2dAdaptivePadding'} <= kinds
    assert not {'BatchNorm2d', 'ReLU'} & kinds


@pytest.mark.parametrize('size', [(15, 16), (16, 18)])
def test_sizes_that_do_not_fit(size):
    with pytest.raises(ConfigError, match=rf'UNet: images of {size[0]} x {size[1]}, .* multiples of'
                                          r" 4: let the crop_size .*'Pad', size_divisor=4"):
        make()(torch.zeros(1, 3, *size))


@pytest.mark.parametrize(('options', 'message'), [
    (dict(strides=(1, 1)), r'strides=\(1, 1\) must have 3 numbers with num_stages=3'),
    (dict(enc_num_convs=(2, 2)), r'enc_num_convs=\(2, 2\) must have 3'),
    (dict(enc_dilations=(1,)), r'enc_dilations=\(1,\) must have 3'),
    (dict(dec_num_convs=(2, 2, 2)), r'dec_num_convs=\(2, 2, 2\) must have 2'),
    (dict(dec_dilations=()), r'dec_dilations=\(\) must have 2'),
    (dict(downsamples=(True,) * 3), r'downsamples=.* must have 2'),
    (dict(strides=(1, 3, 1)), r'strides=\(1, 3, 1\): each must be 1 or 2'),
    (dict(downsamples=(True, 2)), r'downsamples=\(True, 2\): each must be True or False'),
    (dict(enc_num_convs=(2, 0, 2)), r'enc_num_convs=\(2, 0, 2\): each must be 1 or more'),
    (dict(dcn=dict(type='DCN')), r'dcn=.* cannot be used in this network: leave dcn out; ResNet'),
    (dict(plugins=[]), r'plugins=\[\] cannot be used in this network: leave plugins out')])
def test_what_is_refused(options, message):
    with pytest.raises(ConfigError, match=f'UNet: {message}'):
        make(**options)


@pytest.mark.parametrize('part', [BasicConvBlock, UpConvBlock])
@pytest.mark.parametrize('option', ['dcn', 'plugins'])
def test_extensions_of_the_blocks_are_refused(part, option):
    sizes = (BasicConvBlock, 4, 2, 2) if part is UpConvBlock else (4, 2)
    with pytest.raises(ConfigError, match=f'{part.__name__}: {option}=1 cannot be used'):
        part(*sizes, **{option: 1})


# ------------------------------------------------------------------ layers that enlarge


@pytest.mark.parametrize(('kernel_size', 'scale_factor'), [(4, 2), (2, 2), (3, 3), (6, 4)])
def test_transposed_convolutions_grow_by_the_factor(kernel_size, scale_factor):
    layer = DeconvModule(3, 5, kernel_size=kernel_size, scale_factor=scale_factor)
    x = torch.randn(2, 3, 4, 7)
    found = layer(x)
    assert found.shape == (2, 5, 4 * scale_factor, 7 * scale_factor)
    conv, norm, act = layer.deconv_upsamping
    torch.testing.assert_close(found, act(norm(conv(x))))
    again = DeconvModule(3, 5, True, kernel_size=kernel_size, scale_factor=scale_factor)
    again.load_state_dict(layer.state_dict())
    again(x.requires_grad_()).square().sum().backward()
    assert all(param.grad is not None for param in again.parameters())


@pytest.mark.parametrize(('kernel_size', 'scale_factor'), [(1, 2), (3, 2), (4, 3)])
def test_transposed_convolutions_that_grow_otherwise(kernel_size, scale_factor):
    with pytest.raises(ConfigError, match=f'DeconvModule: kernel_size={kernel_size} must be '
                                          f'scale_factor={scale_factor}, or more by an even'):
        DeconvModule(3, 5, kernel_size=kernel_size, scale_factor=scale_factor)


@pytest.mark.parametrize('options', [
    {}, dict(conv_first=True), dict(kernel_size=3, padding=1), dict(stride=2), dict(padding=1),
    dict(upsample_cfg=dict(scale_factor=3, mode='nearest')),
    dict(norm_cfg=None, upsample_cfg=dict(scale_factor=2, mode='bilinear', align_corners=True)),
    dict(conv_cfg=dict(type='Conv2dAdaptivePadding'), with_cp=True)], ids=str)
def test_interpolation_and_convolution(options):
    layer = InterpConv(3, 5, **options).double().eval()
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64, requires_grad=True)
    first, second = layer.interp_upsample
    assert (type(second).__name__ == 'Upsample') == options.get('conv_first', False)
    torch.testing.assert_close(layer(x), second(first(x)))
    layer.fuse_pyramid = False
    assert torch.equal(layer(x), second(first(x)))


# ------------------------------------------------------------------ steps of the decoder


class Foreign(nn.Module):
    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x):
        return self.conv(x)


@pytest.mark.parametrize('block', [BasicConvBlock, Foreign])
@pytest.mark.parametrize('fuse', [True, False])
def test_maps_of_the_encoder_come_first(block, fuse):
    torch.manual_seed(0)
    step = UpConvBlock(block, 4, 3, 2, fuse_pyramid=fuse).double().eval()
    skip, x = (torch.randn(2, *size, dtype=torch.float64) for size in ((3, 8, 6), (4, 4, 3)))
    expected = step.conv_block(torch.cat([skip, step.upsample(x)], 1))
    torch.testing.assert_close(step(skip, x), expected)


def test_maps_of_one_size_are_only_projected():
    step = UpConvBlock(BasicConvBlock, 4, 3, 2, upsample_cfg=None, dilation=2, num_convs=3)
    assert step.upsample.conv.kernel_size == (1, 1)
    assert [block.conv.dilation[0] for block in step.conv_block.convs] == [1, 2, 2]
    assert step(torch.randn(2, 3, 8, 6), torch.randn(2, 4, 8, 6)).shape == (2, 2, 8, 6)


def test_other_layers_that_enlarge():
    step = UpConvBlock(BasicConvBlock, 4, 3, 2, upsample_cfg=dict(type='DeconvModule'))
    assert isinstance(step.upsample, DeconvModule)
