"""Both deformable convolutions: layers, options, checkpoints, messages, mixed precision."""
import math
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import CONV_LAYERS, build_conv_layer
from mmcv_replace.ops import (
    DeformConv2d,
    DeformConv2dPack,
    ModulatedDeformConv2d,
    ModulatedDeformConv2dPack,
    deform_conv2d,
    modulated_deform_conv2d,
)
from mmcv_replace.ops.deform import columns, sampled_conv
from mmcv_replace.runner import load_checkpoint
from mmcv_replace.utils.errors import ArgumentError, ConfigError, UsageError

from .op_cases import uniform

PACKS = [DeformConv2dPack, ModulatedDeformConv2dPack]


def inputs(batch=1, size=6, dtype=torch.float32):
    """Maps, offsets, factors and a weight of a kernel of 3 x 3 without padding."""
    made = (uniform(batch, 4, size, size), uniform(batch, 18, size - 2, size - 2, seed=1),
            uniform(batch, 9, size - 2, size - 2, seed=2), uniform(6, 4, 3, 3, seed=3))
    return [tensor.to(dtype) for tensor in made]


def test_names_in_configs():
    assert CONV_LAYERS.get('DCN') is DeformConv2dPack
    assert CONV_LAYERS.get('DCNv2') is ModulatedDeformConv2dPack
    layer = build_conv_layer(dict(type='DCN', deform_groups=2), 4, 8, 3, stride=2, padding=1)
    assert (layer.deform_groups, layer.stride, layer.im2col_step) == (2, (2, 2), 32)


def test_attributes_that_code_for_plain_convolutions_reads():
    layer = ModulatedDeformConv2d(4, 6, (1, 3), (2, 1), (0, 1), 2, 2, 4)
    assert (layer.transposed, layer.output_padding) == (False, (0,))
    assert (layer.kernel_size, layer.dilation, layer.groups) == ((1, 3), (2, 2), 2)
    assert repr(layer) == (
        'ModulatedDeformConv2d(4, 6, kernel_size=(1, 3), stride=(2, 1), padding=(0, 1), '
        'dilation=(2, 2), groups=2, deform_groups=4)')


def test_names_of_weights():
    assert list(DeformConv2d(4, 6, 3).state_dict()) == ['weight']
    assert list(ModulatedDeformConv2d(4, 6, 3).state_dict()) == ['weight', 'bias']
    assert ModulatedDeformConv2d(4, 6, 3, bias=False).bias is None
    shapes = {name: tuple(value.shape) for name, value in
              ModulatedDeformConv2dPack(4, 6, (3, 1), deform_groups=2).state_dict().items()}
    assert shapes == {'weight': (6, 4, 3, 1), 'bias': (6,), 'conv_offset.weight': (18, 4, 3, 1),
                      'conv_offset.bias': (18,)}
    assert DeformConv2dPack(4, 6, 3, deform_groups=2).conv_offset.out_channels == 36


@pytest.mark.parametrize(('cls', 'limit'), [
    (DeformConv2d, math.sqrt(6 / (2 * 15))), (ModulatedDeformConv2d, 1 / math.sqrt(4 * 15))])
def test_first_weights(cls, limit):
    """As mmcv draws them, number by number."""
    torch.manual_seed(0)
    found = cls(4, 6, (3, 5), groups=2).weight
    torch.manual_seed(0)
    torch.testing.assert_close(found.detach(), torch.empty(6, 2, 3, 5).uniform_(-limit, limit))


@pytest.mark.parametrize(('cls', 'draws'), [(DeformConv2dPack, 1), (ModulatedDeformConv2dPack, 2)])
def test_first_weights_beside_offsets(cls, draws):
    """One layer draws its weight before that of the offsets alone, the other one again after it."""
    torch.manual_seed(0)
    layer = cls(4, 6, 3)
    torch.manual_seed(0)
    parent = cls.__mro__[2]
    expected = parent(4, 6, 3).weight
    nn.Conv2d(4, layer.conv_offset.out_channels, 3)
    if draws == 2:
        expected = parent(4, 6, 3).weight
    assert torch.equal(layer.weight, expected)


