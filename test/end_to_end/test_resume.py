"""Resuming from the command line: the losses of the uninterrupted training, to the last bit."""
import json

import pytest
import torch

from mmcv_replace.utils.errors import CheckpointError

STOP = '''
import os, signal
from mmcv_replace.runner import HOOKS, Hook

@HOOKS.register_module(force=True)
class StopHook(Hook):
    """Asks the training to stop in an iteration, as a scheduler would."""

    def __init__(self, at):
        self.at = at

    def before_train_iter(self, runner):
        if runner.iter + 1 == self.at:
            os.kill(os.getpid(), signal.SIGTERM)
'''


@pytest.fixture(scope='module')
def config(small_config, tmp_path_factory):
    """Dropout, warm-up and a momentum schedule."""
    folder = tmp_path_factory.mktemp('stopping')
    (folder / 'stop_hook_of_test.py').write_text(STOP)
    file = folder / 'config.py'
    file.write_text(
        f'_base_ = {str(small_config)!r}\n'
        'runner = dict(max_iters=7)\n'
        "lr_config = dict(warmup='linear', warmup_iters=5)\n"
        "momentum_config = dict(policy='cyclic')\n"
        "custom_imports = dict(imports=['stop_hook_of_test'])\n"
        'checkpoint_config = dict(interval=3)\n'
        'data = dict(samples_per_gpu=2)\n')
    return file


@pytest.fixture
def train(tool, config, tmp_path, monkeypatch):
    """Train in this process; returns the exit code."""
    monkeypatch.syspath_prepend(config.parent)

    def run(name, *argv, options=()):
        try:
            tool('train')([str(config), '--device', 'cpu', '--no-validate', '--work-dir',
                           str(tmp_path / name), *map(str, argv),
                           *(['--cfg-options', *options] if options else [])])
        except SystemExit as left:
            return left.code
        return 0
    return run


def stop_at(iteration):
    return f'custom_hooks=[{{"type":"StopHook","at":{iteration}}}]'


def losses(work_dir):
    lines = [json.loads(line) for log in sorted(work_dir.glob('*.log.json'))
             for line in log.read_text().splitlines()]
    return {line['iter']: line['loss'] for line in lines if line.get('mode') == 'train'}


def final(work_dir):
    stored = torch.load(work_dir / 'latest.pth', weights_only=True)
    return {'iter': torch.tensor(stored['meta']['iter']), **stored['state_dict'], **{
        f'momentum of {key}': value['momentum_buffer']
        for key, value in stored['optimizer']['state'].items()}}


def assert_same(one, two):
    assert one.keys() == two.keys()
    for key, value in one.items():
        assert torch.equal(value, two[key]), key


@pytest.mark.parametrize(('stop', 'workers', 'options'), [
    (2, 0, ()), (4, 2, ()), (5, 0, ('optimizer_config.cumulative_iters=3',)),
    (8, 0, ('runner.type=EpochBasedRunner', 'runner.max_iters=None', 'runner.max_epochs=2'))])
def test_a_stopped_training_goes_on_as_if_nothing_had_been(train, tmp_path, stop, workers,
                                                           options):
    """Also with workers where there were none, and without the seed on the command line."""
    assert train('whole', '--seed', 3, options=options) == 0
    assert train('run', '--seed', 3, options=(stop_at(stop), *options)) == 75
    assert sorted(losses(tmp_path / 'run')) == list(range(1, stop + 1))
    assert train('run', '--auto-resume',
                 options=(f'data.workers_per_gpu={workers}', *options)) == 0
    assert losses(tmp_path / 'run') == losses(tmp_path / 'whole')
    assert_same(final(tmp_path / 'run'), final(tmp_path / 'whole'))


