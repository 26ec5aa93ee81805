"""The loops: what they compute, what they call, how they end."""
import logging

import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import HOOKS, EpochBasedRunner, Hook, IterBasedRunner, build_runner
from mmcv_replace.runner.hooks.invalid_loss import CheckInvalidLossHook
from mmcv_replace.utils.errors import CheckpointError, ConfigError, DataError

TRAINING = {'lr_config': {'policy': 'poly', 'power': 0.9, 'min_lr': 1e-3},
            'optimizer_config': {'grad_clip': {'max_norm': 0.5}}}


class Recorder(Hook):
    """Writes down each stage with (epoch, inner_iter, iter)."""

    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        if name in Hook.stages or name in ('before_epoch', 'after_epoch'):
            return lambda runner: self.calls.append(
                (name, runner.epoch, runner.inner_iter, runner.iter))
        return super().__getattribute__(name)


def plain_loop(model, loader, iters):
    """The same training as TRAINING, written out."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    done = 0
    while done < iters:
        for x, y in loader:
            if done == iters:
                break
            for group in optimizer.param_groups:
                group['lr'] = (0.1 - 1e-3) * (1 - done / iters)**0.9 + 1e-3
            optimizer.zero_grad()
            (model.layer(x) - y).square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
            optimizer.step()
            done += 1
    return model


def test_iterations_equal_a_plain_loop_bit_for_bit(make_runner, make_model, make_loader):
    runner = make_runner(max_iters=10, momentum=0.9)
    runner.register_training_hooks(**TRAINING)
    runner.run([make_loader()], [('train', 1)])
    expected = plain_loop(make_model(), make_loader(), 10)
    assert torch.equal(runner.model.layer.weight, expected.layer.weight)
    assert torch.equal(runner.model.layer.bias, expected.layer.bias)
    assert (runner.iter, runner.epoch) == (10, 2)


def test_epochs_equal_a_plain_loop_bit_for_bit(make_runner, make_model, make_loader):
    runner = make_runner(by_epoch=True, max_epochs=3, momentum=0.9)
    runner.register_training_hooks(
        {**TRAINING['lr_config'], 'by_epoch': False}, TRAINING['optimizer_config'])
    runner.run([make_loader()], [('train', 1)])
    expected = plain_loop(make_model(), make_loader(), 12)
    assert torch.equal(runner.model.layer.weight, expected.layer.weight)
    assert (runner.iter, runner.epoch, runner.max_iters) == (12, 3, 12)


def test_wrapped_model_trains_the_same(make_runner, make_model, make_loader):
    runner = make_runner(model=MMDataParallel(make_model()), max_iters=10, momentum=0.9)
    assert runner.model_name == 'ToyModel'
    runner.register_training_hooks(**TRAINING)
    runner.run([make_loader()], [('train', 1)])
    expected = plain_loop(make_model(), make_loader(), 10)
    assert torch.equal(runner.model.module.layer.weight, expected.layer.weight)


def test_stages_of_iterations(make_runner, make_loader):
    recorder = Recorder()
    runner = make_runner(max_iters=3)
    runner.register_hook(recorder)
    runner.run([make_loader(), make_loader()], [('train', 2), ('val', 1)])
    train = [('before_train_iter', 'after_train_iter')] * 3
    assert [call[0] for call in recorder.calls] == [
        'before_run', 'before_epoch', *train[0], *train[1],
        'before_val_epoch', 'before_val_iter', 'after_val_iter', 'after_val_epoch',
        *train[2], 'before_val_epoch', 'before_val_iter', 'after_val_iter', 'after_val_epoch',
        'after_epoch', 'after_run']
    assert [call[1:] for call in recorder.calls if call[0] == 'after_train_iter'] == [
        (0, 0, 0), (0, 1, 1), (0, 0, 2)]


def test_stages_of_epochs(make_runner, make_loader):
    recorder = Recorder()
    runner = make_runner(by_epoch=True, max_epochs=2)
    runner.register_hook(recorder)
    loader = make_loader(length=2, batch_size=1)
    runner.run([loader, make_loader(length=1)], [('train', 1), ('val', 1)])
    epoch = ['before_train_epoch', *['before_train_iter', 'after_train_iter'] * 2,
             'after_train_epoch', 'before_val_epoch', 'before_val_iter', 'after_val_iter',
             'after_val_epoch']
    assert [call[0] for call in recorder.calls] == ['before_run', *epoch, *epoch, 'after_run']
    assert [call[1:] for call in recorder.calls if call[0] == 'after_train_iter'] == [
        (0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)]


@pytest.mark.parametrize('by_epoch', [False, True])
def test_workflow_is_cut_at_the_end(make_runner, make_loader, by_epoch):
    runner = make_runner(by_epoch=by_epoch)
    runner.run([make_loader()], [('train', 2)])
    assert (runner.epoch if by_epoch else runner.iter) == 3


def test_validation_neither_trains_nor_keeps_gradients(make_runner, make_loader):
    seen = []

    class Spy(Hook):
        def after_val_iter(self, runner):
            seen.append((runner.mode, runner.model.training,
                         runner.outputs['loss'].requires_grad))

        def after_train_iter(self, runner):
            seen.append((runner.mode, runner.model.training,
                         runner.outputs['loss'].requires_grad))

    runner = make_runner(max_iters=1)
    runner.register_hook(Spy())
    runner.run([make_loader(), make_loader()], [('train', 1), ('val', 1)])
    assert seen == [('train', True, True), ('val', False, False)]


def test_hooks_run_by_priority_and_then_by_registration(make_runner, make_loader):
    order = []

    class Named(Hook):
        def __init__(self, name):
            self.name = name

        def before_run(self, runner):
            order.append(self.name)

    runner = make_runner(max_iters=1)
    for name, priority in [('low', 'LOW'), ('first', 'NORMAL'), ('second', 50), ('top', 0)]:
        runner.register_hook(Named(name), priority)
    runner.run([make_loader()], [('train', 1)])
    assert order == ['top', 'first', 'second', 'low']


class Failure(Exception):
    pass


@pytest.mark.parametrize('error', [Failure, KeyboardInterrupt])
def test_hooks_can_close_after_an_error_that_passes_through(make_runner, make_loader, error):
    closed = []

    class Failing(Hook):
        def after_train_iter(self, runner):
            raise error('stop')

        def after_run(self, runner):
            closed.append(True)

    runner = make_runner()
    runner.register_hook(Failing())
    with pytest.raises(error):
        runner.run([make_loader()], [('train', 1)])
    assert closed == [True]


@pytest.mark.parametrize(('workflow', 'message'), [
    ([('val', 1)], 'never trains'), ([], 'never trains'), ([('test', 1)], "'test'"),
    ([('train', 0)], 'above 0'), (['train'], "'train' is not"),
    ([('train', 1), ('val', 1)], '2 data loaders'),
])
@pytest.mark.parametrize('by_epoch', [False, True])
def test_workflow_errors(make_runner, make_loader, workflow, message, by_epoch):
    with pytest.raises(ConfigError, match=message):
        make_runner(by_epoch).run([make_loader()], workflow)


@pytest.mark.parametrize('by_epoch', [False, True])
def test_no_batch_is_an_error(make_runner, make_loader, by_epoch):
    loader = torch.utils.data.DataLoader([1], batch_size=2, drop_last=True)
    with pytest.raises(DataError, match='no batch'):
        make_runner(by_epoch=by_epoch).run([loader], [('train', 1)])


@pytest.mark.parametrize(('runner_type', 'key'), [(IterBasedRunner, 'max_iters'),
                                                  (EpochBasedRunner, 'max_epochs')])
def test_length_may_come_with_run_but_must_come(make_model, make_loader, runner_type, key):
    runner = runner_type(make_model())
    with pytest.raises(ConfigError, match=key):
        runner.run([make_loader()], [('train', 1)])
    runner.run([make_loader()], [('train', 1)], **{key: 2})
    assert getattr(runner, key) == 2


def test_constructor_errors(make_model):
    model = make_model()
    with pytest.raises(ConfigError, match='train_step'):
        IterBasedRunner(nn.Linear(1, 1), max_iters=1)
    with pytest.raises(ConfigError, match='batch_processor'):
        IterBasedRunner(model, batch_processor=print, max_iters=1)
    with pytest.raises(ConfigError, match='one torch optimizer, not dict'):
        IterBasedRunner(model, optimizer={}, max_iters=1)
    with pytest.raises(ConfigError, match='not both'):
        IterBasedRunner(model, max_iters=1, max_epochs=1)


def test_build_runner(make_model, tmp_path):
    logger = logging.getLogger('mmseg.test')
    runner = build_runner({'type': 'IterBasedRunner', 'max_iters': 5}, {
        'model': make_model(), 'batch_processor': None, 'optimizer': None,
        'work_dir': str(tmp_path / 'a'), 'logger': logger, 'meta': {'seed': 3}})
    assert isinstance(runner, IterBasedRunner)
    assert (runner.max_iters, runner.meta['seed'], runner.logger) == (5, 3, logger)
    assert (tmp_path / 'a').is_dir()
    with pytest.raises(ConfigError, match='learning rate'):
        runner.current_lr()
    with pytest.raises(ConfigError, match='momentum'):
        runner.current_momentum()


def test_optimizer_values(make_runner, make_model):
    assert make_runner(lr=0.2, momentum=0.7).current_lr() == [0.2]
    assert make_runner(lr=0.2, momentum=0.7).current_momentum() == [0.7]
    model = make_model()
    adam = make_runner(model=model, optimizer=torch.optim.Adam(model.parameters()))
    assert adam.current_momentum() == [0.9]
    assert adam.device == torch.device('cpu')


# Checkpoints and resuming

def train(runner, loader, **kwargs):
    runner.register_training_hooks(**TRAINING, **kwargs)
    runner.run([loader], [('train', 1)])
    return runner


@pytest.mark.parametrize('by_epoch', [False, True])
def test_resumed_run_ends_like_an_uninterrupted_one(make_runner, make_loader, tmp_path, by_epoch):
    """Interrupted at the end of a pass over the data, so that the order of the data agrees."""
    length, half = (8, 4) if not by_epoch else (4, 2)
    limit = 'max_epochs' if by_epoch else 'max_iters'
    loader = make_loader(length=8)
    whole = train(make_runner(by_epoch, momentum=0.9, **{limit: length}), loader)
    first = make_runner(by_epoch, momentum=0.9, **{limit: length})
    first.register_training_hooks(**TRAINING, checkpoint_config={'interval': half})

    class Stop(Hook):
        def after_train_iter(self, runner):
            if not by_epoch and runner.iter + 1 == half:
                raise Failure

        def after_train_epoch(self, runner):
            if by_epoch and runner.epoch + 1 == half:
                raise Failure

    first.register_hook(Stop(), 'LOWEST')
    with pytest.raises(Failure):
        first.run([loader], [('train', 1)])
    second = make_runner(by_epoch, momentum=0.9, lr=123.0, **{limit: length})
    second.register_training_hooks(**TRAINING)
    second.resume(tmp_path / 'work' / 'latest.pth')
    assert (second.epoch, second.iter) == ((half, 8) if by_epoch else (1, half))
    second.run([loader], [('train', 1)])
    assert torch.equal(second.model.layer.weight, whole.model.layer.weight)
    assert second.iter == whole.iter


def test_checkpoint_content(make_runner, make_loader, tmp_path):
    runner = make_runner(meta={'seed': 1, 'exp_name': 'toy'})
    train(runner, make_loader(), checkpoint_config={'interval': 3, 'meta': {'config': 'text'}})
    stored = torch.load(tmp_path / 'work' / 'iter_3.pth', weights_only=True)
    assert set(stored) == {'meta', 'state_dict', 'optimizer', 'run_state'}
    meta = stored['meta']
    assert (meta['iter'], meta['epoch'], meta['seed'], meta['exp_name'], meta['config']) == (
        3, 1, 1, 'toy', 'text')


def test_hooks_add_to_checkpoints_and_find_it_again(make_runner, make_loader, tmp_path):
    found = []

    class Keeper(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            checkpoint['keeper'] = {'iter': runner.iter}

        def after_resume(self, runner, checkpoint):
            found.append(checkpoint['keeper'])

    for _ in range(2):
        runner = make_runner()
        runner.register_hook(Keeper())
        path = runner.save_checkpoint(tmp_path)
    runner.resume(path)
    assert found == [{'iter': 0}]
    assert runner.hook_msgs['last_ckpt'] == str(path)


def test_hook_messages_survive(make_runner, tmp_path):
    runner = make_runner()
    runner.hook_msgs['best_score'] = 0.5
    path = runner.save_checkpoint(tmp_path)
    fresh = make_runner()
    fresh.resume(path)
    assert fresh.hook_msgs['best_score'] == 0.5


def test_names_of_checkpoints(make_runner, tmp_path):
    assert make_runner().save_checkpoint(tmp_path).name == 'iter_0.pth'
    assert make_runner(by_epoch=True).save_checkpoint(tmp_path).name == 'epoch_0.pth'
    named = make_runner().save_checkpoint(tmp_path / 'sub', 'best.pth', create_symlink=False)
    assert named == tmp_path / 'sub' / 'best.pth'
    assert not (tmp_path / 'sub' / 'latest.pth').exists()


def test_resume_refuses_weights_alone(make_runner, make_model, tmp_path):
    torch.save({'state_dict': make_model().state_dict()}, tmp_path / 'weights.pth')
    with pytest.raises(CheckpointError, match='--load-from'):
        make_runner().resume(tmp_path / 'weights.pth')


def test_resume_refuses_another_model(make_runner, make_model, tmp_path):
    path = make_runner().save_checkpoint(tmp_path)
    model = make_model()
    model.extra = nn.Linear(1, 1)
    with pytest.raises(CheckpointError, match=r'extra\.weight'):
        make_runner(model=model).resume(path)


def test_resume_without_the_optimizer(make_runner, tmp_path):
    path = make_runner(lr=0.5).save_checkpoint(tmp_path, save_optimizer=False)
    with pytest.raises(CheckpointError, match='no optimizer state'):
        make_runner().resume(path)
    runner = make_runner(lr=0.1)
    runner.resume(path, resume_optimizer=False)
    assert runner.current_lr() == [0.1]


def test_resume_names_groups_that_differ(make_runner, make_model, tmp_path):
    path = make_runner().save_checkpoint(tmp_path)
    model = make_model()
    groups = [{'params': [model.layer.weight]}, {'params': [model.layer.bias]}]
    with pytest.raises(CheckpointError, match='it has 1 groups of parameters, the optimizer 2'):
        make_runner(model=model, optimizer=torch.optim.SGD(groups, lr=1)).resume(path)
    fewer = torch.optim.SGD([model.layer.weight], lr=1)
    with pytest.raises(CheckpointError, match='group 0 has 2 parameters, that of the optimizer 1'):
        make_runner(model=model, optimizer=fewer).resume(path)


def test_resume_names_parameters_in_another_order(make_runner, make_model, make_loader, tmp_path):
    path = train(make_runner(momentum=0.9), make_loader()).save_checkpoint(tmp_path)
    model = make_model()
    swapped = torch.optim.SGD([model.layer.bias, model.layer.weight], lr=1)
    with pytest.raises(CheckpointError, match='group 0, parameter 0: .*(1, 2).*(1,)'):
        make_runner(model=model, optimizer=swapped).resume(path)


# Registration

def test_training_hooks_are_registered_in_order(make_runner):
    runner = make_runner()
    runner.register_training_hooks(
        {'policy': 'poly'}, {}, {'interval': 1}, {'interval': 7, 'hooks': [
            {'type': 'TextLoggerHook'}]}, {'policy': 'cyclic'})
    assert [(type(hook).__name__, hook.priority) for hook in runner.hooks] == [
        ('PolyLrUpdaterHook', 10), ('CyclicMomentumUpdaterHook', 30),
        ('OptimizerHook', 40), ('CheckInvalidLossHook', 40), ('CheckpointHook', 50),
        ('IterTimerHook', 70), ('TextLoggerHook', 90)]
    assert [getattr(hook, 'by_epoch', None) for hook in runner.hooks] == [
        False, False, None, None, False, None, False]
    assert (runner.hooks[3].interval, runner.hooks[6].interval) == (7, 7)


def test_epoch_runner_counts_epochs(make_runner):
    runner = make_runner(by_epoch=True)
    runner.register_training_hooks({'policy': 'poly'}, {}, {'interval': 1}, {
        'interval': 7, 'hooks': [{'type': 'TextLoggerHook', 'interval': 2}]})
    assert [hook.by_epoch for hook in runner.hooks if hasattr(hook, 'by_epoch')] == [True] * 3
    assert runner.hooks[-1].interval == 2


def test_configs_stay_as_they_are(make_runner):
    configs = {'lr_config': {'policy': 'step', 'step': 1}, 'optimizer_config': {},
               'checkpoint_config': {}, 'log_config': {'interval': 1, 'hooks': [
                   {'type': 'TextLoggerHook'}]}}
    make_runner().register_training_hooks(**configs)
    assert configs == {'lr_config': {'policy': 'step', 'step': 1}, 'optimizer_config': {},
                       'checkpoint_config': {}, 'log_config': {'interval': 1, 'hooks': [
                           {'type': 'TextLoggerHook'}]}}


def test_instances_and_none_are_accepted(make_runner):
    hooks = [HOOKS.get(name)(**args) for name, args in [
        ('FixedLrUpdaterHook', {}), ('OptimizerHook', {}), ('CheckpointHook', {'interval': 1}),
        ('TextLoggerHook', {})]]
    runner = make_runner()
    runner.register_training_hooks(*hooks[:3], {'hooks': [hooks[3]]})
    assert all(hook in runner.hooks for hook in hooks)
    bare = make_runner()
    bare.register_training_hooks(None)
    assert [type(hook).__name__ for hook in bare.hooks] == ['CheckInvalidLossHook', 'IterTimerHook']


@pytest.mark.parametrize('policy', ['cosineannealing', 'CosineAnnealing', 'cosine_annealing'])
def test_policy_names(make_runner, policy):
    runner = make_runner()
    runner.register_lr_hook({'policy': policy, 'min_lr': 0})
    assert type(runner.hooks[0]).__name__ == 'CosineAnnealingLrUpdaterHook'


@pytest.mark.parametrize(('config', 'message'), [
    ({'lr_config': {'power': 1}}, 'lr_config needs the name of a policy'),
    ({'lr_config': {'policy': 'polly'}}, 'PolyLrUpdaterHook'),
    ({'lr_config': {'policy': 'poly', 'powr': 1}}, "'powr'.*'power'"),
    ({'lr_config': None, 'optimizer_config': 3}, 'optimizer_config is a dict, a hook or None'),
    ({'lr_config': None, 'log_config': {'hooks': ['TextLoggerHook']}}, r'log_config\.hooks\.0'),
])
def test_registration_errors(make_runner, config, message):
    with pytest.raises((ConfigError, KeyError, TypeError), match=message):
        make_runner().register_training_hooks(**config)


def test_hook_from_cfg_with_priority(make_runner):
    runner = make_runner()
    runner.register_hook_from_cfg({'type': 'CheckInvalidLossHook', 'priority': 'LOWEST'})
    assert runner.hooks[0].priority == 100
    with pytest.raises(ConfigError, match='is not a hook'):
        runner.register_hook(CheckInvalidLossHook)


def test_hook_info_lists_who_acts_when(make_runner):
    runner = make_runner()
    runner.register_training_hooks({'policy': 'poly'}, {})
    info = dict(line.split(': ') for line in runner.get_hook_info().split('\n'))
    assert info['before_train_iter'] == (
        'PolyLrUpdaterHook (10), OptimizerHook (40), CheckInvalidLossHook (40), '
        'IterTimerHook (70)')
    assert 'after_val_epoch' not in info
