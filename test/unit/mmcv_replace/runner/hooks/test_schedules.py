"""The pure functions against schedulers of torch and closed forms."""
import math

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from mmcv_replace.runner.schedules import policies

BASE, TOTAL = 0.2, 40


def of_torch(scheduler, steps=TOTAL, **kwargs):
    """Learning rates of a scheduler of torch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE, momentum=0.9)
    running = scheduler(optimizer, **kwargs)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        running.step()
    return rates


def ours(function, **kwargs):
    return [function(BASE, progress, **kwargs) for progress in range(TOTAL)]


@pytest.mark.parametrize(('function', 'options', 'scheduler', 'torch_options'), [
    (policies.step, {'step': 7, 'gamma': 0.5}, lr_scheduler.StepLR,
     {'step_size': 7, 'gamma': 0.5}),
    (policies.step, {'step': [5, 20], 'gamma': 0.1}, lr_scheduler.MultiStepLR,
     {'milestones': [5, 20], 'gamma': 0.1}),
    (policies.exponential, {'gamma': 0.9}, lr_scheduler.ExponentialLR, {'gamma': 0.9}),
    (policies.poly, {'total': TOTAL, 'power': 0.9}, lr_scheduler.PolynomialLR,
     {'total_iters': TOTAL, 'power': 0.9}),
    (policies.cosine, {'total': TOTAL, 'minimum': 0.01}, lr_scheduler.CosineAnnealingLR,
     {'T_max': TOTAL, 'eta_min': 0.01}),
    (policies.linear, {'total': TOTAL, 'minimum': 0.0}, lr_scheduler.LinearLR,
     {'start_factor': 1.0, 'end_factor': 0.0, 'total_iters': TOTAL}),
    (policies.cosine_restart, {'periods': [10, 20, 10], 'restart_weights': [1, 1, 1], 'minimum': 0},
     lr_scheduler.SequentialLR, 'restarts'),
])
def test_equal_to_torch(function, options, scheduler, torch_options):
    if torch_options == 'restarts':
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
        expected = []
        for period in options['periods']:
            optimizer.param_groups[0]['lr'] = optimizer.param_groups[0]['initial_lr'] = BASE
            expected += of_torch(lr_scheduler.CosineAnnealingLR, period, T_max=period)
    else:
        expected = of_torch(scheduler, **torch_options)
    np.testing.assert_allclose(ours(function, **options), expected, rtol=1e-9)


@pytest.mark.parametrize('anneal', ['cos', 'linear'])
@pytest.mark.parametrize('three_phase', [False, True])
@pytest.mark.parametrize('rising', [0.3, 0.01])  # with the latter the peak is before the beginning
def test_one_cycle_equal_to_torch(anneal, three_phase, rising):
    expected = of_torch(lr_scheduler.OneCycleLR, max_lr=2.0, total_steps=TOTAL, pct_start=rising,
                        anneal_strategy=anneal, div_factor=20, final_div_factor=100,
                        three_phase=three_phase, steps=TOTAL - 1)
    rates = [policies.one_cycle(i, TOTAL, rising, (0.1, 2.0, 0.001), anneal, three_phase)
             for i in range(TOTAL)]
    np.testing.assert_allclose(rates[:-1], expected, rtol=1e-9)
    assert rates[-1] == pytest.approx(0.001)


def test_poly_to_a_minimum():
    rates = ours(policies.poly, total=TOTAL, power=0.9, minimum=1e-4)
    assert rates[0] == BASE
    assert rates[10] == pytest.approx((BASE - 1e-4) * 0.75**0.9 + 1e-4)
    assert policies.poly(BASE, TOTAL, TOTAL, 0.9, 1e-4) == 1e-4
    assert policies.poly(BASE, TOTAL + 1, TOTAL, 0.9, 1e-4) == 1e-4


def test_linear_to_a_minimum():
    rates = ours(policies.linear, total=TOTAL, minimum=0.1)
    assert rates[:3] == pytest.approx([0.2, 0.1975, 0.195])
    assert policies.linear(BASE, TOTAL + 1, TOTAL, 0.1) == 0.1


def test_inverse():
    assert ours(policies.inverse, gamma=0.5, power=2)[4] == pytest.approx(BASE / 9)


def test_step_stops_at_a_minimum():
    assert min(ours(policies.step, step=5, gamma=0.1, minimum=1e-3)) == 1e-3


def test_flat_cosine():
    rates = ours(policies.flat_cosine, total=TOTAL, minimum=0.1, start_percent=0.75)
    assert rates[:31] == [BASE] * 31
    assert rates[35] == pytest.approx(0.15)
    assert policies.flat_cosine(BASE, TOTAL, TOTAL, 0.75, minimum=0.1) == pytest.approx(0.1)


def test_cosine_restart_weights_and_end():
    options = {'periods': [10, 10], 'restart_weights': [1, 0.5], 'minimum': 0.0}
    assert policies.cosine_restart(BASE, 10, **options) == pytest.approx(BASE / 2)
    assert policies.cosine_restart(BASE, 15, **options) == pytest.approx(BASE / 4)
    assert policies.cosine_restart(BASE, 25, **options) == 0.0


def test_cyclic_passes_through_its_points():
    values = [policies.cyclic(1.0, i, TOTAL, (5.0, 0.0), 2, 0.4) for i in range(TOTAL)]
    assert values[:20] == values[20:]
    assert values[0] == 1.0
    assert values[4] == pytest.approx(3.0)
    assert values[8] == 5.0
    assert values[14] == pytest.approx(2.5)
    assert values[19] == pytest.approx(2.5 * (1 + math.cos(math.pi * 11 / 12)))


@pytest.mark.parametrize(('kind', 'at_start', 'in_the_middle'), [
    ('constant', 0.25, 0.25), ('linear', 0.25, 0.625), ('exp', 0.25, 0.5)])
def test_warmup(kind, at_start, in_the_middle):
    assert policies.WARMUPS[kind](0, 0.25) == at_start
    assert policies.WARMUPS[kind](0.5, 0.25) == pytest.approx(in_the_middle)
