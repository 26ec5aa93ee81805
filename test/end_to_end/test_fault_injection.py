"""Disks that are full, read-only or lose bytes: no lost run, a message and no traceback."""
import random
import shutil
import subprocess

import pytest
import torch

HOOK = '''
import os, subprocess
from mmcv_replace.runner import HOOKS, Hook

@HOOKS.register_module(force=True)
class CommandHook(Hook):
    """Runs a command before an iteration."""

    def __init__(self, at, command):
        self.at, self.command = at, command

    def before_train_iter(self, runner):
        if runner.iter + 1 == self.at:
            runner.saver.wait()
            subprocess.run(self.command, shell=True, check=True)
'''


@pytest.fixture
def disk(tmp_path):
    """`disk(megabytes)` is a folder on a file system of that size."""
    mounted = []

    def mount(megabytes):
        folder = tmp_path / 'disk'
        folder.mkdir()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', folder],
                              capture_output=True, text=True) if shutil.which('mount') else None
        if done is None or done.returncode != 0:
            pytest.skip('needs the right to mount a file system, as root has it')
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(['umount', '--lazy', folder], check=True)


@pytest.fixture
def train(run_tool, small_config, tmp_path, monkeypatch):
    """`train(work_dir, command, at=3, ...)` runs the command before that iteration of five."""
    (tmp_path / 'command_hook_of_test.py').write_text(HOOK)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))

    def run(work_dir, command='true', *options, at=3, arguments=()):
        config = tmp_path / 'config.py'
        config.write_text(
            f'_base_ = {str(small_config)!r}\n'
            "custom_imports = dict(imports=['command_hook_of_test'])\n"
            f"custom_hooks = [dict(type='CommandHook', at={at}, command={command!r})]\n"
            'runner = dict(max_iters=5)\ncheckpoint_config = dict(interval=1)\n')
        return run_tool('train', config, '--device', 'cpu', '--seed', 3, '--no-validate',
                        '--work-dir', work_dir, *arguments,
                        *(['--cfg-options', *options] if options else []))
    return run


def iterations(done):
    return [number for number in range(1, 6) if f'Iter [{number}/5]' in done.stderr + done.stdout]


def saved(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def latest(folder):
    return torch.load(folder / 'latest.pth', weights_only=True)['meta']['iter']


def test_a_full_disk_costs_checkpoints_but_not_the_run(train, disk):
    """Space for three checkpoints of 1.7 MB. The last one is lost, which is an error."""
    folder = disk(6)
    done = train(folder)
    assert done.returncode == 2
    assert iterations(done) == [1, 2, 3, 4, 5]
    assert saved(folder) == ['iter_1.pth', 'iter_2.pth', 'iter_3.pth', 'latest.pth']
    assert latest(folder) == 3
    assert 'No space left on device' in done.stderr
    assert 'Traceback' not in done.stderr
    assert not list(folder.glob('*.tmp'))


def test_when_there_is_space_again_it_saves_again(train, disk):
    folder = disk(5)
    filler = folder / 'filler'
    filler.write_bytes(bytes(2_000_000))
    done = train(folder, f'rm -f {filler}', 'checkpoint_config.max_keep_ckpts=1', at=4)
    assert done.returncode == 0, done.stderr
    assert latest(folder) == 5
    assert iterations(done) == [1, 2, 3, 4, 5]


def test_the_rule_stop_ends_the_run(train, disk):
    folder = disk(6)
    done = train(folder, 'true', 'checkpoint_config.on_error=stop',
                 'checkpoint_config.async_save=False')
    assert done.returncode == 2
    assert iterations(done) == [1, 2, 3]
    assert latest(folder) == 3
    assert 'Traceback' not in done.stderr


def test_a_disk_that_becomes_read_only(train, disk, tmp_path):
    folder = disk(30)
    done = train(tmp_path / 'work', f'mount -o remount,ro {folder}',
                 f'checkpoint_config.out_dir={folder}')
    assert done.returncode == 2
    assert iterations(done) == [1, 2, 3, 4, 5]
    assert latest(folder) == 2
    assert 'Read-only file system' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_work_dir_that_cannot_be_written(train, disk):
    folder = disk(30)
    subprocess.run(['mount', '-o', 'remount,ro', folder], check=True)
    done = train(folder)
    assert done.returncode == 2
    assert 'cannot be written' in done.stderr
    assert 'choose another --work-dir' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.slow
def test_no_damage_loses_the_run(train, tmp_path):
    """20 truncations and 20 flipped bits of the newest one; no latest.pth; a clock that was off."""
    rng = random.Random(0)
    whole = tmp_path / 'whole'
    assert train(whole).returncode == 0
    final = torch.load(whole / 'iter_5.pth', weights_only=True)['state_dict']
    content = (whole / 'iter_5.pth').read_bytes()
    for number in range(40):
        folder = tmp_path / f'run_{number}'
        shutil.copytree(whole, folder, symlinks=True)
        damaged = bytearray(content)
        if number < 20:
            del damaged[rng.randrange(len(content)):]
        else:
            damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (folder / 'iter_5.pth').write_bytes(damaged)
        (folder / 'latest.pth').unlink()
        done = train(folder, 'touch -d 1999-01-01 ' + str(folder / 'iter_4.pth'), at=5,
                     arguments=['--auto-resume'])
        assert done.returncode == 0, done.stderr
        assert 'Traceback' not in done.stderr
        rescued = torch.load(folder / 'iter_5.pth', weights_only=True)['state_dict']
        assert all(torch.equal(rescued[key], value) for key, value in final.items()), number
