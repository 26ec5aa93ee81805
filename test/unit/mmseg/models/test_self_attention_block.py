"""SelfAttentionBlock against loops over its pixels, in both forms, and what it refuses."""
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.utils.errors import ConfigError
from mmseg.models.utils import SelfAttentionBlock

BASE = dict(key_in_channels=6, query_in_channels=6, channels=4, out_channels=5,
            share_key_query=False, query_downsample=None, key_downsample=None,
            key_query_num_convs=1, value_out_num_convs=1, key_query_norm=False,
            value_out_norm=False, matmul_norm=False, with_out=False,
            conv_cfg=None, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


class Mean(nn.AvgPool2d):
    averages = True


CHANGES = [
    {},
    dict(matmul_norm=True),
    dict(with_out=True),
    dict(share_key_query=True, key_query_num_convs=2, key_query_norm=True),
    dict(key_in_channels=3, with_out=True, value_out_norm=True, value_out_num_convs=2),
    dict(with_out=True, value_out_num_convs=3, key_query_num_convs=2),
    dict(with_out=True, value_out_norm=True, out_channels=3, conv_cfg=dict(
        type='Conv2dAdaptivePadding')),
    dict(query_downsample=nn.MaxPool2d(2), matmul_norm=True),
    dict(key_downsample=nn.MaxPool2d(2), with_out=True, out_channels=3),
    dict(key_downsample=Mean(2), matmul_norm=True, with_out=True),
    dict(key_downsample=Mean(2), value_out_norm=True),
]


def build(**changes):
    torch.manual_seed(0)
    block = SelfAttentionBlock(**BASE | changes).double()
    for name, value in block.state_dict().items():
        if not name.endswith('tracked'):
            nn.init.uniform_(value, 0.1 if name.endswith('var') else -1, 1)
    return block


def inputs(block, seed=1):
    torch.manual_seed(seed)
    return (torch.randn(2, block.query_in_channels, 6, 8, dtype=torch.float64),
            torch.randn(2, block.key_in_channels, 4, 6, dtype=torch.float64))


def in_loops(block, query_feats, key_feats):
    query, key = block.query_project(query_feats), block.key_project(key_feats)
    value = block.value_project(key_feats)
    if block.query_downsample is not None:
        query = block.query_downsample(query)
    if block.key_downsample is not None:
        key, value = block.key_downsample(key), block.key_downsample(value)
    out = query.new_zeros(len(query), value.shape[1], *query.shape[2:])
    for n in range(len(query)):
        keys = key[n].flatten(1).unbind(1)
        for i in range(query.shape[2]):
            for j in range(query.shape[3]):
                energy = torch.stack([query[n, :, i, j] @ each for each in keys])
                weight = (energy / 2 if block.matmul_norm else energy).exp()  # 2: root of 4
                out[n, :, i, j] = value[n].flatten(1) @ (weight / weight.sum())
    return out if block.out_project is None else block.out_project(out)


@pytest.mark.parametrize('fuse', [True, False], ids=['fused', 'plain'])
@pytest.mark.parametrize('changes', CHANGES, ids=str)
@torch.no_grad()
def test_values(changes, fuse):
    block = build(**changes, fuse_attention=fuse).eval()
    found = block(*inputs(block))
    torch.testing.assert_close(found, in_loops(block, *inputs(block)))
    assert found.shape[:2] == (2, block.out_channels)


@pytest.mark.parametrize('changes', CHANGES, ids=str)
def test_gradients_of_both_forms_in_training(changes):
    found = []
    for fuse in (True, False):
        block = build(**changes, fuse_attention=fuse)
        x = [each.requires_grad_() for each in inputs(block)]
        block(*x).square().sum().backward()
        found.append({name: value.grad for name, value in block.named_parameters()}
                     | {f'inputs.{i}': each.grad for i, each in enumerate(x)})
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-9)


def test_names_of_the_weights():
    assert [*SelfAttentionBlock(**BASE | dict(with_out=True)).state_dict()] == [
        f'{part}_project.{value}' for part in ('key', 'query', 'value', 'out')
        for value in ('weight', 'bias')]
    shared = SelfAttentionBlock(**BASE | dict(share_key_query=True, key_query_norm=True))
    assert shared.query_project is shared.key_project
    assert {'key_project.conv.weight', 'query_project.bn.weight'} <= shared.state_dict().keys()


def test_the_projection_of_the_result_starts_as_zero():
    block = SelfAttentionBlock(**BASE | dict(with_out=True))
    assert not block.out_project.weight.any()
    nn.init.ones_(block.out_project.weight)
    block.init_weights()
    assert not block.out_project.weight.any()
    block = SelfAttentionBlock(**BASE | dict(with_out=True, value_out_norm=True))
    assert block.out_project.conv.weight.any()


def count_products(block):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        block(*inputs(block))
    return counter.get_total_flops()


@pytest.mark.parametrize('changes', [
    dict(with_out=True),
    dict(with_out=True, value_out_norm=True),
    dict(key_downsample=Mean(2), out_channels=2)], ids=str)
def test_the_fused_form_multiplies_less(changes):
    fused, plain = (count_products(build(channels=24, **changes, fuse_attention=fuse))
                    for fuse in (True, False))
    assert fused < plain


def test_hooks_of_the_projection_see_its_input():
    block, seen = build(with_out=True, channels=24), []
    block.out_project.register_forward_pre_hook(lambda layer, args: seen.append(args[0].shape))
    block(*inputs(block))
    assert seen == [(2, 24, 6, 8)]


@pytest.mark.parametrize(('changes', 'message'), [
    (dict(share_key_query=True, key_in_channels=3),
     'share_key_query needs .* key_in_channels=3 and query_in_channels=6: set share_key_query=F'),
    (dict(key_query_num_convs=0), 'key_query_num_convs=0 must be 1 or more'),
    (dict(value_out_num_convs=0), 'value_out_num_convs=0 must be 1 or more')])
def test_what_is_refused(changes, message):
    with pytest.raises(ConfigError, match=f'SelfAttentionBlock: {message}'):
        SelfAttentionBlock(**BASE | changes)
