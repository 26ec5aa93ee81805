"""Transformer layers, and sequences of them, against the same steps one by one."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.bricks.registry import ATTENTION, POSITIONAL_ENCODING
from mmcv_replace.cnn.bricks.transformer import (
    BaseTransformerLayer,
    TransformerLayerSequence,
    build_positional_encoding,
    build_transformer_layer,
    build_transformer_layer_sequence,
)
from mmcv_replace.utils.errors import ConfigError

ATTN = dict(type='MultiheadAttention', embed_dims=8, num_heads=2)
FFN = dict(type='FFN', embed_dims=8, feedforward_channels=16)
ORDERS = [('self_attn', 'norm', 'cross_attn', 'norm', 'ffn', 'norm'),
          ('norm', 'self_attn', 'norm', 'cross_attn', 'norm', 'ffn'), ('cross_attn', 'ffn', 'ffn')]


def make(order, **options):
    torch.manual_seed(0)
    return BaseTransformerLayer(ATTN, FFN, order, **options).double()


def tensors(*lengths):
    return [torch.randn(2, length, 8, dtype=torch.float64) for length in lengths]


@pytest.mark.parametrize('order', ORDERS)
def test_steps(order):
    layer = make(order, batch_first=True)
    query, key, value, pos, key_pos = tensors(5, 7, 7, 5, 7)
    own_padding = torch.zeros(2, 5, dtype=torch.bool)
    padding = torch.zeros(2, 7, dtype=torch.bool)
    own_padding[0, 1] = padding[1, 3] = True
    found = layer(query, key, value, pos, key_pos, query_key_padding_mask=own_padding,
                  key_padding_mask=padding)
    parts = {'self_attn': iter(layer.attentions), 'norm': iter(layer.norms),
             'ffn': iter(layer.ffns)}
    parts['cross_attn'] = parts['self_attn']
    x = base = query
    for step in order:
        part = next(parts[step])
        identity = base if order[0] == 'norm' else x
        if step == 'self_attn':
            x = base = part(x, x, x, identity, pos, pos, None, own_padding)
        elif step == 'cross_attn':
            x = base = part(x, key, value, identity, pos, key_pos, None, padding)
        else:
            x = part(x, identity) if step == 'ffn' else part(x)
    torch.testing.assert_close(found, x)


def test_sum_after_a_network_leaves_that_network_out():
    """As the layers were in which published weights were trained."""
    layer = make(('norm', 'ffn', 'self_attn'), batch_first=True)
    query, = tensors(5)
    x = layer.ffns[0](layer.norms[0](query), query)
    torch.testing.assert_close(layer(query), layer.attentions[0](x, x, x, query))


def test_masks_of_each_attention():
    layer = make(('self_attn', 'cross_attn', 'norm'), batch_first=True)
    query, key = tensors(5, 5)
    first, second = torch.rand(2, 5, 5) < 0.2
    one = layer.attentions[0](query, attn_mask=first)
    two = layer.norms[0](layer.attentions[1](one, key, key, attn_mask=second))
    torch.testing.assert_close(layer(query, key, key, attn_masks=[first, second]), two)
    torch.testing.assert_close(layer(query, key, key, attn_masks=first),
                               layer(query, key, key, attn_masks=[first, first]))
    with pytest.raises(AssertionError, match='3 attn_masks for 2 attentions'):
        layer(query, key, key, attn_masks=[None] * 3)


def test_batch_first_is_the_same_turned():
    one, other = make(ORDERS[0]), make(ORDERS[0], batch_first=True)
    query, key = tensors(5, 7)
    turned = one(query.transpose(0, 1), key.transpose(0, 1), key.transpose(0, 1))
    torch.testing.assert_close(turned.transpose(0, 1), other(query, key, key))
    assert all(attention.batch_first for attention in other.attentions)


def test_attributes():
    layer = make(ORDERS[1])
    assert (layer.pre_norm, layer.num_attn, layer.embed_dims, layer.operation_order) == (
        True, 2, 8, ORDERS[1])
    assert [a.operation_name for a in layer.attentions] == ['self_attn', 'cross_attn']
    assert not make(ORDERS[0]).pre_norm
    assert isinstance(make(ORDERS[0], norm_cfg=dict(type='BN1d')).norms[0], nn.BatchNorm1d)
    assert list(layer.state_dict())[0] == 'attentions.0.attn.in_proj_weight'
    assert list(layer.state_dict())[8] == 'ffns.0.layers.0.0.weight'


def test_a_config_for_each_part():
    layer = BaseTransformerLayer(
        [ATTN, dict(ATTN, num_heads=4)], [FFN, dict(feedforward_channels=4)],
        ['self_attn', 'ffn', 'cross_attn', 'ffn'])
    assert [attention.num_heads for attention in layer.attentions] == [2, 4]
    assert [ffn.feedforward_channels for ffn in layer.ffns] == [16, 4]
    assert dict(type='MultiheadAttention', embed_dims=8, num_heads=2) == ATTN


def test_old_names_and_unknown_ones(monkeypatch):
    told = []
    monkeypatch.setattr('mmcv_replace.cnn.bricks.transformer.old_names.warn_once',
                        lambda message, logger: told.append(message))
    layer = BaseTransformerLayer(ATTN, FFN, ('self_attn', 'ffn'), feedforward_channels=20,
                                 ffn_dropout=0.3, ffn_num_fcs=3, depth=2)
    ffn = layer.ffns[0]
    assert (ffn.feedforward_channels, ffn.layers[-1].p, ffn.num_fcs) == (20, 0.3, 3)
    assert len(told) == 4
    assert told[-1] == 'BaseTransformerLayer does not use depth'


@pytest.mark.parametrize(('options', 'message'), [
    (dict(operation_order=None), 'operation_order=None must be a list of self_attn'),
    (dict(operation_order=('attn',)), r"operation_order=\('attn',\) must be a list of self_attn"),
    (dict(operation_order=('norm',)), 'lacks an attention'),
    (dict(attn_cfgs=None), 'attn_cfgs=None must be a dict or a list'),
    (dict(attn_cfgs=[ATTN] * 2), '2 attn_cfgs for 1 such steps'),
    (dict(ffn_cfgs=[FFN] * 2), '2 ffn_cfgs for 1 such steps'),
    (dict(ffn_cfgs=dict(FFN, embed_dims=4)), 'embed_dims=4 of ffn_cfgs, but .* attention is 8'),
    (dict(attn_cfgs=dict(ATTN, batch_first=True)), 'batch_first=False, but .* attention is True')])
def test_configs_that_do_not_fit(options, message):
    with pytest.raises(ConfigError, match=message):
        BaseTransformerLayer(**{**dict(attn_cfgs=ATTN, ffn_cfgs=FFN,
                                       operation_order=('self_attn', 'ffn')), **options})


LAYER = dict(type='BaseTransformerLayer', attn_cfgs=ATTN, ffn_cfgs=FFN,
             operation_order=('self_attn', 'cross_attn', 'ffn'))


def test_sequence_of_layers():
    sequence = TransformerLayerSequence(LAYER, 3).double()
    query, key, pos = (x.transpose(0, 1) for x in tensors(5, 7, 5))
    expected = query
    for layer in sequence.layers:
        expected = layer(expected, key, key, pos)
    torch.testing.assert_close(sequence(query, key, key, pos), expected)
    assert (sequence.num_layers, sequence.embed_dims, sequence.pre_norm) == (3, 8, False)
    assert len({id(layer) for layer in sequence.layers}) == 3
    assert len(TransformerLayerSequence([LAYER, LAYER], 2).layers) == 2


@pytest.mark.parametrize(('options', 'message'), [
    ({}, 'num_layers=None must be a number'),
    (dict(num_layers=2), 'transformerlayers must be a dict, or a list of num_layers=2 dicts'),
    (dict(num_layers=2, transformerlayers=[LAYER]), 'a list of num_layers=2 dicts')])
def test_sequences_that_cannot_be_built(options, message):
    with pytest.raises(AssertionError, match=message):
        TransformerLayerSequence(**options)


def test_builders_and_classes_of_a_user():
    class Sine(nn.Module):
        def __init__(self, num_feats):
            super().__init__()
            self.num_feats = num_feats

    class Zero(nn.Module):
        def __init__(self, embed_dims, batch_first=False):
            super().__init__()
            self.embed_dims = embed_dims

        def forward(self, query, *args, spatial_shapes, **kwargs):
            return query * spatial_shapes

    POSITIONAL_ENCODING.register_module(module=Sine)
    ATTENTION.register_module(module=Zero)
    try:
        assert build_positional_encoding(dict(type='Sine', num_feats=4)).num_feats == 4
        layer = build_transformer_layer(dict(
            type='BaseTransformerLayer', attn_cfgs=dict(type='Zero', embed_dims=8),
            operation_order=('self_attn',)))
        x = torch.ones(5, 2, 8)
        assert torch.equal(layer(x, spatial_shapes=3), 3 * x)
    finally:
        del POSITIONAL_ENCODING.module_dict['Sine'], ATTENTION.module_dict['Zero']
    sequence = build_transformer_layer_sequence(
        dict(type='TransformerLayerSequence', transformerlayers=LAYER), dict(num_layers=1))
    assert len(sequence.layers) == 1
