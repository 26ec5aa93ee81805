"""Generalised attention against a loop over pairs of pixels."""
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import GeneralizedAttention
from mmcv_replace.cnn.bricks import generalized_attention
from mmcv_replace.utils.errors import ConfigError

TYPES = ('1000', '0100', '0010', '0001', '1010', '0110', '0101', '1101', '1111')
STRIDES = (dict(kv_stride=1), dict(q_stride=2, kv_stride=2))


def make(channels=16, **options):
    torch.manual_seed(0)
    block = GeneralizedAttention(channels, **{'num_heads': 2, **options}).double()
    for value in block.parameters():
        if value.requires_grad:
            nn.init.uniform_(value, -0.5, 0.5)
    return block


def embed(block, layer, head, distance):
    """Features of one distance in pixels."""
    count = block.position_embedding_dim // 4
    angles = [distance * block.position_magnitude / 1000**(i / count) for i in range(count)]
    values = [math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles]
    features = layer.weight @ torch.tensor(values, dtype=torch.float64) / math.sqrt(2)
    return features.view(block.num_heads, -1)[head]


def energy(block, head, at, q, k):
    """Of the query at pixel `at[0]` and the key at pixel `at[1]`."""
    pair, place, key, distance = block.attention_type
    width = block.qk_embed_dim
    appr, geom = (getattr(block, name).view(-1, width)[head] if on else torch.zeros(width).double()
                  for name, on in (('appr_bias', key), ('geom_bias', distance)))
    total = 0
    if pair or key:
        total += (q * pair + appr) @ k
    if place or distance:
        for layer, axis in ((block.appr_geom_fc_y, 0), (block.appr_geom_fc_x, 1)):
            total += (q * place + geom) @ embed(block, layer, head, at[0][axis] - at[1][axis])
    return total


