"""Distributions of drawn weights."""
import math

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import (
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from mmcv_replace.utils.errors import ConfigError

FAN_IN, FAN_OUT = 32 * 9, 64 * 9


def drawn(init, **options):
    conv = nn.Conv2d(32, 64, 3)
    init(conv, bias=0.25, **options)
    assert conv.bias.eq(0.25).all()
    return conv.weight.detach()


def check_normal(weight, mean, std):
    assert weight.mean().item() == pytest.approx(mean, abs=4 * std / weight.numel() ** 0.5)
    assert weight.std().item() == pytest.approx(std, rel=0.03)


def check_uniform(weight, low, high):
    assert weight.min() >= low
    assert weight.max() <= high
    assert weight.mean().item() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))
    assert weight.std().item() == pytest.approx((high - low) / 12**0.5, rel=0.03)


def test_constant():
    assert drawn(constant_init, val=3).eq(3).all()


def test_normal():
    check_normal(drawn(normal_init, mean=2, std=0.1), 2, 0.1)


def test_truncated_normal():
    weight = drawn(trunc_normal_init, mean=0, std=1, a=-0.5, b=1)
    assert weight.min() >= -0.5
    assert weight.max() <= 1
    check_normal(drawn(trunc_normal_init, std=0.1), 0, 0.1)


def test_uniform():
    check_uniform(drawn(uniform_init, a=-1, b=3), -1, 3)


def test_xavier():
    check_normal(drawn(xavier_init, gain=2), 0, 2 * (2 / (FAN_IN + FAN_OUT)) ** 0.5)
    bound = (6 / (FAN_IN + FAN_OUT)) ** 0.5
    check_uniform(drawn(xavier_init, distribution='uniform'), -bound, bound)


def test_kaiming():
    check_normal(drawn(kaiming_init), 0, (2 / FAN_OUT) ** 0.5)
    check_normal(drawn(kaiming_init, mode='fan_in'), 0, (2 / FAN_IN) ** 0.5)
    check_normal(drawn(kaiming_init, a=0.5, nonlinearity='leaky_relu'), 0,
                 (2 / 1.25 / FAN_OUT) ** 0.5)
    bound = (6 / FAN_OUT) ** 0.5
    check_uniform(drawn(kaiming_init, distribution='uniform'), -bound, bound)


def test_caffe2_xavier():
    bound = (3 / FAN_IN) ** 0.5
    check_uniform(drawn(caffe2_xavier_init), -bound, bound)


def test_prior_probability():
    assert 1 / (1 + math.exp(-bias_init_with_prob(0.01))) == pytest.approx(0.01)


@pytest.mark.parametrize('init', [xavier_init, kaiming_init])
def test_unknown_distribution(init):
    with pytest.raises(ConfigError, match="'laplace'.*'normal' or 'uniform'"):
        init(nn.Linear(2, 2), distribution='laplace')


@pytest.mark.parametrize('init', [xavier_init, normal_init, trunc_normal_init, uniform_init,
                                  kaiming_init, caffe2_xavier_init])
def test_layers_without_weights_are_left_alone(init):
    init(nn.ReLU())
    norm = nn.BatchNorm2d(3, affine=False)
    init(norm)
    no_bias = nn.Conv2d(3, 4, 3, bias=False)
    init(no_bias)
    assert torch.isfinite(no_bias.weight).all()
    constant_init(nn.ReLU(), 1)
