"""The global context block against its formula."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ContextBlock
from mmcv_replace.utils.errors import ConfigError

FUSIONS = (['channel_add'], ['channel_mul'], ('channel_add', 'channel_mul'))


def make(*args, **options):
    block = ContextBlock(*args, **options).double()
    for value in block.parameters():
        nn.init.uniform_(value, -1, 1)
    return block


def transform(layers, context):
    first, norm, _, last = layers
    hidden = context @ first.weight.flatten(1).T + first.bias
    mean = hidden.mean(1, keepdim=True)
    deviation = (hidden.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    hidden = (hidden - mean) / deviation * norm.weight.flatten() + norm.bias.flatten()
    out = hidden.clamp(min=0) @ last.weight.flatten(1).T + last.bias
    return out[:, :, None, None]


@pytest.mark.parametrize('fusion_types', FUSIONS)
@pytest.mark.parametrize('pooling_type', ['att', 'avg'])
def test_values_and_gradients(pooling_type, fusion_types):
    block = make(8, 0.5, pooling_type, fusion_types)
    x = torch.randn(2, 8, 4, 5, dtype=torch.float64, requires_grad=True)
    if pooling_type == 'att':
        scores = torch.einsum('c,nchw->nhw', block.conv_mask.weight.flatten(), x)
        weights = (scores + block.conv_mask.bias).exp()
        weights = weights / weights.sum((1, 2), keepdim=True)
    else:
        weights = torch.full((2, 4, 5), 1 / 20, dtype=torch.float64)
    context = torch.einsum('nchw,nhw->nc', x, weights)
    expected = x
    if 'channel_mul' in fusion_types:
        expected = x / (1 + (-transform(block.channel_mul_conv, context)).exp())
    if 'channel_add' in fusion_types:
        expected = expected + transform(block.channel_add_conv, context)
    torch.testing.assert_close(block.spatial_pool(x).flatten(1), context)
    torch.testing.assert_close(block(x), expected)
    leaves = [x, *block.parameters()]
    torch.testing.assert_close(torch.autograd.grad(block(x).square().sum(), leaves),
                               torch.autograd.grad(expected.square().sum(), leaves))


def test_keys_of_the_state():
    parts = [f'{index}.{kind}' for index in (0, 1, 3) for kind in ('weight', 'bias')]
    assert list(ContextBlock(8, 0.25, fusion_types=FUSIONS[2]).state_dict()) == [
        'conv_mask.weight', 'conv_mask.bias',
        *(f'channel_{name}_conv.{part}' for name in ('add', 'mul') for part in parts)]
    state = ContextBlock(8, 0.25, 'avg', FUSIONS[1]).state_dict()
    assert list(state) == [f'channel_mul_conv.{part}' for part in parts]
    assert state['channel_mul_conv.1.weight'].shape == (2, 1, 1)


def test_initial_weights():
    block = ContextBlock(1024, 0.25)
    x = torch.randn(2, 1024, 2, 2)
    assert torch.equal(block(x), x)
    assert block.conv_mask.weight.std().item() == pytest.approx((2 / 1024)**0.5, rel=0.1)
    assert block.planes == 256


@pytest.mark.parametrize(('options', 'message'), [
    (dict(pooling_type='max'), "pooling_type='max' is not one of att, avg"),
    (dict(fusion_types='channel_add'), "fusion_types='channel_add' must be a list"),
    (dict(fusion_types=()), 'must hold one or both of channel_add, channel_mul'),
    (dict(fusion_types=('add',)), 'must hold one or both of channel_add, channel_mul'),
    (dict(ratio=0.1), r'ContextBlock: ratio=0.1 leaves none of in_channels=8: raise it')])
def test_options_that_are_not_known(options, message):
    with pytest.raises(ConfigError, match=message):
        ContextBlock(8, **dict(ratio=0.5) | options)
