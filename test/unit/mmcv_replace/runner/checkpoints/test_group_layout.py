"""States with one group a parameter, as mmcv saves them, resume in joined groups and back."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.runner import Precision, build_optimizer
from mmcv_replace.runner.checkpoints.optimizer_state import load_optimizer_state
from mmcv_replace.utils.errors import CheckpointError

PARAMWISE = dict(norm_decay_mult=0., bias_lr_mult=2., custom_keys={'2.weight': dict(lr_mult=10.)})
# Learning rate and weight decay of each parameter under PARAMWISE, with a base of 0.1 and 0.01.
SETTINGS = {'0.weight': (0.1, 0.01), '0.bias': (0.2, 0.01), '1.weight': (0.1, 0.),
            '1.bias': (0.1, 0.), '2.weight': (1., 0.01), '2.bias': (0.2, 0.01)}
OPTIONS = {'SGD': dict(momentum=0.9), 'AdamW': {}}
PLAIN = dict(fused=False, foreach=False)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def one_group_each(model, type):
    """An optimizer of torch with the groups that mmcv makes under PARAMWISE."""
    groups = [dict(params=[parameter], lr=SETTINGS[name][0], weight_decay=SETTINGS[name][1])
              for name, parameter in model.named_parameters()]
    return getattr(torch.optim, type)(groups, lr=0.1, weight_decay=0.01, **OPTIONS[type], **PLAIN)


def ours(model, type, joined, **paramwise):
    return build_optimizer(model, dict(
        type=type, lr=0.1, weight_decay=0.01, paramwise_cfg={**PARAMWISE, **paramwise},
        **OPTIONS[type], **PLAIN), joined=joined)


def train(model, optimizer, steps=3):
    x = torch.linspace(-1, 1, 15).reshape(5, 3)
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def resume(saved, model, optimizer):
    return load_optimizer_state(optimizer, {'optimizer': copy.deepcopy(saved)}, 'x.pth')


@pytest.mark.parametrize('type', OPTIONS)
@pytest.mark.parametrize('joined', [True, False])
def test_a_state_of_mmcv_goes_on_as_there(type, joined):
    model = network()
    theirs = one_group_each(model, type)
    train(model, theirs)
    copied = copy.deepcopy(model)
    optimizer = ours(copied, type, joined)
    assert len(optimizer.param_groups) == (4 if joined else 6)
    assert resume(theirs.state_dict(), copied, optimizer) == []
    train(model, theirs)
    train(copied, optimizer)
    for one, other in zip(model.parameters(), copied.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize('type', OPTIONS)
def test_a_state_of_joined_groups_goes_on_in_one_each(type):
    model = network()
    first = ours(model, type, joined=True)
    train(model, first)
    copied = copy.deepcopy(model)
    second = ours(copied, type, joined=False)
    assert resume(first.state_dict(), copied, second) == []
    assert [len(group['params']) for group in second.param_groups] == [1] * 6
    train(model, first)
    train(copied, second)
    for one, other in zip(model.parameters(), copied.parameters(), strict=True):
        assert torch.equal(one, other)


def test_settings_that_mmcv_scheduled_are_taken():
    model = network()
    theirs = one_group_each(model, 'SGD')
    train(model, theirs)
    for group in theirs.param_groups:
        group['initial_lr'] = group['lr']
        group['lr'] *= 0.5
    optimizer = ours(model, 'SGD', joined=True)
    assert resume(theirs.state_dict(), model, optimizer) == []
    assert [group['lr'] for group in optimizer.param_groups] == [0.05, 0.1, 0.05, 0.5]
    assert [group['initial_lr'] for group in optimizer.param_groups] == [0.1, 0.2, 0.1, 1.]


def test_frozen_parameters_may_have_had_other_settings():
    """mmcv gives them the settings of the optimizer, whatever `paramwise_cfg` says."""
    model = network()
    model[0].bias.requires_grad = False
    theirs = one_group_each(model, 'SGD')
    theirs.param_groups[1]['lr'] = 0.1
    train(model, theirs)
    optimizer = ours(model, 'SGD', joined=True)
    resume(theirs.state_dict(), model, optimizer)
    assert optimizer.param_groups[1]['lr'] == 0.2
    assert model[0].bias not in optimizer.state


def test_copies_of_weights_in_low_precision_take_their_averages():
    model = network()
    theirs = one_group_each(model, 'SGD')
    train(model, theirs)
    precision = Precision('cpu', 'O2')
    precision.cast(model)
    optimizer = ours(model, 'SGD', joined=True)
    precision.attach(model, optimizer)
    resume(theirs.state_dict(), model, optimizer)
    masters = precision.masters.by_name()
    for index, name in enumerate(SETTINGS):
        stepped = masters.get(name, dict(model.named_parameters())[name])
        assert torch.equal(optimizer.state[stepped]['momentum_buffer'],
                           theirs.state_dict()['state'][index]['momentum_buffer'])


def test_settings_that_differ_within_a_group_are_an_error():
    model = network()
    theirs = one_group_each(model, 'SGD')
    with pytest.raises(CheckpointError, match='6 groups of parameters, the optimizer 3'):
        resume(theirs.state_dict(), model, ours(model, 'SGD', True, bias_lr_mult=1.))


def test_groups_of_an_optimizer_made_by_hand_are_an_error():
    model = network()
    theirs = one_group_each(model, 'SGD')
    by_hand = torch.optim.SGD([dict(params=list(model[0].parameters())),
                               dict(params=list(model[1:].parameters()))], lr=0.1)
    with pytest.raises(CheckpointError, match='6 groups of parameters, the optimizer 2'):
        resume(theirs.state_dict(), model, by_hand)
    with pytest.raises(CheckpointError, match='2 groups of parameters, the optimizer 6'):
        resume(by_hand.state_dict(), model, ours(model, 'SGD', joined=False))
