"""Runs in a work directory that another run has used, and resumes with other settings."""
import json

import pytest
import torch

from mmcv_replace.utils.errors import CheckpointError, ConfigError


@pytest.fixture
def train(tool, small_config, tmp_path):
    """Train in one work directory; returns the log of the run."""
    def run(*argv, iters, **options):
        work_dir = tmp_path / 'work'
        known = set(work_dir.glob('*.log'))
        settings = {'runner.max_iters': iters, 'checkpoint_config.interval': 1, **options}
        tool('train')([str(small_config), '--device', 'cpu', '--no-validate', '--work-dir',
                       str(work_dir), *map(str, argv), '--cfg-options',
                       *(f'{key}={value}' for key, value in settings.items())])
        log, = set(work_dir.glob('*.log')) - known
        return log.read_text()
    return run


def rates(work_dir, number):
    """Learning rates of the run that started as the one of that number."""
    log = sorted(work_dir.glob('*.log.json'))[number]
    lines = map(json.loads, log.read_text().splitlines())
    return [line['lr'] for line in lines if line.get('mode') == 'train']


def table(log):
    """Cells of the table of a resume."""
    _, _, rest = log.partition('what differs between')
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in rest.splitlines() if line.startswith('|')]


def test_a_resume_that_takes_new_values(train, tmp_path):
    work_dir = tmp_path / 'work'
    train(iters=2, seed=1)
    log = train('--auto-resume', '--resume-override', 'optimizer.lr', 'optimizer.weight_decay',
                iters=4, seed=1, **{'optimizer.lr': 0.001, 'optimizer.momentum': 0.5,
                                    'optimizer.weight_decay': 0.5})
    assert table(log)[1:4] == [
        ['optimizer.lr', '0.01', '0.001', 'config (taken), by resume_override'],
        ['optimizer.momentum', '0.9', '0.5', 'checkpoint (not taken)'],
        ['optimizer.weight_decay', '0.0005', '0.5', 'config (taken), by resume_override']]
    first, again = (rates(work_dir, number) for number in (0, 1))
    assert max(again) <= 0.001 < min(first)
    stored, = torch.load(work_dir / 'latest.pth', weights_only=True)['optimizer']['param_groups']
    assert (stored['initial_lr'], stored['weight_decay'], stored['momentum']) == (0.001, 0.5, 0.9)
    # The schedule goes on from there, without the option.
    log = train('--auto-resume', iters=4, seed=1, **{
        'optimizer.lr': 0.001, 'optimizer.weight_decay': 0.5})
    assert 'what differs' not in log


def test_a_run_that_is_finished_says_so(train, tmp_path):
    work_dir = tmp_path / 'work'
    train(iters=2)
    before = (work_dir / 'iter_2.pth').read_bytes()
    log = train('--auto-resume', iters=2)
    assert 'the run is finished: it has done 2 of 2 iterations, nothing is left to train' in log
    assert 'Iter [' not in log
    assert (work_dir / 'iter_2.pth').read_bytes() == before


@pytest.mark.parametrize(('first', 'then'), [('SGD', 'AdamW'), ('AdamW', 'SGD')])
def test_another_type_of_optimizer_by_the_command_line(train, tmp_path, first, then):
    def options(name):
        return {'optimizer': f'dict(_delete_=True, type={name!r}, lr=6e-5)'}

    log = train(iters=1, **options(first))
    assert f'optimizer = dict(type={first!r}, lr=6e-05)' in log
    with pytest.raises(CheckpointError, match=f'(?s)as {then} needs: it is of another type.*new'):
        train('--auto-resume', iters=2, **options(then))
    log = sorted((tmp_path / 'work').glob('*.log'))[-1].read_text()
    assert table(log)[1][:3] == ['optimizer.type', repr(first), repr(then)]


def test_an_override_of_what_is_no_setting(train):
    with pytest.raises(ConfigError, match="did you mean 'optimizer.lr'"):
        train('--resume-override', 'optimizer.lrs', iters=1)


def test_a_resume_in_place_with_other_settings(train, tmp_path):
    work_dir = tmp_path / 'work'
    train(iters=3, seed=1)
    first = {name: (work_dir / name).read_bytes() for name in ('iter_1.pth', 'iter_3.pth')}
    log = train('--resume-from', work_dir / 'iter_3.pth', '--load-from', work_dir / 'iter_1.pth',
                iters=5, seed=1, **{'optimizer.lr': 0.001, 'optimizer.momentum': 0.5,
                                    'checkpoint_config.max_keep_ckpts': 1})
    assert table(log) == [
        ['setting', 'checkpoint', 'config', 'in force'],
        ['optimizer.lr', '0.01', '0.001', 'checkpoint (not taken)'],
        ['optimizer.momentum', '0.9', '0.5', 'checkpoint (not taken)'],
        ['runner.max_iters', '3', '5', 'config (taken)']]
    assert log.count('what differs between this run and the one which wrote') == 1
    assert '--resume-override optimizer.lr optimizer.momentum\n' in log
    assert f'load_from={work_dir}/iter_1.pth is not used: the run goes on from {work_dir}' in log
    assert 0.001 < rates(work_dir, 1)[0] < 0.01  # as it says
    assert sorted(path.name for path in work_dir.glob('iter_*.pth')) == [
        'iter_1.pth', 'iter_3.pth', 'iter_5.pth']
    assert all((work_dir / name).read_bytes() == data for name, data in first.items())


def test_a_new_run_in_a_used_folder(train, tmp_path):
    work_dir = tmp_path / 'work'
    train(iters=3, **{'checkpoint_config.interval': 3})
    before = (work_dir / 'iter_3.pth').read_bytes()
    log = train('--load-from', work_dir / 'iter_3.pth', iters=4,
                **{'checkpoint_config.interval': 2, 'checkpoint_config.max_keep_ckpts': 1,
                   'optimizer.lr': 6e-5})
    assert (work_dir / 'iter_3.pth').read_bytes() == before
    assert 'holds 1 checkpoints of another run (iter_3.pth): none is deleted' in log
    assert sorted(path.name for path in work_dir.glob('iter_*.pth')) == ['iter_3.pth', 'iter_4.pth']
    # The schedule falls to 1e-4, which is above the rate of this run.
    assert rates(work_dir, 1) == [6e-5] * 4
    assert 'lr_config.min_lr leads to 0.0001, which is above the learning rate' in log


def test_a_restart_keeps_the_best_checkpoint_that_the_user_named(tool, small_config, tmp_path):
    """The command that was interrupted is given again, and another checkpoint is the newest."""
    work_dir = tmp_path / 'work'

    def run(*argv, iters, interval):
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(work_dir),
                       *map(str, argv), '--cfg-options', f'runner.max_iters={iters}',
                       'checkpoint_config.interval=1', f'evaluation.interval={interval}'])

    run(iters=1, interval=1)
    best = work_dir / 'best_mIoU_iter_1.pth'
    saved = torch.load(best, weights_only=True)
    saved['meta']['hook_msgs']['best_score'] = -1.0  # any later score is better
    torch.save(saved, best)
    run('--resume-from', best, iters=2, interval=9)
    run('--resume-from', best, '--auto-resume', iters=3, interval=3)
    assert sorted(path.name for path in work_dir.glob('best_*')) == [
        'best_mIoU_iter_1.pth', 'best_mIoU_iter_3.pth']
