"""The feed-forward network."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.bricks import DropPath
from mmcv_replace.cnn.bricks.transformer import FFN, build_feedforward_network
from mmcv_replace.utils.errors import ConfigError


def by_hand(ffn, x):
    *hidden, last, _ = ffn.layers
    for layer in hidden:
        x = (x @ layer[0].weight.T + layer[0].bias).clamp(min=0)
    return x @ last.weight.T + last.bias


@pytest.mark.parametrize('num_fcs', [2, 4])
def test_values(num_fcs):
    ffn = FFN(8, 12, num_fcs)
    x, other = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    torch.testing.assert_close(ffn(x), x + by_hand(ffn, x))
    torch.testing.assert_close(ffn(x, other), other + by_hand(ffn, x))
    torch.testing.assert_close(ffn(x, residual=other), other + by_hand(ffn, x))
    ffn = FFN(8, 12, num_fcs, add_identity=False)
    torch.testing.assert_close(ffn(x, other), by_hand(ffn, x))
    assert [layer[0].weight.shape[0] for layer in ffn.layers[:-2]] == [12] * (num_fcs - 1)


def test_keys_of_the_state():
    assert list(FFN(8, 12, 3).state_dict()) == [
        f'layers.{place}.{kind}' for place in ('0.0', '1.0', '2') for kind in ('weight', 'bias')]


def test_options():
    ffn = FFN(8, 12, act_cfg=dict(type='GELU'), ffn_drop=0.25,
              dropout_layer=dict(type='DropPath', drop_prob=1.))
    assert ffn.layers[0][1] is ffn.activate
    assert isinstance(ffn.activate, nn.GELU)
    assert [layer.p for layer in ffn.modules() if isinstance(layer, nn.Dropout)] == [0.25, 0.25]
    assert isinstance(ffn.dropout_layer, DropPath)
    x = torch.randn(2, 3, 8)
    assert torch.equal(ffn(x), x)
    assert (ffn.embed_dims, ffn.feedforward_channels, ffn.num_fcs) == (8, 12, 2)


def test_old_and_unknown_names(monkeypatch):
    told = []
    monkeypatch.setattr('mmcv_replace.cnn.bricks.transformer.old_names.warn_once',
                        lambda message, logger: told.append(message))
    ffn = FFN(8, 12, dropout=0.3, add_residual=False, width=3)
    assert ffn.layers[-1].p == 0.3
    assert not ffn.add_identity
    assert told == ['FFN: dropout is an old name, use ffn_drop',
                    'FFN: add_residual is an old name, use add_identity', 'FFN does not use width']


def test_configs():
    assert isinstance(build_feedforward_network(dict(type='FFN'), dict(embed_dims=8)), FFN)
    with pytest.raises(ConfigError, match='num_fcs=1 must be at least 2'):
        FFN(num_fcs=1)
