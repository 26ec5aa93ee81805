"""--deterministic from the command line: what is not repeatable is named, or an error."""
import os
import subprocess
import sys

import pytest

HOOK = '''
import torch
from mmcv_replace.runner import HOOKS, Hook, get_dist_info

class PutBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return torch.zeros_like(gradient).put_(torch.arange(gradient.numel()), gradient)

@HOOKS.register_module(force=True)
class PutHook(Hook):
    """Makes the last layer's backward pass use an operator that is not deterministic."""

    def before_run(self, runner):
        if get_dist_info()[0] == get_dist_info()[1] - 1:
            layer = runner.model.module.decode_head.conv_seg
            layer.register_forward_hook(lambda module, args, out: PutBackward.apply(out))
'''
TOLD = ('deterministic: runs with the same seed may differ, since torch has no deterministic '
        'implementation here of put_. --deterministic strict makes that an error')


@pytest.fixture
def config(small_config, tmp_path, monkeypatch):
    (tmp_path / 'put_hook_of_test.py').write_text(HOOK)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    file = tmp_path / 'config.py'
    file.write_text(f'_base_ = {str(small_config)!r}\n'
                    "custom_imports = dict(imports=['put_hook_of_test'])\n"
                    "custom_hooks = [dict(type='PutHook')]\n"
                    f"work_dir = {str(tmp_path / 'work')!r}\n")
    return file


def log_of(config):
    log, = (config.parent / 'work').glob('*.log')
    return log.read_text()


def test_named_once(run_tool, config):
    done = run_tool('train', config, '--device', 'cpu', '--no-validate', '--deterministic')
    assert done.returncode == 0, done.stderr
    assert log_of(config).count(TOLD) == log_of(config).count('put_.') == 1
    assert 'does not have a deterministic' not in done.stderr


@pytest.mark.parametrize('argv', [
    ['--deterministic', 'strict'], ['--cfg-options', 'deterministic=strict']])
def test_strict(run_tool, config, argv):
    done = run_tool('train', config, '--device', 'cpu', '--no-validate', *argv)
    assert done.returncode == 2
    assert ("deterministic='strict': torch has no deterministic implementation of put_ for this "
            'device') in done.stderr


def test_the_toolkits_own_operators_are_deterministic(run_tool, config):
    done = run_tool('train', config, '--device', 'cpu', '--deterministic', 'strict',
                    '--cfg-options', 'custom_hooks=[]')
    assert done.returncode == 0, done.stderr


def test_what_another_process_meets(config, repo_dir):
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
         '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
         str(repo_dir / 'tools/train.py'), str(config), '--launcher', 'pytorch', '--device', 'cpu',
         '--no-validate', '--deterministic', '--cfg-options', 'data.samples_per_gpu=2'],
        env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert log_of(config).count(TOLD) == 1