def test_published_figures():
    """Those of mmcv's test: a map, offsets from a layer, the output and all gradients."""
    layer = DeformConv2dPack(1, 1, 2).double()
    offsets = [[.1, .4, .6, .1], [.3, .2, .1, .3], [.5, .5, .2, .8], [.8, .3, .9, .1],
               [.3, .1, .2, .5], [.3, .7, .5, .3], [.6, .2, .5, .3], [.4, .1, .8, .4]]
    for parameter, values in ((layer.weight, [.4, .2, .1, .9]),
                              (layer.conv_offset.weight, offsets),
                              (layer.conv_offset.bias, [.7, .1, .8, .5, .6, .5, .4, .7])):
        parameter.data = torch.tensor(values, dtype=torch.float64).view(parameter.shape)
    x = torch.tensor([[[[1., 2, 3], [0, 1, 2], [3, 5, 2]]]]).double().requires_grad_()
    y = layer(x)
    y.sum().backward()
    bias = torch.tensor([1.44, -.72, 0, 0, -.1, -.08, -.54, -.54])
    for found, expected in (
            (y, [[1.65, 0], [0, 0]]),
            (x.grad, [[-.666, .204, 0], [.03, -.416, .012], [0, .252, .129]]),
            (layer.weight.grad, [[3.62, 0], [.4, .18]]),
            (layer.conv_offset.bias.grad, bias),
            (layer.conv_offset.weight.grad, bias.view(8, 1, 1) * torch.tensor([[1, 2], [0, 1]]))):
        expected = torch.as_tensor(expected).to(found)
        torch.testing.assert_close(found.view(expected.shape), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize('pack', PACKS)
def test_a_new_layer_is_a_plain_convolution(pack):
    layer = pack(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, deform_groups=2).double()
    x = uniform(2, 4, 9, 8)
    share = 1 if pack is DeformConv2dPack else .5
    plain = F.conv2d(x, layer.weight * share, None, 2, 2, 2, 2)
    torch.testing.assert_close(layer(x), plain)
    nn.init.ones_(layer.conv_offset.bias)
    assert not torch.allclose(layer(x), plain)
    getattr(layer, 'init_offset', getattr(layer, 'init_weights', None))()
    assert layer.conv_offset.bias.eq(0).all()


@pytest.mark.parametrize('pack', PACKS)
def test_offsets_are_computed_by_the_child(pack):
    """Displacements of one pixel to the right are the maps one pixel further."""
    layer = pack(4, 6, 3, padding=1).double()
    with torch.no_grad():
        layer.conv_offset.bias[1:18:2] = 1
    x = uniform(1, 4, 7, 7)
    moved = F.pad(x, (0, 1))[..., 1:]
    share = 1 if pack is DeformConv2dPack else .5
    found, plain = layer(x), F.conv2d(moved, layer.weight * share, None, 1, 1)
    torch.testing.assert_close(found[..., 1:], plain[..., 1:])
    layer(x).sum().backward()
    assert layer.conv_offset.weight.grad.abs().max() > 0


@pytest.mark.parametrize('pack', PACKS)
@pytest.mark.parametrize('versioned', [False, True])
def test_checkpoints_with_the_old_names(pack, versioned, tmp_path):
    source = nn.ModuleDict({'conv2': pack(4, 6, 3)})
    nn.init.normal_(source['conv2'].conv_offset.weight)
    nn.init.normal_(source['conv2'].conv_offset.bias)
    old = {name.replace('conv2.conv_offset', 'conv2_offset'): value
           for name, value in source.state_dict().items()}
    assert 'conv2_offset.bias' in old
    old = type(source.state_dict())(old)
    if versioned:
        old._metadata = {'': {'version': 1}, 'conv2': {'version': 1}}
    torch.save(dict(state_dict=old), tmp_path / 'old.pth')
    target = nn.ModuleDict({'conv2': pack(4, 6, 3)})
    load_checkpoint(target, str(tmp_path / 'old.pth'), strict=True)
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name


def test_names_of_version_2_stay():
    """A layer beside, which only looks like the offsets of another."""
    model = nn.ModuleDict({'conv2': DeformConv2dPack(4, 6, 3), 'conv2_offset': nn.Conv2d(4, 18, 3)})
    assert str(model.load_state_dict(model.state_dict())) == '<All keys matched successfully>'


@pytest.mark.parametrize('cls', [DeformConv2d, ModulatedDeformConv2d])
def test_old_name_of_deform_groups(cls):
    with pytest.warns(UserWarning, match="'deformable_groups' is 'deform_groups' now"):
        assert cls(4, 6, 3, deformable_groups=2).deform_groups == 2


def test_maps_smaller_than_the_kernel():
    layer = DeformConv2d(4, 6, 3, padding=1).double()
    x, offset = uniform(1, 4, 2, 5), uniform(1, 18, 2, 5, seed=1)
    found = layer(x, offset)
    whole = deform_conv2d(F.pad(x, (0, 0, 0, 1)), F.pad(offset, (0, 0, 0, 1)), layer.weight, 1, 1)
    assert torch.equal(found, whole[:, :, :2])
    assert found.is_contiguous()
    assert DeformConv2dPack(4, 6, 3, padding=1)(torch.ones(1, 4, 1, 1)).shape == (1, 6, 1, 1)


@pytest.mark.parametrize(('step', 'expected'), [(1, [1] * 4), (2, [2, 2]), (32, [4])])
def test_images_at_a_time(monkeypatch, step, expected):
    seen = []
    monkeypatch.setattr(columns, 'weighted_rows', lambda table, index, share, plain=(
        columns.weighted_rows): seen.append(len(index) // (16 * 9))
        or plain(table, index, share))
    x, offset, _, weight = inputs(4)
    found = deform_conv2d(x, offset, weight, im2col_step=step)
    assert seen == expected
    torch.testing.assert_close(found, torch.cat([
        deform_conv2d(*pair, weight) for pair in zip(x.split(1), offset.split(1), strict=True)]))
    assert DeformConv2d(4, 6, 3, im2col_step=step).im2col_step == step


@pytest.mark.parametrize('limit', [1, 4 * 9 * 4, 3 * 4 * 9 * 4])
@pytest.mark.parametrize('masked', [False, True])
def test_strips_of_rows(monkeypatch, limit, masked):
    """A strip of any height gives the same, also in the gradients."""
    x, offset, mask, weight = (t.requires_grad_() for t in inputs(2, dtype=torch.float64))

    def outcome():
        out = (modulated_deform_conv2d(x, offset, mask, weight) if masked
               else deform_conv2d(x, offset, weight))
        wanted = [x, offset, weight, *[mask] * masked]
        return [out, *torch.autograd.grad(out, wanted, torch.ones_like(out).cumsum(-1))]

    expected = outcome()
    monkeypatch.setattr(sampled_conv, 'LIMIT', limit)
    monkeypatch.setattr(sampled_conv, 'LEAST', limit)
    monkeypatch.setattr(sampled_conv, 'MOST', 1000)
    torch.testing.assert_close(outcome(), expected)


@pytest.mark.parametrize('wanted', [(0,), (1,), (2,), (3,), (4,), (0, 2), (1, 3)])
def test_gradients_of_some_arguments(wanted):
    given = [*inputs(2, dtype=torch.float64), uniform(6, seed=5)]

    def grads(places):
        leaves = [t.detach().requires_grad_(i in places) for i, t in enumerate(given)]
        modulated_deform_conv2d(*leaves).square().sum().backward()
        return [leaf.grad for leaf in leaves]

    for i, (found, expected) in enumerate(zip(grads(wanted), grads(range(5)), strict=True)):
        assert torch.equal(found, expected) if i in wanted else found is None


def test_no_more_is_kept_for_the_backward_pass_than_arguments():
    x, offset, mask, weight = (t.requires_grad_() for t in inputs(2))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda value: value):
        modulated_deform_conv2d(x, offset, mask, weight)
    sizes = sorted(t.numel() for t in (x, offset, mask, weight))
    assert sorted(t.numel() for t in kept) == sizes


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('pack', PACKS)
def test_mixed_precision(pack, dtype):
    """Everything is computed in the type of the offsets, which autocast makes low, as in mmcv."""
    layer = pack(4, 6, 3, padding=1)
    nn.init.normal_(layer.conv_offset.weight, std=.1)
    x = torch.randn(2, 4, 5, 5)
    with torch.autocast('cpu', dtype):
        found = layer(x)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), layer(x), rtol=.05, atol=.05)
    found.float().sum().backward()
    assert layer.weight.grad.dtype == layer.conv_offset.weight.grad.dtype == torch.float32


