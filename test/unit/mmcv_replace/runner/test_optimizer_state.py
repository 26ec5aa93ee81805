"""What a resumed optimizer goes on with, and what is said about it."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import build_optimizer
from mmcv_replace.runner.optimizer_state import load_optimizer_state
from mmcv_replace.utils.errors import CheckpointError


def make(type='SGD', **options):
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    optimizer = build_optimizer(model, dict(type=type, **{'lr': 0.1, **options}))
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer


def load(ours, theirs, **kwargs):
    load_optimizer_state(ours, {'optimizer': theirs.state_dict()}, 'x.pth', **kwargs)
    return ours


END = ('\nFor a new run with the settings of the config, from the weights of that checkpoint, use '
       '--load-from instead')
START = 'the optimizer goes on with its settings in x.pth; those of the config are not in force:\n'


@pytest.mark.parametrize(('type', 'theirs', 'ours', 'told'), [
    ('SGD', dict(lr=0.01), dict(lr=0.001), '  lr: config 0.001, checkpoint 0.01'),
    ('SGD', dict(momentum=0.9, weight_decay=5e-4), dict(momentum=0.8, weight_decay=0.),
     '  momentum: config 0.8, checkpoint 0.9\n  weight_decay: config 0.0, checkpoint 0.0005'),
    ('SGD', dict(momentum=0.9), dict(momentum=0.9, nesterov=True),
     '  nesterov: config True, checkpoint False'),
    ('AdamW', dict(betas=(0.9, 0.99), eps=1e-8), dict(betas=(0.8, 0.99), eps=1e-6),
     '  betas: config (0.8, 0.99), checkpoint (0.9, 0.99)\n  eps: config 1e-06, checkpoint 1e-08'),
    ('Adam', dict(amsgrad=False), dict(amsgrad=True), '  amsgrad: config True, checkpoint False'),
])
def test_settings_that_are_replaced_are_named(type, theirs, ours, told, log_lines):
    optimizer = load(make(type, **ours), make(type, **theirs))
    assert log_lines == [START + told + END]
    for key, value in theirs.items():  # what is said to be in force is
        assert optimizer.param_groups[0][key] == value


def test_equal_settings_are_no_news(log_lines):
    load(make('AdamW', betas=[0.9, 0.99], foreach=True), make('AdamW', betas=(0.9, 0.99)))
    assert not log_lines


def test_groups_are_named(log_lines):
    load(make(paramwise_cfg=dict(bias_lr_mult=2.)), make(paramwise_cfg=dict(bias_lr_mult=3.)))
    assert log_lines == [f'{START}  lr: config 0.2, checkpoint {0.1 * 3} (group 1 of 2){END}']


def test_values_under_a_schedule_are_those_that_it_began_with(log_lines):
    theirs = make(momentum=0.9)
    theirs.param_groups[0].update(lr=0.0123, momentum=0.85, initial_lr=0.1, initial_momentum=0.9)
    load(make(momentum=0.9), theirs)
    assert not log_lines
    load(make(lr=0.2, momentum=0.8), theirs)
    assert ('  lr: config 0.2, checkpoint 0.1\n  momentum: config 0.8, checkpoint 0.9\n'
            in log_lines[0])
    theirs = make('Adam', betas=(0.9, 0.99))
    theirs.param_groups[0].update(betas=(0.7, 0.99), initial_momentum=0.9)
    load(make('Adam', betas=(0.9, 0.99)), theirs)
    assert len(log_lines) == 1


def test_a_policy_with_values_of_its_own(make_runner, make_loader, tmp_path, log_lines):
    """One-cycle takes nothing from the optimizer: what it wrote into a checkpoint is no setting."""
    for resume in (None, tmp_path / 'work' / 'iter_3.pth'):
        runner = make_runner(max_iters=6 if resume else 3, momentum=0.9)
        runner.register_training_hooks({'policy': 'OneCycle', 'max_lr': 1.}, {}, {}, None,
                                       {'policy': 'OneCycle'})
        if resume is not None:
            runner.resume(resume)
        runner.run([make_loader()], [('train', 1)])
    assert not [line for line in log_lines if 'not in force' in line]


@pytest.mark.parametrize(('ours', 'theirs', 'lacks'), [
    ('AdamW', 'SGD', 'betas'), ('SGD', 'AdamW', 'dampening, momentum'),
    ('RMSprop', 'SGD', 'alpha'), ('SGD', 'Adagrad', 'dampening, momentum')])
def test_another_type_of_optimizer_is_an_error(ours, theirs, lacks):
    with pytest.raises(CheckpointError, match=rf'(?s)x\.pth does not fit .*it has no {lacks}.*, as '
                                              rf'{ours} needs: it is of another type.*--load-from'):
        load(make(ours), make(theirs))


def test_another_type_with_the_same_settings(log_lines):
    load(make('Adam'), make('AdamW', weight_decay=0.))
    assert '  decoupled_weight_decay: config False, checkpoint True' in log_lines[0]
