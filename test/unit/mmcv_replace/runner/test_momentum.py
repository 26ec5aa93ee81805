"""Momentum buffers that are made before the first step, against those that SGD makes itself."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.runner.optimizer.momentum import allocate_momentum


def trained(optimizer, model, steps=3):
    torch.manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().sum().backward()
        optimizer.step()
    return model.state_dict()


@pytest.mark.parametrize('options', [
    {}, {'nesterov': True, 'weight_decay': 0.1}, {'foreach': True}, {'fused': True},
    {'maximize': True}])
def test_steps_are_the_same(options):
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    plain, ours = model, copy.deepcopy(model)
    expected = trained(torch.optim.SGD(plain.parameters(), 1e-2, momentum=0.9, **options), plain)
    optimizer = torch.optim.SGD(ours.parameters(), 1e-2, momentum=0.9, **options)
    allocate_momentum(optimizer)
    assert all(not optimizer.state[p]['momentum_buffer'].any() for p in ours.parameters())
    assert all(torch.equal(value, expected[key]) for key, value in trained(optimizer, ours).items())


def test_what_is_there_stays():
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9)
    trained(optimizer, model)
    before = copy.deepcopy(optimizer.state_dict())
    allocate_momentum(optimizer)
    after = optimizer.state_dict()
    assert all(torch.equal(before['state'][i]['momentum_buffer'],
                           after['state'][i]['momentum_buffer']) for i in (0, 1))


class Own(torch.optim.SGD):
    """A user's optimizer, whose state may mean something else."""


@pytest.mark.parametrize('make', [
    lambda p: torch.optim.SGD(p, 0.1),
    lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.5),
    lambda p: torch.optim.Adam(p, 0.1),
    lambda p: Own(p, 0.1, momentum=0.9)])
def test_others_are_left_alone(make):
    optimizer = make(nn.Linear(4, 3).parameters())
    allocate_momentum(optimizer)
    assert not optimizer.state


def test_frozen_parameters_need_none():
    model = nn.Linear(4, 3)
    model.bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    allocate_momentum(optimizer)
    assert [p is model.weight for p in optimizer.state] == [True]


def test_a_run_begins_with_them(make_runner, make_loader):
    runner = make_runner(max_iters=1, momentum=0.9)
    runner.register_optimizer_hook({})
    runner.call_hook('before_run')
    assert all('momentum_buffer' in runner.optimizer.state[p] for p in runner.model.parameters())
