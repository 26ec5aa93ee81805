"""MultiheadAttention against the softmax of all pairs, written out."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.bricks import DropPath
from mmcv_replace.cnn.bricks.transformer import MultiheadAttention, build_attention

N, Q, K, C, HEADS = 2, 5, 7, 8, 2


def make(**options):
    torch.manual_seed(0)
    block = MultiheadAttention(C, HEADS, **options).double().eval()
    for value in block.parameters():
        nn.init.uniform_(value, -1, 1)
    return block


def sequences(*lengths):
    torch.manual_seed(1)
    return [torch.randn(N, length, C, dtype=torch.float64) for length in lengths]


def by_hand(block, query, key, value, forbidden=None, bias=None):
    """Attention of [N, Q, C], without the sum; `forbidden`, `bias`: [N, Q, K]."""
    width = C // HEADS
    weights = block.attn.in_proj_weight.chunk(3)
    biases = block.attn.in_proj_bias.chunk(3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), weights, biases, strict=True))
    heads = []
    for head in range(HEADS):
        part = slice(head * width, (head + 1) * width)
        scores = q[..., part] @ k[..., part].transpose(1, 2) / width**0.5
        if bias is not None:
            scores = scores + bias
        if forbidden is not None:
            scores = scores.masked_fill(forbidden, -torch.inf)
        share = scores.exp() / scores.exp().sum(2, keepdim=True)
        heads.append(share @ v[..., part])
    return torch.cat(heads, 2) @ block.attn.out_proj.weight.T + block.attn.out_proj.bias


def run(block, *tensors, **named):
    """With sequences [N, Q, C], whatever the block wants."""
    def turn(x):
        return x if block.batch_first or x.dim() != 3 else x.transpose(0, 1)

    return turn(block(*map(turn, tensors), **{name: turn(x) for name, x in named.items()}))


@pytest.mark.parametrize('batch_first', [False, True])
def test_values_and_gradients(batch_first):
    block = make(batch_first=batch_first)
    leaves = [x.requires_grad_() for x in sequences(Q, K, K)]
    out, expected = run(block, *leaves), leaves[0] + by_hand(block, *leaves)
    torch.testing.assert_close(out, expected)
    leaves += block.parameters()
    torch.testing.assert_close(torch.autograd.grad(out.square().sum(), leaves),
                               torch.autograd.grad(expected.square().sum(), leaves))


def test_defaults_of_key_value_and_identity():
    block = make(batch_first=True)
    query, key, other = sequences(Q, K, Q)
    torch.testing.assert_close(block(query), query + by_hand(block, query, query, query))
    torch.testing.assert_close(block(query, key), query + by_hand(block, query, key, key))
    expected = other + by_hand(block, query, query, query)
    torch.testing.assert_close(block(query, identity=other), expected)
    torch.testing.assert_close(block(query, residual=other), expected)
    torch.testing.assert_close(block(query, something_else=3), block(query))


def test_positions():
    block = make(batch_first=True)
    query, key, pos, key_pos = sequences(Q, K, Q, K)
    torch.testing.assert_close(block(query, query_pos=pos),
                               query + by_hand(block, query + pos, query + pos, query))
    torch.testing.assert_close(block(query, key, query_pos=pos, key_pos=key_pos),
                               query + by_hand(block, query + pos, key + key_pos, key))
    torch.testing.assert_close(block(query, query_pos=pos, key_pos=torch.zeros(1).double()),
                               query + by_hand(block, query + pos, query, query))


def test_keys_without_positions_are_told(monkeypatch):
    told = []
    monkeypatch.setattr('mmcv_replace.cnn.bricks.transformer.attention.warn_once',
                        lambda message, logger: told.append(message))
    block = make(batch_first=True)
    query, key, pos = sequences(Q, K, Q)
    torch.testing.assert_close(block(query, key, query_pos=pos),
                               query + by_hand(block, query + pos, key, key))
    assert len(told) == 1
    assert 'the keys get no positions' in told[0]


def test_masks():
    block = make(batch_first=True)
    query, key = sequences(Q, K)
    padding = torch.zeros(N, K, dtype=torch.bool)
    padding[0, 2:4] = padding[1, 6] = True
    mask = torch.rand(Q, K) < 0.3
    bias = torch.randn(Q, K, dtype=torch.float64)
    torch.testing.assert_close(block(query, key, key_padding_mask=padding),
                               query + by_hand(block, query, key, key, padding.unsqueeze(1)))
    torch.testing.assert_close(block(query, key, attn_mask=mask, key_padding_mask=padding),
                               query + by_hand(block, query, key, key, padding.unsqueeze(1) | mask))
    torch.testing.assert_close(block(query, key, attn_mask=bias),
                               query + by_hand(block, query, key, key, bias=bias))


def test_other_widths_of_keys_and_values():
    block = make(kdim=3, vdim=4, bias=False)
    assert list(block.state_dict()) == [
        'attn.q_proj_weight', 'attn.k_proj_weight', 'attn.v_proj_weight', 'attn.out_proj.weight']
    x = torch.randn(Q, N, C).double()
    assert block(x, x[..., :3], x[..., :4]).shape == (Q, N, C)


def test_keys_of_the_state():
    assert list(MultiheadAttention(C, HEADS).state_dict()) == [
        'attn.in_proj_weight', 'attn.in_proj_bias', 'attn.out_proj.weight', 'attn.out_proj.bias']


def test_dropouts():
    query, = sequences(Q)
    for options in (dict(attn_drop=0.5), dict(proj_drop=0.5),
                    dict(dropout_layer=dict(type='Dropout', drop_prob=0.5))):
        block = make(batch_first=True, **options)
        assert not torch.equal(block.train()(query), block(query)), options
        assert torch.equal(block.eval()(query), block(query)), options
    block = make(batch_first=True, dropout_layer=dict(type='DropPath', drop_prob=1.))
    assert isinstance(block.dropout_layer, DropPath)
    assert torch.equal(block.train()(query), query)
    assert isinstance(make(dropout_layer=None).dropout_layer, nn.Identity)


def test_dropout_under_its_old_name():
    shared = dict(type='Dropout', drop_prob=0.)
    block = MultiheadAttention(C, HEADS, dropout=0.3, dropout_layer=shared)
    assert (block.attn.dropout, block.dropout_layer.p) == (0.3, 0.3)
    assert shared['drop_prob'] == 0


def test_no_matrix_of_all_weights_in_memory(largest_tensor):
    with largest_tensor:
        MultiheadAttention(C, HEADS)(torch.randn(1600, 1, C, requires_grad=True)).sum().backward()
    assert largest_tensor.size < 1600 * 100


def test_configs():
    block = build_attention(dict(type='MultiheadAttention', embed_dims=C, num_heads=HEADS),
                            dict(batch_first=True))
    assert (block.embed_dims, block.num_heads, block.batch_first) == (C, HEADS, True)
    with pytest.raises(AssertionError, match='divisible'):
        MultiheadAttention(8, 3)
    with pytest.raises(TypeError, match='heads'):
        MultiheadAttention(8, 2, heads=3)
