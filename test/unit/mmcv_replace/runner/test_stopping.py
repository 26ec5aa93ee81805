"""A run that a hook ends early."""
import pytest

from mmcv_replace.runner import Hook
from mmcv_replace.runner.hooks.places import save_iteration


class StopAt(Hook):
    """Ends the run after this iteration; notes what the others are told."""

    default_priority = 'LOW'

    def __init__(self, done):
        self.done = done
        self.noted = []

    def before_stop(self, runner):
        self.noted.append((runner.place_in_words(), self.is_last_iter(runner)))

    def after_train_iter(self, runner):
        if runner.finished_iters == self.done:
            runner.stop('enough')

    def after_run(self, runner):
        self.noted.append('after_run')


@pytest.mark.parametrize('by_epoch', [False, True])
def test_the_run_ends_after_that_iteration(make_runner, make_loader, by_epoch, caplog):
    runner, hook = make_runner(by_epoch), StopAt(2)
    runner.register_hook(hook, 'LOW')
    with caplog.at_level('INFO'):
        runner.run([make_loader()], [('train', 1)])
    assert (runner.finished_iters, runner.iter, runner.stopped) == (2, 2, 'enough')
    assert hook.noted == [('iteration 2', True), 'after_run']
    assert 'the training stops after iteration 2: enough' in caplog.text


def test_another_run_goes_on(make_runner, make_loader):
    runner = make_runner(max_iters=3)
    hook = StopAt(2)
    runner.register_hook(hook, 'LOW')
    runner.run([make_loader()], [('train', 1)])
    runner.run([make_loader()], [('train', 1)])
    assert (runner.finished_iters, runner.stopped) == (3, None)


def test_a_validation_of_the_workflow_follows(make_runner, make_loader):
    class Modes(Hook):
        def before_iter(self, runner):
            seen.append(runner.mode)

    seen = []
    runner = make_runner()
    runner.register_hook(StopAt(1), 'LOW')
    runner.register_hook(Modes())
    runner.run([make_loader(), make_loader()], [('train', 2), ('val', 1)])
    assert seen == ['train', 'val']


@pytest.mark.parametrize(('checkpoints', 'expected'), [
    (dict(interval=3), ['iter_2.pth', 'latest.pth']),
    (dict(interval=2), ['iter_2.pth', 'latest.pth']),
    (dict(interval=1, save_last=False), ['iter_1.pth', 'iter_2.pth', 'latest.pth']),
    (dict(interval=3, create_symlink=False), ['iter_2.pth']),
])
def test_a_checkpoint_is_written(make_runner, make_loader, tmp_path, checkpoints, expected):
    runner = make_runner(work_dir=tmp_path)
    runner.register_checkpoint_hook(checkpoints)
    runner.register_hook(StopAt(2), 'LOW')
    runner.run([make_loader()], [('train', 1)])
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == expected


def test_an_iteration_is_saved_where_there_is_a_folder(make_runner, tmp_path):
    runner = make_runner(work_dir=tmp_path)
    assert save_iteration(runner).name == 'iter_0.pth'
    assert save_iteration(make_runner(work_dir=None)) is None
