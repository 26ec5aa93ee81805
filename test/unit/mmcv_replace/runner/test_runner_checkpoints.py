"""Checkpoints of the runners, and resuming from them."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import Hook
from mmcv_replace.utils.errors import CheckpointError

TRAINING = {'lr_config': {'policy': 'poly', 'power': 0.9, 'min_lr': 1e-3},
            'optimizer_config': {'grad_clip': {'max_norm': 0.5}}}


class Failure(Exception):
    pass


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


@pytest.mark.parametrize(('by_epoch', 'names'), [
    (True, ['epoch_1.pth', 'epoch_1.pth', 'epoch_2.pth', 'epoch_2.pth', 'epoch_2.pth']),
    (False, ['iter_1.pth', 'iter_2.pth', 'iter_3.pth', 'iter_4.pth', 'iter_4.pth'])])
def test_names_of_a_hook_of_the_user(make_runner, make_loader, tmp_path, by_epoch, names):
    """A state within an epoch does not replace that of the end of the last one."""
    class Saves(Hook):
        def after_train_iter(self, runner):
            saved.append(runner.save_checkpoint(tmp_path).name)

        after_run = after_train_iter

    saved = []
    runner = make_runner(by_epoch, **({'max_epochs': 2} if by_epoch else {'max_iters': 4}))
    runner.register_hook(Saves())
    runner.run([make_loader(length=4)], [('train', 1)])
    assert saved == names


def test_names_of_checkpoints(make_runner, tmp_path):
    assert make_runner().save_checkpoint(tmp_path).name == 'iter_1.pth'
    assert make_runner(by_epoch=True).save_checkpoint(tmp_path).name == 'epoch_1.pth'
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


@pytest.mark.parametrize('scheduled', ['lr', None])
def test_a_rate_that_a_hook_schedules_is_no_difference(make_runner, tmp_path, log_lines, scheduled):
    class OwnSchedule(Hook):
        pass

    OwnSchedule.scheduled = scheduled
    path = make_runner(lr=0.05).save_checkpoint(tmp_path)
    runner = make_runner(lr=0.1)
    runner.register_hook(OwnSchedule())
    runner.resume(path)
    assert any('optimizer.lr' in line for line in log_lines) == (scheduled is None)