def test_types_follow_the_offset_also_under_autocast():
    x, offset, mask, weight = inputs()
    with torch.autocast('cpu', torch.bfloat16):
        found = modulated_deform_conv2d(x.half(), offset, mask.double(), weight)
        found.sum()
    assert found.dtype == torch.float32
    assert torch.equal(found, modulated_deform_conv2d(x, offset, mask, weight))
    assert deform_conv2d(x.double(), offset, weight.double()).dtype == torch.float32


def test_positions_are_exact_in_low_precision():
    """Far from the origin, 16 bits hold no parts of a pixel."""
    x = torch.arange(200.).expand(1, 1, 1, 200).to(torch.float16) / 64
    offset = torch.full((1, 2, 1, 200), .5, dtype=torch.float16)
    offset[:, 0] = 0
    found = deform_conv2d(x, offset, torch.ones(1, 1, 1, 1))
    torch.testing.assert_close(found[0, 0, 0, :-1].float() * 64, torch.arange(199.) + .5,
                               rtol=2e-3, atol=0)


@pytest.mark.parametrize(('change', 'message'), [
    (dict(x=torch.ones(4, 6, 6)), r'takes maps \[N, C, H, W\], not \[4, 6, 6\]'),
    (dict(x=torch.ones(0, 4, 6, 6)), r'maps \[0, 4, 6, 6\]: .* needs an image'),
    (dict(x=torch.ones(1, 4, 2, 6)), r'its output would be \[1, 6, 0, 4\]'),
    (dict(x=torch.ones(1, 5, 6, 6)), r'C / groups = 5/1 channels'),
    (dict(groups=4), r'groups=4 and deform_groups=1 does not fit'),
    (dict(deform_groups=3), r'deform_groups=3 does not fit'),
    (dict(groups=0), r'groups=0 and deform_groups=1: both must be 1 or more'),
    (dict(deform_groups=0), r'deform_groups=0: both must be 1 or more'),
    (dict(stride=0), r'stride=\(0, 0\): it must be a number, or .* above 0'),
    (dict(dilation=(1, 0)), r'dilation=\(1, 0\)'),
    (dict(padding=(1, 1, 1)), r'padding=\(1, 1, 1\): .* a height and a width'),
    (dict(offset=torch.ones(1, 16, 4, 4)), r'offset .* has shape \[1, 16, 4, 4\] and must have '
                                           r'\[1, 18, 4, 4\]'),
    (dict(offset=torch.ones(1, 18, 4, 5)), r'must have \[1, 18, 4, 4\]'),
    (dict(mask=torch.ones(1, 18, 4, 4)), r'the mask .* must have \[1, 9, 4, 4\]'),
])
def test_arguments_that_do_not_fit(change, message):
    x, offset, mask, weight = inputs()
    given = {**dict(x=x, offset=offset, mask=mask), **change}
    options = {name: given.pop(name) for name in change if name not in ('x', 'offset', 'mask')}
    for error in (UsageError, ValueError, RuntimeError):  # as mmcv raises one or the other
        with pytest.raises(error, match=message):
            modulated_deform_conv2d(*given.values(), weight, **options)
    if 'mask' not in change:
        with pytest.raises(UsageError, match=message):
            deform_conv2d(given['x'], given['offset'], weight, **options)