def by_hand(block, x):
    n, _, height, width = x.shape
    zeros = torch.zeros(n, block.num_heads * block.qk_embed_dim, height, width, dtype=x.dtype)
    q, k, v = ((getattr(block, name)(x) if hasattr(block, name) else zeros).unflatten(
        1, (block.num_heads, -1)) for name in ('query_conv', 'key_conv', 'value_conv'))
    queries, keys = ([(row, column) for row in range(0, height, step)
                      for column in range(0, width, step)]
                     for step in (block.q_stride, block.kv_stride))
    out = []
    for i in range(n):
        for head in range(block.num_heads):
            for a in queries:
                scores = torch.stack([energy(block, head, (a, b), q[(i, head, ..., *a)],
                                             k[(i, head, ..., *b)]) for b in keys])
                if block.spatial_range >= 0:
                    far = block.local_constraint_map[a][tuple(zip(*[
                        (b[0] // block.kv_stride, b[1] // block.kv_stride) for b in keys],
                        strict=True))]
                    scores = scores.masked_fill(far.bool(), -math.inf)
                values = torch.stack([v[(i, head, ..., *b)] for b in keys])
                out.append(scores.softmax(0) @ values)
    small = (-(-height // block.q_stride), -(-width // block.q_stride))
    out = torch.stack(out).view(n, block.num_heads, len(queries), -1).transpose(2, 3)
    out = block.proj_conv(out.reshape(n, -1, *small))
    if block.q_stride > 1:
        out = F.interpolate(out, (height, width), mode='bilinear', align_corners=False)
    return block.gamma * out + x


@pytest.mark.parametrize('strides', STRIDES)
@pytest.mark.parametrize('attention_type', TYPES)
def test_values(attention_type, strides):
    block = make(attention_type=attention_type, **strides)
    x = torch.randn(1, 16, 3, 4, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block(x), by_hand(block, x))


@pytest.mark.parametrize('options', [
    dict(position_embedding_dim=8), dict(position_magnitude=3), dict(num_heads=5)])
def test_options(options):
    block = make(kv_stride=1, **options)
    x = torch.randn(2, 16, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block(x), by_hand(block, x))


def test_keys_far_away_do_not_count():
    block = make(256, spatial_range=1, attention_type='1000')
    x = torch.randn(1, 256, 5, 6, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block(x), by_hand(block, x))
    assert block.local_constraint_map.shape == (84, 84, 42, 42)
    near = block.local_constraint_map[10, 7].eq(0).nonzero().tolist()
    assert near == [[y, x] for y in (4, 5, 6) for x in (3, 4)]
    with pytest.raises(ConfigError, match=r'maps up to 84 pixels high and wide, not \(2, 85\)'):
        block(torch.zeros(1, 256, 2, 85).double())


def test_published_values():
    """Values of another implementation, for weights that follow a formula."""
    block = GeneralizedAttention(8, num_heads=2).double()
    for index, (_, value) in enumerate(sorted(block.named_parameters())):
        count = torch.arange(value.numel(), dtype=torch.float64).view_as(value)
        value.data = (count * 0.7 + index).sin() * 0.5
    x = (torch.arange(8 * 12, dtype=torch.float64).view(1, 8, 3, 4) * 0.37).cos()
    found = block(x)[0, :2, 1].flatten().tolist()
    assert found == pytest.approx([
        0.0676435937252557, -0.2801252937118433, -0.5898322449411244, -0.8208911725782758,
        0.9413916393592708, 1.0181982010570754, 0.9602189817562744, 0.7741994109139434], rel=1e-12)


@pytest.mark.parametrize('attention_type', TYPES)
def test_rows_of_queries_one_after_another(monkeypatch, attention_type):
    block = make(attention_type=attention_type)
    x = torch.randn(2, 16, 7, 5, dtype=torch.float64, requires_grad=True)
    leaves = [x, *block.parameters()]
    results = []
    for largest in (2**25, 2 * 2 * 5 * 12 * 2):
        monkeypatch.setattr(generalized_attention, '_LARGEST', largest)
        out = block(x)
        results.append([out, *torch.autograd.grad(out.square().sum(), leaves)])
    torch.testing.assert_close(*results)


def test_not_all_energies_are_in_memory(monkeypatch, largest_tensor):
    monkeypatch.setattr(generalized_attention, '_LARGEST', 50000)
    block = GeneralizedAttention(16, num_heads=2, kv_stride=1)
    with largest_tensor:
        block(torch.randn(1, 16, 24, 24, requires_grad=True)).sum().backward()
    assert largest_tensor.size <= 50000 < 2 * 24**4


@pytest.mark.parametrize(('attention_type', 'names'), [
    ('1111', ['appr_bias', 'geom_bias', 'gamma', 'query_conv.weight', 'key_conv.weight',
              'value_conv.weight', 'appr_geom_fc_x.weight', 'appr_geom_fc_y.weight']),
    ('1000', ['gamma', 'query_conv.weight', 'key_conv.weight', 'value_conv.weight']),
    ('0100', ['gamma', 'query_conv.weight', 'value_conv.weight', 'appr_geom_fc_x.weight',
              'appr_geom_fc_y.weight']),
    ('0010', ['appr_bias', 'gamma', 'key_conv.weight', 'value_conv.weight']),
    ('0001', ['geom_bias', 'gamma', 'value_conv.weight', 'appr_geom_fc_x.weight',
              'appr_geom_fc_y.weight'])])
def test_keys_of_the_state(attention_type, names):
    state = GeneralizedAttention(20, attention_type=attention_type).state_dict()
    assert list(state) == [*names, 'proj_conv.weight', 'proj_conv.bias']
    assert state['value_conv.weight'].shape == (18, 20, 1, 1)


def test_initial_weights():
    block = GeneralizedAttention(128, num_heads=4)
    x = torch.randn(1, 128, 4, 4)
    assert torch.equal(block(x), x)
    for layer, fan in ((block.query_conv, 128), (block.appr_geom_fc_x, 64), (block.proj_conv, 128)):
        assert layer.weight.std().item() == pytest.approx(fan**-0.5, rel=0.05)
        assert layer.weight.abs().max() <= (3 / fan)**0.5
    for bias in (block.appr_bias, block.geom_bias):
        assert bias.abs().max() <= (2 * 32)**-0.5
        assert bias.min() < 0 < bias.max()


@pytest.mark.parametrize(('options', 'message'), [
    (dict(attention_type='111'), "attention_type='111' must be four of 0 and 1"),
    (dict(attention_type='0000'), "attention_type='0000' must be four of 0 and 1, with a 1"),
    (dict(attention_type='11x1'), "attention_type='11x1' must be four of 0 and 1"),
    (dict(spatial_range=2), 'spatial_range=2 needs 256 or 512 channels, not in_channels=16'),
    (dict(position_embedding_dim=6), 'position_embedding_dim=6 must be divisible by 4')])
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=message):
        GeneralizedAttention(16, **options)
