"""The loops: what they compute, what they call, how they end."""
import logging

import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import EpochBasedRunner, Hook, IterBasedRunner, build_runner
from mmcv_replace.utils.errors import ConfigError, DataError

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
    assert runner.unwrapped_model is runner.model.module
    assert torch.equal(runner.unwrapped_model.layer.weight, expected.layer.weight)


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
    with (pytest.warns(UserWarning, match='give the model'),
          pytest.raises(RuntimeError, match='leave one of them out')):
        IterBasedRunner(model, batch_processor=print, max_iters=1)
    with pytest.raises(ConfigError, match='not both'):
        IterBasedRunner(model, max_iters=1, max_epochs=1)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(batch_processor=0), 'batch_processor is a function or None, not 0'),
    (dict(optimizer='SGD'), 'one torch optimizer, a dict of such, or None; optimizer is str'),
    (dict(optimizer={'a': 3}), 'a is int'),
    (dict(work_dir=1), 'work_dir is a path or None, not 1'),
    (dict(logger='log'), "logger is a logging.Logger or None, not 'log'"),
    (dict(meta=[]), r'is a dict or None, not \[\]')])
def test_arguments_of_a_wrong_type(make_model, arguments, message):
    with pytest.raises(TypeError, match=message):
        IterBasedRunner(make_model(), max_iters=1, **arguments)


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