@pytest.mark.parametrize('cls', [DeformConv2d, ModulatedDeformConv2d])
@pytest.mark.parametrize(('kernel', 'options', 'message'), [
    (0, {}, r'kernel_size=\(0, 0\)'), ((3, 3, 3), {}, r'kernel_size=\(3, 3, 3\)'),
    (3, dict(stride=0), 'stride'), (3, dict(padding=(1, 1, 1)), 'padding'),
    (3, dict(dilation=0), 'dilation')])
def test_sizes_of_a_layer_without_samples(cls, kernel, options, message):
    with pytest.raises(ConfigError, match=message):
        cls(4, 6, kernel, **options)


def test_weights_of_other_dimensions():
    x, offset, mask, weight = inputs()
    for other in (weight[..., 0], weight.unsqueeze(4)):
        with pytest.raises(UsageError, match='kernel_size=.* a height and a width'):
            modulated_deform_conv2d(x, offset, mask, other)


def test_a_negative_padding_leaves_out_the_border():
    x, offset, _, weight = inputs(size=8)
    inner = offset[..., 1:-1, 1:-1]
    found = deform_conv2d(x, inner, weight, padding=-1)
    torch.testing.assert_close(found, deform_conv2d(x, offset, weight)[..., 1:-1, 1:-1])


