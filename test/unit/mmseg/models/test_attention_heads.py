"""Options of the heads with a block of attention between their convolutions."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.bricks import attend
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import build_head

SIZES = dict(in_channels=8, channels=8, num_classes=3, norm_cfg=dict(type='BN'), dropout_ratio=0)


def make(kind, **options):
    torch.manual_seed(0)
    return build_head(dict(SIZES, type=kind, **options))


@pytest.mark.parametrize(('kind', 'options', 'message'), [
    ('NLHead', dict(mode='max'), "mode='max' is not one of gaussian, embedded_gaussian"),
    ('NLHead', dict(reduction=0), 'reduction=0 must be 1 or more'),
    ('NLHead', dict(num_convs=3), "'NLHead' sets 'num_convs' itself"),
    ('DNLHead', dict(temperature=0.0), r'DNLHead: temperature=0.0 must be above 0'),
    ('DNLHead', dict(temperature=0.1, mode='gaussian'),
     "DNLHead: temperature=0.1 does nothing with mode='gaussian': remove it, or set mode="),
    ('GCHead', dict(ratio=0.1), r'ratio=0.1 leaves none of in_channels=8: raise it to 1 / 8'),
    ('GCHead', dict(pooling_type='max'), "pooling_type='max' is not one of att, avg"),
    ('CCHead', dict(recurrence=0), 'CCHead: recurrence=0 must be 1 or more'),
    ('CCHead', dict(channels=4), 'in_channels=4 is below 8')])
def test_errors(kind, options, message):
    with pytest.raises((ArgumentError, ConfigError), match=message):
        make(kind, **options)


@pytest.mark.parametrize(('kind', 'name'), [('NLHead', 'nl_block'), ('DNLHead', 'dnl_block')])
def test_layers_of_a_non_local_block(kind, name):
    layer = getattr(make(kind, conv_cfg=dict(type='Conv2dAdaptivePadding'), reduction=4), name)
    for part in (layer.g, layer.theta, layer.phi, layer.conv_out):
        assert type(part.conv).__name__ == 'Conv2dAdaptivePadding'
        assert (part.conv.in_channels, part.conv.out_channels) in ((8, 2), (2, 8))
    assert isinstance(layer.conv_out.norm, nn.BatchNorm2d)
    assert layer.g.norm is None


def test_blocks_start_as_the_identity():
    """As published: training starts from the network without them."""
    x = torch.randn(1, 8, 5, 6)
    for kind, name in (('NLHead', 'nl_block'), ('DNLHead', 'dnl_block'), ('GCHead', 'gc_block'),
                       ('CCHead', 'cca')):
        torch.testing.assert_close(getattr(make(kind), name)(x), x)


def test_more_memory_only_where_it_is_asked_for(largest_tensor, monkeypatch):
    pixels = 24 * 30
    monkeypatch.setattr(attend, '_HOST_BYTES', 4 * 100 * pixels)  # of float32
    for kind in ('NLHead', 'DNLHead', 'CCHead'):
        with largest_tensor:
            make(kind)([torch.randn(2, 8, 24, 30)]).sum().backward()
        assert largest_tensor.size < 2 * pixels * 100, kind
    with largest_tensor:
        make('NLHead', fuse_attention=False)([torch.randn(2, 8, 24, 30)])
    assert largest_tensor.size >= 2 * pixels ** 2


@pytest.mark.parametrize('kind', ['FCNHead', 'NLHead'])
@pytest.mark.parametrize('change', [{}, dict(conv_cfg=dict(type='Conv2dAdaptivePadding')),
                                    dict(fuse_concat=False)])
def test_input_and_features_are_concatenated_only_where_it_is_asked_for(kind, change, monkeypatch):
    widths = []
    concatenate = torch.cat
    monkeypatch.setattr(torch, 'cat', lambda x, dim=0: widths.append(
        concatenate(x, dim).shape) or concatenate(x, dim))
    # Maps with fewer values than the weight are always copied: its parts would cost more.
    make(kind, **change)([torch.randn(2, 8, 12, 13)])
    assert widths == ([torch.Size([2, 16, 12, 13])] if change else [])