def test_auto_resume_without_a_checkpoint_starts_anew_and_says_so(train, tmp_path):
    assert train('run', '--auto-resume', options=('runner.max_iters=1',)) == 0
    log = next((tmp_path / 'run').glob('*.log')).read_text()
    assert 'auto-resume: no checkpoint of this run' in log
    assert sorted(losses(tmp_path / 'run')) == [1]


def test_auto_resume_leaves_out_a_damaged_checkpoint(train, tmp_path):
    assert train('run', '--seed', 3) == 0
    whole = final(tmp_path / 'run')
    newest = tmp_path / 'run/iter_7.pth'
    newest.write_bytes(newest.read_bytes()[:-1000])
    (tmp_path / 'run/latest.pth').unlink()
    assert train('run', '--seed', 3, options=('auto_resume=True',)) == 0
    log = max((tmp_path / 'run').glob('*.log')).read_text()
    assert 'auto-resume leaves out a checkpoint: ' in log
    assert 'iter_7.pth cannot be read' in log
    assert 'the run goes on from' in log
    assert_same(final(tmp_path / 'run'), whole)


@pytest.mark.parametrize('variable', ['TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT'])
def test_a_job_that_was_started_again_goes_on_by_itself(train, tmp_path, monkeypatch, variable):
    train('run', '--seed', 3, options=(stop_at(4),))
    monkeypatch.setenv(variable, '1')
    assert train('run', '--seed', 3) == 0
    assert sorted(losses(tmp_path / 'run')) == [1, 2, 3, 4, 5, 6, 7]


def test_a_restart_takes_no_checkpoint_of_an_earlier_run_in_the_folder(train, tmp_path,
                                                                       monkeypatch):
    """The second run ends before its first checkpoint; the folder holds the whole first one."""
    train('run', '--seed', 3)
    train('run', '--seed', 4, '--cfg-options', 'runner.max_iters=1', 'checkpoint_config=None')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert train('run', '--seed', 4, options=('runner.max_iters=2',)) == 0
    log = max((tmp_path / 'run').glob('*.log')).read_text()
    assert 'are of an earlier run' in log
    assert torch.load(tmp_path / 'run/latest.pth', weights_only=True)['meta']['iter'] == 2


def test_a_restarted_job_prefers_its_own_checkpoint_to_the_one_that_it_began_with(train, tmp_path):
    train('old', '--seed', 3)
    start = tmp_path / 'old/iter_3.pth'
    assert train('run', '--resume-from', start, '--auto-resume', options=(stop_at(5),)) == 75
    assert train('run', '--resume-from', start, '--auto-resume') == 0
    assert sorted(losses(tmp_path / 'run')) == [4, 5, 6, 7]
    assert losses(tmp_path / 'run').items() <= losses(tmp_path / 'old').items()


def test_the_exit_code_of_a_stop_can_be_set(train):
    assert train('run', options=(stop_at(2), 'preemption.exit_code=9')) == 9


def test_classes_of_another_order_are_not_taken_by_their_numbers(train, tmp_path):
    train('run', '--seed', 3)
    stored = torch.load(tmp_path / 'run/iter_3.pth', weights_only=True)
    classes = list(stored['meta']['CLASSES'])
    stored['meta']['CLASSES'] = [*classes[1:], classes[0]]
    torch.save(stored, tmp_path / 'turned.pth')
    with pytest.raises(CheckpointError, match='turned.pth cannot be resumed with .*the order '
                                              "differs from class 0 on, the checkpoint has 'aerop"):
        train('again', '--resume-from', tmp_path / 'turned.pth')
    assert train('again', '--resume-from', tmp_path / 'turned.pth',
                 options=('match_classes=False',)) == 0
    assert losses(tmp_path / 'again').items() <= losses(tmp_path / 'run').items()
    assert train('tuned', '--load-from', tmp_path / 'turned.pth',
                 options=('runner.max_iters=1',)) == 0
    log = next((tmp_path / 'tuned').glob('*.log')).read_text()
    assert 'turned.pth begins with the classifier of other classes than those of' in log