def test_a_bias_of_another_size_and_no_mask():
    x, offset, mask, weight = inputs()
    with pytest.raises(UsageError, match=r'bias=\(5,\).* 6 numbers'):
        modulated_deform_conv2d(x, offset, mask, weight, torch.ones(5))
    with pytest.raises(UsageError, match='mask=None.*deform_conv2d needs no mask'):
        modulated_deform_conv2d(x, offset, None, weight)


def test_a_batch_that_im2col_step_does_not_divide():
    x, offset, _, weight = inputs(3)
    with pytest.raises(AssertionError, match='im2col_step=2 must divide the batch of 3 images'):
        deform_conv2d(x, offset, weight, im2col_step=2)
    with pytest.raises(AssertionError, match='im2col_step=0 must divide'):
        deform_conv2d(x, offset, weight, im2col_step=0)
    with pytest.raises(AssertionError, match='im2col_step=2 must divide'):
        DeformConv2dPack(x.shape[1], 6, 3, padding=1, im2col_step=2)(x.float())


def test_a_bias_where_there_is_none():
    x, offset, _, weight = inputs()
    with pytest.raises(AssertionError, match='bias=True: a deformable convolution has no bias'):
        deform_conv2d(x, offset, weight, bias=True)
    with pytest.raises(AssertionError, match="DeformConv2dPack: bias=True, but it has none.*DCNv2"):
        DeformConv2dPack(4, 6, 3, bias=True)


@pytest.mark.parametrize('cls', [DeformConv2d, ModulatedDeformConv2d])
@pytest.mark.parametrize(('options', 'message'), [
    (dict(groups=4), 'groups=4 must divide in_channels=4 and out_channels=6'),
    (dict(groups=0), 'groups=0'), (dict(deform_groups=3), 'deform_groups=3 must divide in_chann')])
def test_groups_that_do_not_divide(cls, options, message):
    with pytest.raises(ConfigError, match=message):
        cls(4, 6, 3, **options)


def test_a_misspelt_option_of_a_config():
    with pytest.raises(ArgumentError, match='deform_group'):
        build_conv_layer(dict(type='DCN', deform_group=2), 4, 8, 3)


def test_no_operator_of_a_device_is_loaded_for_the_host():
    layer = DeformConv2dPack(4, 6, 3)
    layer(torch.ones(1, 4, 5, 5))
    assert not {'torch_npu', 'mmcv_replace.ops.kernels.npu'} & set(sys.modules)
