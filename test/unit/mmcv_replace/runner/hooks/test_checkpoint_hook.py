import os

import pytest
import torch

from mmcv_replace.runner import CheckpointHook, Hook, IterBasedRunner
from mmcv_replace.utils.errors import CheckpointError, ConfigError


def run_with(make_runner, make_loader, epochs=False, length=6, hooks=(), **config):
    runner = make_runner(epochs, **{'max_epochs' if epochs else 'max_iters': length})
    runner.register_optimizer_hook({})
    runner.register_checkpoint_hook(config)
    for hook, priority in hooks:
        runner.register_hook(hook, priority)
    runner.run([make_loader(length=2)], [('train', 1)])
    return runner


def files(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize('by_epoch', [False, True])
def test_saves_every_interval_and_at_the_end(make_runner, make_loader, tmp_path, by_epoch):
    runner = run_with(make_runner, make_loader, by_epoch, length=5, interval=2)
    unit = 'epoch' if by_epoch else 'iter'
    assert files(tmp_path / 'work') == [*(f'{unit}_{n}.pth' for n in (2, 4, 5)), 'latest.pth']
    assert os.readlink(tmp_path / 'work' / 'latest.pth') == f'{unit}_5.pth'
    assert runner.hook_msgs['last_ckpt'] == str(tmp_path / 'work' / f'{unit}_5.pth')


def test_a_subclass_that_saves_more(make_runner, make_loader):
    class Counting(CheckpointHook):
        saved = 0

        def _save_checkpoint(self, runner):
            super()._save_checkpoint(runner)
            self.saved += 1

    runner = make_runner(max_iters=4)
    hook = Counting(interval=2, by_epoch=False)
    runner.register_checkpoint_hook(hook)
    runner.run([make_loader()], [('train', 1)])
    assert hook.saved == 2


def test_by_iteration_in_an_epoch_runner(make_runner, make_loader, tmp_path):
    runner = make_runner(by_epoch=True, max_epochs=3)
    runner.register_checkpoint_hook({'interval': 2, 'by_epoch': False, 'save_last': False})
    runner.run([make_loader(length=6)], [('train', 1)])
    assert files(tmp_path / 'work') == [*(f'iter_{n}.pth' for n in (2, 4, 6, 8)), 'latest.pth']
    stored = torch.load(tmp_path / 'work' / 'iter_4.pth', weights_only=True)['meta']
    assert (stored['iter'], stored['epoch']) == (4, 1)


def test_epochs_in_a_run_that_has_none(make_runner, make_loader):
    """Nothing would ever be saved."""
    with pytest.raises(ConfigError, match=r'checkpoint_config\.by_epoch=True: IterBasedRunner '
                                          'counts iterations and has no epochs'):
        run_with(make_runner, make_loader, interval=1, by_epoch=True)


def test_without_interval_only_the_end_is_saved(make_runner, make_loader, tmp_path):
    run_with(make_runner, make_loader)
    assert files(tmp_path / 'work') == ['iter_6.pth', 'latest.pth']


def test_options(make_runner, make_loader, tmp_path):
    run_with(make_runner, make_loader, interval=4, save_last=False, save_optimizer=False,
             out_dir=str(tmp_path / 'out'), meta={'CLASSES': ('a',)}, create_symlink=False,
             filename_tmpl='step{}.pth')
    assert files(tmp_path / 'out') == ['step4.pth']
    stored = torch.load(tmp_path / 'out' / 'step4.pth', weights_only=True)
    assert 'optimizer' not in stored
    assert stored['meta']['CLASSES'] == ('a',)


def test_nowhere_to_save(make_runner, make_loader):
    runner = make_runner(work_dir=None)
    runner.register_checkpoint_hook({})
    with pytest.raises(ConfigError, match='set work_dir or out_dir'):
        runner.run([make_loader()], [('train', 1)])


def test_keeps_the_newest(make_runner, make_loader, tmp_path):
    run_with(make_runner, make_loader, interval=1, max_keep_ckpts=2)
    assert files(tmp_path / 'work') == ['iter_5.pth', 'iter_6.pth', 'latest.pth']
    assert (tmp_path / 'work' / 'latest.pth').is_file()


def test_keeps_the_best_and_files_of_others(make_runner, make_loader, tmp_path):
    """A number above ours is of a longer run in the same folder; other names are not ours."""
    folder = tmp_path / 'work'
    folder.mkdir()
    for name in ('iter_9.pth', 'my_iter_1.pth', 'iter_1.pth.bak', 'epoch_1.pth'):
        (folder / name).touch()

    class Best(Hook):
        def after_train_iter(self, runner):
            if runner.iter == 1:
                runner.hook_msgs['best_ckpt'] = str(folder / 'iter_2.pth')

    run_with(make_runner, make_loader, interval=1, max_keep_ckpts=1, hooks=[(Best(), 'LOW')])
    assert files(folder) == ['epoch_1.pth', 'iter_1.pth.bak', 'iter_2.pth', 'iter_6.pth',
                             'iter_9.pth', 'latest.pth', 'my_iter_1.pth']


def test_checkpoints_of_the_run_before_a_resume_count(make_runner, make_loader, tmp_path):
    run_with(make_runner, make_loader, length=3, interval=1, max_keep_ckpts=2)
    runner = make_runner(max_iters=4)
    runner.register_optimizer_hook({})
    runner.register_checkpoint_hook({'interval': 1, 'max_keep_ckpts': 2})
    runner.resume(tmp_path / 'work' / 'latest.pth')
    runner.run([make_loader()], [('train', 1)])
    assert files(tmp_path / 'work') == ['iter_3.pth', 'iter_4.pth', 'latest.pth']


class OwnRunner(IterBasedRunner):
    """With mmcv's way to change what a checkpoint is: another `save_checkpoint`."""

    def save_checkpoint(self, out_dir, filename_tmpl='iter_{}.pth', meta=None,
                        save_optimizer=True, create_symlink=True):
        if self.iter == 1:
            raise CheckpointError('the disk is full')
        super().save_checkpoint(out_dir, filename_tmpl, {**meta, 'mine': True}, save_optimizer,
                                create_symlink)


class Plain(IterBasedRunner):
    """Takes the arguments that every version of mmcv gives."""

    def save_checkpoint(self, out_dir, filename_tmpl='my_{}.pth', save_optimizer=True):
        super().save_checkpoint(out_dir, filename_tmpl, save_optimizer=save_optimizer)


def test_only_arguments_that_are_given_reach_a_save_checkpoint(make_model, tmp_path, make_loader):
    hook = CheckpointHook(interval=2, by_epoch=False)
    assert hook.args == {}
    runner = Plain(make_model(), max_iters=2, work_dir=tmp_path)
    runner.register_hook(hook)
    runner.run([make_loader(length=2)], [('train', 1)])
    assert 'my_2.pth' in files(tmp_path)
    given = dict(meta={'a': 1}, filename_tmpl='x{}.pth', create_symlink=False)
    assert CheckpointHook(**given).args == given


def test_a_save_checkpoint_of_the_users(make_model, make_loader, tmp_path, log_lines):
    model = make_model()
    runner = OwnRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), max_iters=5,
                       work_dir=tmp_path)
    runner.register_checkpoint_hook(dict(
        interval=1, max_keep_ckpts=2, save_optimizer=False, create_symlink=False,
        filename_tmpl='step{}.pth', meta={'CLASSES': ('a',)}))
    runner.run([make_loader(length=2)], [('train', 1)])
    assert files(tmp_path) == ['step4.pth', 'step5.pth']
    stored = torch.load(tmp_path / 'step5.pth', weights_only=True)
    assert stored['meta']['mine'] is True
    assert stored['meta']['CLASSES'] == ('a',)
    assert 'optimizer' not in stored
    assert runner.hook_msgs['last_ckpt'] == str(tmp_path / 'step5.pth')
    assert 'the disk is full' in log_lines
    assert any('OwnRunner has a save_checkpoint of its own: the training waits' in line
               for line in log_lines)
