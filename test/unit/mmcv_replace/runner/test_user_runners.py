"""Models, optimizers and loops as code that was written for mmcv has them."""
import time

import pytest
import torch
from torch import nn

from mmcv_replace.runner import (
    BaseRunner,
    EpochBasedRunner,
    Hook,
    IterBasedRunner,
    Runner,
    save_checkpoint,
)
from mmcv_replace.utils.errors import CheckpointError


class Bare(nn.Module):
    """Its steps return the loss alone."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 1), nn.Linear(2, 1)

    def train_step(self, data, optimizer, scale=1):
        return {'loss': scale * (self.a(data[0]) + self.b(data[0])).sum()}

    val_step = train_step


LOGGED = {'log_config': {'interval': 1, 'hooks': [{'type': 'TextLoggerHook'}]}}


@pytest.mark.parametrize('by_epoch', [False, True])
def test_steps_that_return_the_loss_alone(make_runner, make_loader, by_epoch):
    runner = make_runner(by_epoch=by_epoch, model=Bare())
    before = runner.model.a.weight.clone()
    runner.register_training_hooks({'policy': 'fixed'}, {}, **LOGGED)
    runner.run([make_loader(), make_loader()], [('train', 1), ('val', 1)])
    assert not torch.equal(runner.model.a.weight, before)


def test_outputs_have_to_be_a_dict(make_runner, make_loader):
    model = Bare()
    model.train_step = lambda data, optimizer: 3
    with pytest.raises(TypeError, match='return a dict with the loss, not int'):
        make_runner(model=model).run([make_loader()], [('train', 1)])


def test_further_arguments_of_run_reach_the_step(make_runner, make_loader):
    runner, losses = make_runner(model=Bare(), max_iters=1), []
    runner.call_hook = lambda name, *args: losses.append(runner.outputs.get('loss'))
    with torch.no_grad():
        expected = runner.model.train_step(next(iter(make_loader())), None, 3)['loss']
    runner.run([make_loader()], [('train', 1)], scale=3)
    assert losses[-1] == expected


def test_batch_processor(make_model, make_loader):
    modes = []

    def process(model, batch, train_mode):
        modes.append(train_mode)
        return {'loss': model(batch[0]).sum(), 'log_vars': {'x': 1.0}, 'num_samples': 2}

    with pytest.warns(UserWarning, match='give the model a train_step'):
        runner = IterBasedRunner(make_model().layer, process, max_iters=2)
    runner.run([make_loader(), make_loader()], [('train', 1), ('val', 1)])
    assert modes == [True, False] * 2


def two_optimizers(model):
    return {'a': torch.optim.SGD(model.a.parameters(), lr=0.1, momentum=0.9),
            'b': torch.optim.Adam(model.b.parameters(), lr=0.2)}


def test_optimizers_by_name(make_runner, make_loader, tmp_path, log_lines):
    model = Bare()
    runner = make_runner(model=model, optimizer=two_optimizers(model), max_iters=4)
    runner.register_lr_hook({'policy': 'step', 'step': 2, 'gamma': 0.5})
    runner.register_momentum_hook({'policy': 'step', 'step': 2})
    runner.register_checkpoint_hook({'interval': 2, 'max_keep_ckpts': 5})
    runner.register_timer_hook({})
    runner.register_logger_hooks(LOGGED['log_config'])
    seen = []

    class Watch(Hook):
        def after_train_iter(self, runner):
            for optimizer in runner.optimizer.values():
                optimizer.zero_grad()
            runner.outputs['loss'].backward()
            for optimizer in runner.optimizer.values():
                optimizer.step()
            seen.append((runner.current_lr(), runner.current_momentum()))

    runner.register_hook(Watch(), 'ABOVE_NORMAL')
    runner.run([make_loader(length=2)], [('train', 1)])
    assert seen[1] == ({'a': [0.1], 'b': [0.2]}, {'a': [0.9], 'b': [0.9]})
    assert seen[3] == ({'a': [0.05], 'b': [0.1]}, {'a': [0.45], 'b': [0.45]})
    assert any('lr_a: 1.000e-01, lr_b: 2.000e-01' in line for line in log_lines)

    other = Bare()
    resumed = make_runner(model=other, optimizer=two_optimizers(other), max_iters=4)
    resumed.resume(tmp_path / 'work/iter_2.pth')
    for hook in runner.hooks[:2]:
        resumed.register_hook(hook, hook.priority)
    resumed.register_hook(Watch(), 'ABOVE_NORMAL')
    resumed.run([make_loader(length=2)], [('train', 1)])
    assert torch.equal(other.a.weight, model.a.weight)
    assert torch.equal(other.b.bias, model.b.bias)

    alone = make_runner(model=Bare())
    with pytest.raises(CheckpointError):
        alone.resume(tmp_path / 'work/iter_2.pth')
    third = make_runner(model=other, optimizer={'a': two_optimizers(other)['a']})
    with pytest.raises(CheckpointError, match='does not hold the states of the optimizers a'):
        third.resume(tmp_path / 'work/iter_2.pth')


def test_without_an_optimizer_there_is_no_rate(make_model):
    runner = IterBasedRunner(make_model(), max_iters=1)
    with pytest.raises(RuntimeError, match='hence no learning rate'):
        runner.current_lr()
    with pytest.raises(RuntimeError, match='hence no momentum'):
        runner.current_momentum()


class OwnLoop(EpochBasedRunner):
    """A loop as user code writes it, and a mode of its own."""

    tested = 0

    def train(self, data_loader, **kwargs):
        self.model.train()
        self.mode = 'train'
        self.data_loader = data_loader
        self._max_iters = self._max_epochs * len(self.data_loader)
        self.call_hook('before_train_epoch')
        for i, data_batch in enumerate(self.data_loader):
            self._inner_iter = i
            self.call_hook('before_train_iter')
            self.run_iter(data_batch, train_mode=True, **kwargs)
            self.call_hook('after_train_iter')
            self._iter += 1
        self.call_hook('after_train_epoch')
        self._epoch += 1

    def test(self, data_loader, **kwargs):
        self.tested += 1


def test_a_loop_of_the_user(make_model, make_loader, tmp_path):
    model = make_model()
    runner = OwnLoop(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), max_epochs=2,
                     work_dir=str(tmp_path))
    runner.register_training_hooks({'policy': 'step', 'step': 1}, {}, {'interval': 1}, **LOGGED)
    runner.run([make_loader(), make_loader()], [('train', 1), ('test', 1)])
    assert sorted(path.name for path in tmp_path.glob('epoch*')) == ['epoch_1.pth', 'epoch_2.pth']
    assert (runner.iter, runner.finished_iters, runner.tested) == (8, 8, 2)
    assert runner.current_lr() == pytest.approx([0.01])


def test_a_run_of_the_user_ends_with_its_checkpoints(make_model, make_loader, tmp_path):
    class OwnRun(OwnLoop):
        def run(self, data_loaders, workflow, **kwargs):
            self.call_hook('before_run')
            while self.epoch < self.max_epochs:
                self.train(data_loaders[0])
            self.call_hook('after_run')

    model = make_model()
    runner = OwnRun(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), max_epochs=2,
                    work_dir=str(tmp_path))
    write = runner.saver._work
    runner.saver._work = lambda *args: (time.sleep(0.2), write(*args))
    runner.register_training_hooks({'policy': 'fixed'}, {}, {'interval': 1}, **LOGGED)
    runner.run([make_loader()], [('train', 1)])
    assert (tmp_path / 'epoch_2.pth').is_file()


class OwnRunner(BaseRunner):
    """A runner from nothing but the four methods that mmcv demands."""

    def train(self, data_loader):
        self.mode, self.data_loader = 'train', data_loader
        self._max_iters = self._max_epochs * len(data_loader)
        self.call_hook('before_train_epoch')
        for self._inner_iter, batch in enumerate(data_loader):
            self.call_hook('before_train_iter')
            self.run_iter(batch, train_mode=True)
            self.call_hook('after_train_iter')
            self._iter += 1
        self.call_hook('after_train_epoch')
        self._epoch += 1

    def val(self, data_loader):
        raise NotImplementedError

    def run(self, data_loaders, workflow):
        self.call_hook('before_run')
        while self.epoch < self._max_epochs:
            self.train(data_loaders[0])
        self.call_hook('after_run')

    def save_checkpoint(self, out_dir, filename_tmpl='own_{}.pth', save_optimizer=True):
        path = f'{out_dir}/{filename_tmpl.format(self.epoch + 1)}'
        save_checkpoint(self.model, path, self.optimizer if save_optimizer else None)


def test_a_runner_of_the_user(make_model, make_loader, tmp_path):
    model = make_model()
    before = model.layer.weight.clone()
    runner = OwnRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), max_epochs=2,
                       work_dir=str(tmp_path))
    runner.register_training_hooks({'policy': 'step', 'step': 1}, {}, {'interval': 1},
                                   {'interval': 1, 'hooks': [{'type': 'TextLoggerHook'}]})
    runner.run([make_loader()], [('train', 1)])
    assert not torch.equal(model.layer.weight, before)
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == ['own_1.pth', 'own_2.pth']
    assert runner.current_lr() == pytest.approx([0.01])


def test_old_name_of_the_runner(make_model):
    with pytest.warns(DeprecationWarning, match='use the new one'):
        runner = Runner(make_model(), max_epochs=1)
    assert isinstance(runner, EpochBasedRunner)


def test_modes_of_a_workflow(make_runner, make_loader):
    with pytest.raises(TypeError, match=r'\(3, 1\) is not'):
        make_runner().run([make_loader()], [(3, 1)])
    with pytest.raises(ValueError, match=r"\('foo', 1\) is not"):
        make_runner().run([make_loader()], [('foo', 1)])
    with pytest.raises(AssertionError, match='takes a list of data loaders'):
        make_runner().run(make_loader(), [('train', 1)])


def test_revised_keys(make_runner, make_model, tmp_path):
    weights = {f'old.{name}': value for name, value in make_model(3).state_dict().items()}
    torch.save(weights, tmp_path / 'weights.pth')
    runner = make_runner(model=make_model(4))
    runner.load_checkpoint(tmp_path / 'weights.pth', revise_keys=[(r'^old\.', '')])
    assert torch.equal(runner.model.layer.weight, make_model(3).layer.weight)


def test_meta_data_with_a_range(make_runner, tmp_path):
    path = make_runner(meta={'gpu_ids': range(2)}).save_checkpoint(tmp_path)
    assert torch.load(path, weights_only=True)['meta']['gpu_ids'] == [0, 1]
