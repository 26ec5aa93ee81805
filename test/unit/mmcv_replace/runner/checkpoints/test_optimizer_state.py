"""What a resumed optimizer goes on with, and what is said about it."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import build_optimizer
from mmcv_replace.runner.checkpoints.optimizer_state import check_overrides, load_optimizer_state
from mmcv_replace.utils.errors import CheckpointError, ConfigError


def make(type='SGD', **options):
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    optimizer = build_optimizer(model, dict(type=type, **{'lr': 0.1, **options}))
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer


def load(ours, theirs, **kwargs):
    """Load and return (setting, checkpoint, config, in force) of what differs."""
    return [(each.setting, each.checkpoint, each.config, each.in_force)
            for each in load_optimizer_state(ours, {'optimizer': theirs.state_dict()}, 'x.pth',
                                             **kwargs)]


NOT_TAKEN = 'checkpoint (not taken)'
TAKEN = 'config (taken), by resume_override'


@pytest.mark.parametrize(('type', 'theirs', 'ours', 'told'), [
    ('SGD', dict(lr=0.01), dict(lr=0.001), [('lr', '0.01', '0.001')]),
    ('SGD', dict(momentum=0.9, weight_decay=5e-4), dict(momentum=0.8, weight_decay=0.),
     [('momentum', '0.9', '0.8'), ('weight_decay', '0.0005', '0.0')]),
    ('SGD', dict(momentum=0.9), dict(momentum=0.9, nesterov=True),
     [('nesterov', 'False', 'True')]),
    ('AdamW', dict(betas=(0.9, 0.99), eps=1e-8), dict(betas=(0.8, 0.99), eps=1e-6),
     [('betas', '(0.9, 0.99)', '(0.8, 0.99)'), ('eps', '1e-08', '1e-06')]),
    ('Adam', dict(amsgrad=False), dict(amsgrad=True), [('amsgrad', 'False', 'True')]),
])
def test_settings_that_are_replaced_are_named(type, theirs, ours, told):
    optimizer = make(type, **ours)
    assert load(optimizer, make(type, **theirs)) == [
        (f'optimizer.{key}', former, own, NOT_TAKEN) for key, former, own in told]
    for key, value in theirs.items():  # what is said to be in force is
        assert optimizer.param_groups[0][key] == value


def test_equal_settings_are_no_news():
    assert not load(make('AdamW', betas=[0.9, 0.99], foreach=True),
                    make('AdamW', betas=(0.9, 0.99)))


def test_groups_are_named():
    assert load(make(paramwise_cfg=dict(bias_lr_mult=2.)),
                make(paramwise_cfg=dict(bias_lr_mult=3.))) == [
        ('optimizer.lr (group 1 of 2)', str(0.1 * 3), '0.2', NOT_TAKEN)]


def scheduled_sgd():
    theirs = make(momentum=0.9)
    theirs.param_groups[0].update(lr=0.02, momentum=0.45, initial_lr=0.1, initial_momentum=0.9)
    return theirs


def test_values_under_a_schedule_are_those_that_it_began_with():
    assert not load(make(momentum=0.9), scheduled_sgd())
    assert load(make(lr=0.2, momentum=0.8), scheduled_sgd()) == [
        ('optimizer.lr', '0.1', '0.2', NOT_TAKEN), ('optimizer.momentum', '0.9', '0.8', NOT_TAKEN)]
    theirs = make('Adam', betas=(0.9, 0.99))
    theirs.param_groups[0].update(betas=(0.7, 0.99), initial_momentum=0.9)
    assert not load(make('Adam', betas=(0.9, 0.99)), theirs)


def test_overrides_take_the_values_of_the_config():
    optimizer = make(lr=0.2, momentum=0.8, weight_decay=0.1)
    assert load(optimizer, make(momentum=0.9),
                overrides=['optimizer.lr', 'optimizer.weight_decay']) == [
        ('optimizer.lr', '0.1', '0.2', TAKEN), ('optimizer.momentum', '0.9', '0.8', NOT_TAKEN),
        ('optimizer.weight_decay', '0', '0.1', TAKEN)]
    group, = optimizer.param_groups
    assert (group['lr'], group['momentum'], group['weight_decay']) == (0.2, 0.9, 0.1)


def test_one_override_takes_all():
    optimizer = make(lr=0.2, momentum=0.8, nesterov=True)
    assert {row[-1] for row in load(optimizer, make(momentum=0.9), overrides=['optimizer'])} == {
        TAKEN}
    group, = optimizer.param_groups
    assert (group['lr'], group['momentum'], group['nesterov']) == (0.2, 0.8, True)


def test_overrides_of_groups_are_those_of_each():
    optimizer = make(lr=1., paramwise_cfg=dict(bias_lr_mult=2.))
    load(optimizer, make(paramwise_cfg=dict(bias_lr_mult=3.)), overrides=['optimizer.lr'])
    assert [group['lr'] for group in optimizer.param_groups] == [1., 2.]


def test_overrides_under_a_schedule_keep_its_place():
    optimizer = make(lr=0.2, momentum=0.6)
    load(optimizer, scheduled_sgd(), scheduled=('lr', 'momentum'),
         overrides=['optimizer.lr', 'optimizer.momentum'])
    group, = optimizer.param_groups
    assert (group['initial_lr'], group['initial_momentum']) == (0.2, 0.6)
    assert (group['lr'], group['momentum']) == pytest.approx((0.04, 0.3))
    # Without the hook the value itself is in force.
    load(optimizer := make(lr=0.2, momentum=0.9), scheduled_sgd(), overrides=['optimizer.lr'])
    assert optimizer.param_groups[0]['lr'] == 0.2


def test_an_override_of_betas_under_a_momentum_schedule():
    theirs = make('Adam', betas=(0.9, 0.99))
    theirs.param_groups[0].update(betas=(0.45, 0.99), initial_momentum=0.9)
    optimizer = make('Adam', betas=(0.8, 0.9))
    load(optimizer, theirs, scheduled=('momentum',), overrides=['optimizer.betas'])
    group, = optimizer.param_groups
    assert group['initial_momentum'] == 0.8
    assert group['betas'] == pytest.approx((0.4, 0.9))


@pytest.mark.parametrize(('override', 'message'), [
    ('optimizer.type', 'an optimizer of another type cannot go on .*--load-from'),
    ('optimizer.paramwise_cfg', 'name optimizer.lr and optimizer.weight_decay'),
    ('optimizer.wieght_decay', "did you mean 'optimizer.weight_decay'"),
    ('lr', r'\(these are: optimizer.lr, optimizer.momentum, .*and optimizer for all'),
    ('runner.max_iters', 'those beside the optimizer are always as the config says'),
    ('optimizer.', 'is no setting'),
])
def test_an_override_of_what_is_no_setting_is_an_error(override, message):
    with pytest.raises(ConfigError, match=message):
        check_overrides(make(), [override])
    with pytest.raises(ConfigError, match=message):
        load(make(), make(), overrides=[override])


def test_a_policy_with_values_of_its_own(make_runner, make_loader, tmp_path, log_lines):
    """One-cycle takes nothing from the optimizer: what it wrote into a checkpoint is no setting."""
    for resume in (None, tmp_path / 'work' / 'iter_3.pth'):
        runner = make_runner(max_iters=6 if resume else 3, momentum=0.9)
        runner.register_training_hooks({'policy': 'OneCycle', 'max_lr': 1.}, {}, {}, None,
                                       {'policy': 'OneCycle'})
        if resume is not None:
            runner.resume(resume)
        runner.run([make_loader()], [('train', 1)])
    assert not [line for line in log_lines if 'what differs' in line]


@pytest.mark.parametrize(('ours', 'theirs', 'lacks'), [
    ('AdamW', 'SGD', 'betas'), ('SGD', 'AdamW', 'dampening, momentum'),
    ('RMSprop', 'SGD', 'alpha'), ('SGD', 'Adagrad', 'dampening, momentum')])
def test_another_type_of_optimizer_is_an_error(ours, theirs, lacks):
    with pytest.raises(CheckpointError, match=rf'(?s)x\.pth does not fit .*it has no {lacks}.*, as '
                                              rf'{ours} needs: it is of another type.*--load-from'):
        load(make(ours), make(theirs))


def test_another_type_with_the_same_settings():
    assert ('optimizer.decoupled_weight_decay', 'True', 'False', NOT_TAKEN) in load(
        make('Adam'), make('AdamW', weight_decay=0.))
