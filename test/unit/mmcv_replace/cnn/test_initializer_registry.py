"""Every registered initializer draws what its formula says. A new one needs its cases alone."""
import copy
import math

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import INITIALIZERS, initialize

SHAPE = (64, 32, 3, 5)
FAN_IN, FAN_OUT = 32 * 15, 64 * 15


def normal(std, mean=0):
    return lambda: torch.randn(SHAPE) * std + mean


def uniform(low, high):
    return lambda: torch.rand(SHAPE) * (high - low) + low


def truncated(mean, std, low, high):
    def draw():
        values = torch.randn(20 * math.prod(SHAPE)) * std + mean
        return values[(values >= low) & (values <= high)][:math.prod(SHAPE)].view(SHAPE)
    return draw


# Name -> options, and the weights by the formula of the paper (see weight_init.py).
CASES = {
    'Constant': [(dict(val=3), lambda: torch.full(SHAPE, 3.0)),
                 (dict(val=-0.5), lambda: torch.full(SHAPE, -0.5))],
    'Normal': [({}, normal(1)), (dict(mean=2, std=0.1), normal(0.1, 2))],
    'TruncNormal': [({}, truncated(0, 1, -2, 2)),
                    (dict(mean=1, std=0.5, a=0.5, b=2), truncated(1, 0.5, 0.5, 2))],
    'Uniform': [({}, uniform(0, 1)), (dict(a=-3, b=2), uniform(-3, 2))],
    'Xavier': [({}, normal((2 / (FAN_IN + FAN_OUT)) ** 0.5)),
               (dict(gain=2, distribution='uniform'),
                uniform(*(sign * 2 * (6 / (FAN_IN + FAN_OUT)) ** 0.5 for sign in (-1, 1))))],
    'Kaiming': [({}, normal((2 / FAN_OUT) ** 0.5)),
                (dict(a=0.5, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform'),
                 uniform(*(sign * (6 / (1 + 0.5**2) / FAN_IN) ** 0.5 for sign in (-1, 1)))),
                (dict(nonlinearity='linear'), normal((1 / FAN_OUT) ** 0.5))],
    'Caffe2Xavier': [({}, uniform(*(sign * (3 / FAN_IN) ** 0.5 for sign in (-1, 1)))),
                     (dict(layer=['Conv2d', 'Linear']),
                      uniform(*(sign * (3 / FAN_IN) ** 0.5 for sign in (-1, 1))))],
    'Pretrained': [],  # draws nothing: see below
}
EACH = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]
each_case = pytest.mark.parametrize(('name', 'index'), EACH)


def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(SHAPE[1], SHAPE[0], SHAPE[2:]), nn.BatchNorm2d(SHAPE[0]))


def drawn(name, index, **more):
    module = make()
    initialize(module, {'layer': 'Conv2d', **CASES[name][index][0], **more, 'type': name})
    return module


def test_every_initializer_has_two_cases():
    assert set(CASES) == set(INITIALIZERS), 'add its cases above'
    assert all(len(cases) >= 2 for name, cases in CASES.items() if name != 'Pretrained')


@each_case
def test_weights_have_the_distribution_of_the_formula(name, index):
    found, expected = drawn(name, index)[0].weight.detach(), CASES[name][index][1]()
    width = expected.std().item() or 1
    quantiles = torch.tensor([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    torch.testing.assert_close(found.flatten().quantile(quantiles),
                               expected.flatten().quantile(quantiles), rtol=0, atol=0.05 * width)
    assert found.mean().item() == pytest.approx(expected.mean().item(), abs=0.02 * width)
    assert found.std().item() == pytest.approx(expected.std().item(), rel=0.02)
    assert found.min() >= expected.min() - 0.5 * width
    assert found.max() <= expected.max() + 0.5 * width


@each_case
def test_bias_and_other_layers(name, index):
    plain = make()
    for options, value in (({}, 0), (dict(bias=2), 2),
                           (dict(bias_prob=0.25), -math.log(3))):
        module = drawn(name, index, **options)
        torch.testing.assert_close(module[0].bias, torch.full((SHAPE[0],), float(value)))
        for one, other in zip(module[1].state_dict().values(), plain[1].state_dict().values(),
                              strict=True):
            assert torch.equal(one, other)


@each_case
def test_same_seed_same_weights(name, index):
    one, other = drawn(name, index), drawn(name, index)
    assert torch.equal(one[0].weight, other[0].weight)


@each_case
@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_other_types_of_numbers(name, index, dtype):
    module = make().to(dtype)
    initialize(module, {'layer': 'Conv2d', **CASES[name][index][0], 'type': name})
    weight = module[0].weight.detach()
    assert weight.dtype == dtype
    width = CASES[name][index][1]().std().item()
    assert weight.float().std().item() == pytest.approx(width, rel=0.02)


@pytest.mark.parametrize('options', [{}, dict(prefix='part')])
def test_pretrained_takes_the_weights_of_a_file(tmp_path, options):
    source, target = make(), make()
    with torch.no_grad():
        for value in source.parameters():
            value.add_(1)
    prefix = f'{options["prefix"]}.' if options else ''
    state = {f'{prefix}{key}': value for key, value in source.state_dict().items()}
    torch.save(copy.deepcopy(state), tmp_path / 'weights.pth')
    initialize(target, dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth'), **options))
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value), key
