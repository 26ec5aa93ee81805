"""Patches of images, and merged patches."""
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.cnn.bricks.transformer import AdaptivePadding, PatchEmbed, PatchMerging
from mmcv_replace.utils.errors import ConfigError, RegistryError

LN = dict(type='LN')


@pytest.mark.parametrize(('kernel', 'stride', 'dilation', 'size', 'added'), [
    (2, 2, 1, (4, 5), (0, 1)), (16, 16, 1, (1, 17), (15, 15)), (3, 1, 1, (5, 5), (2, 2)),
    (3, 2, 2, (7, 8), (4, 3)), ((2, 4), (2, 4), 1, (3, 9), (1, 3)), (1, 3, 1, (5, 7), (0, 0))])
def test_padding(kernel, stride, dilation, size, added):
    ones = torch.ones(1, 2, *size)
    for name in ('corner', 'same'):
        layer = AdaptivePadding(kernel, stride, dilation, name)
        assert layer.get_pad_shape(size) == added
        padded = layer(ones)
        assert padded.shape[2:] == (size[0] + added[0], size[1] + added[1])
        top, left = (added[0] // 2, added[1] // 2) if name == 'same' else (0, 0)
        assert padded[:, :, top:top + size[0], left:left + size[1]].eq(1).all()
        assert padded.sum() == ones.sum()
    with pytest.raises(ConfigError, match="padding='left' must be 'same' or 'corner'"):
        AdaptivePadding(padding='left')


@pytest.mark.parametrize(('options', 'pad', 'out_size'), [
    (dict(stride=4), (0, 1, 0, 3), (3, 3)), (dict(stride=4, padding='same'), (0, 1, 1, 2), (3, 3)),
    (dict(stride=None, padding=1), (1, 1, 1, 1), (2, 3)),
    (dict(stride=(1, 2), padding=(0, 2), dilation=2), (2, 2, 0, 0), (3, 5))])
def test_embedded_patches(options, pad, out_size):
    embed = PatchEmbed(3, 5, kernel_size=4, input_size=(9, 11), **options)
    x = torch.randn(2, 3, 9, 11)
    found, found_size = embed(x)
    conv = embed.projection
    expected = F.conv2d(F.pad(x, pad), conv.weight, conv.bias, conv.stride,
                        dilation=conv.dilation)
    assert found_size == embed.init_out_size == out_size == expected.shape[2:]
    assert embed.init_input_size == (9, 11)
    torch.testing.assert_close(found, expected.flatten(2).transpose(1, 2))


def test_options_of_the_embedding():
    embed = PatchEmbed(3, 5, conv_type='Conv2dAdaptivePadding', kernel_size=4, stride=4, bias=False,
                       norm_cfg=LN, init_cfg=dict(type='Constant', val=2, layer='Conv2d'))
    assert list(embed.state_dict()) == ['projection.weight', 'norm.weight', 'norm.bias']
    embed.init_weights()
    assert embed.projection.weight.eq(2).all()
    torch.testing.assert_close(embed(torch.randn(1, 3, 9, 9))[0].mean(2), torch.zeros(1, 9),
                               rtol=0, atol=1e-5)
    plain = PatchEmbed()
    assert (plain.embed_dims, plain.init_input_size, plain.init_out_size) == (768, None, None)
    assert PatchEmbed(input_size=30).init_out_size == (2, 2)
    with pytest.raises(RegistryError, match='Konv'):
        PatchEmbed(conv_type='Konv')


def windows(x, kernel, stride, dilation=1):
    """All windows of a map [C, H, W], each as a list of values, by row and column."""
    _, height, width = x.shape
    reach = dilation * (kernel - 1)
    return [[[x[c, top + dilation * i, left + dilation * j].item()
              for c in range(len(x)) for i in range(kernel) for j in range(kernel)]
             for left in range(0, width - reach, stride)]
            for top in range(0, height - reach, stride)]


@pytest.mark.parametrize(('options', 'pad'), [
    (dict(padding=0), 0), (dict(padding=1, stride=1), 1), (dict(padding=0, kernel_size=3), 0),
    (dict(padding=0, kernel_size=2, stride=1, dilation=2), 0)])
def test_merged_patches(options, pad):
    merge = PatchMerging(2, 5, bias=True, norm_cfg=None, **options)
    x = torch.randn(2, 2, 6, 9)
    kernel = options.get('kernel_size', 2)
    rows = [windows(F.pad(sample, (pad,) * 4), kernel, options.get('stride', kernel),
                    options.get('dilation', 1)) for sample in x]
    joined = torch.tensor(rows)
    found, size = merge(x.flatten(2).transpose(1, 2), (6, 9))
    assert size == joined.shape[1:3]
    torch.testing.assert_close(found, merge.reduction(joined.flatten(1, 2)))


def test_merging_odd_sizes():
    merge = PatchMerging(2, 5)
    x = torch.randn(1, 2, 3, 5)
    found, size = merge(x.flatten(2).transpose(1, 2), (3, 5))
    assert size == (2, 3)
    joined = torch.tensor([windows(F.pad(x, (0, 1, 0, 1))[0], 2, 2)]).flatten(1, 2)
    torch.testing.assert_close(found, merge.reduction(merge.norm(joined)))
    assert list(merge.state_dict()) == ['norm.weight', 'norm.bias', 'reduction.weight']
    same = PatchMerging(2, 5, padding='same', kernel_size=4)
    assert same(torch.randn(1, 15, 2), (3, 5))[1] == (1, 2)


def test_sizes_that_do_not_fit():
    merge = PatchMerging(2, 5)
    with pytest.raises(ConfigError, match='15 patches are not 4 x 4'):
        merge(torch.randn(1, 15, 2), (4, 4))
    with pytest.raises(TypeError, match=r'input_size=4 must be \(H, W\)'):
        merge(torch.randn(1, 16, 2), 4)
