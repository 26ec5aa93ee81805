"""Dropout of paths and values."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.bricks import Dropout, DropPath
from mmcv_replace.cnn.bricks.drop import build_dropout, drop_path
from mmcv_replace.utils.errors import RegistryError


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
def test_whole_samples_are_dropped_and_the_mean_stays(dtype):
    torch.manual_seed(0)
    x = torch.ones(20000, 2, 3, dtype=dtype, requires_grad=True)
    out = DropPath(0.1)(x)
    assert out.dtype == dtype
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.9], rel=5e-3)
    assert (out == out[:, :1, :1]).all()
    assert (out == 0).double().mean().item() == pytest.approx(0.1, abs=0.01)
    out.sum().backward()
    assert torch.equal(x.grad, out)


def test_draws_are_those_of_published_trainings():
    torch.manual_seed(0)
    numbers = torch.rand(50, 1)
    torch.manual_seed(0)
    assert torch.equal(DropPath(0.3)(torch.ones(50, 4)) > 0, (numbers >= 0.3).expand(50, 4))


def test_nothing_is_dropped_outside_training_or_without_probability():
    x = torch.ones(5, 2)
    assert DropPath(0.5).eval()(x) is x
    assert DropPath(0.)(x) is x
    assert drop_path(x, 0.5) is x
    assert drop_path(x, 0.5, training=True) is not x


def test_everything_is_dropped():
    assert DropPath(1.)(torch.ones(5, 2)).eq(0).all()


def test_layers_by_name():
    layer = build_dropout(dict(type='Dropout'), dict(drop_prob=0.3))
    assert isinstance(layer, nn.Dropout)
    assert (layer.p, layer.inplace, Dropout().p) == (0.3, False, 0.5)
    assert build_dropout(dict(type='Dropout', inplace=True)).inplace
    assert build_dropout(dict(type='DropPath')).drop_prob == 0.1
    with pytest.raises(RegistryError, match='DropPaht'):
        build_dropout(dict(type='DropPaht'))
