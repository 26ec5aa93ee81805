"""A job of several processes that is asked to stop, or that loses one of them."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

ACT = '''
import os, signal
from mmcv_replace.runner import HOOKS, Hook

@HOOKS.register_module()
class ActHook(Hook):
    """In iteration 4 one rank does what ACT says, unless the job was started again."""

    def before_train_iter(self, runner):
        again = os.environ['TORCHELASTIC_RESTART_COUNT'] != '0'
        act, rank = os.environ.get('ACT', 'nothing 0').split()
        if again or runner.iter != 3 or runner.rank != int(rank):
            return
        if act == 'raise':
            raise ValueError('something that nobody thought of')
        if act != 'nothing':
            os.kill(os.getpid(), getattr(signal, act))
'''
TIMEOUT = 8  # seconds, of the exchanges between the processes
LAUNCHER = 30  # seconds after which torchrun kills what does not end
ITERATIONS = 8


@pytest.fixture(scope='module')
def config(small_config, tmp_path_factory):
    folder = tmp_path_factory.mktemp('acting')
    (folder / 'act_hook_of_test.py').write_text(ACT)
    file = folder / 'config.py'
    file.write_text(
        f'_base_ = {str(small_config)!r}\n'
        "custom_imports = dict(imports=['act_hook_of_test'])\n"
        "custom_hooks = [dict(type='ActHook')]\n"
        f'dist_params = dict(timeout={TIMEOUT})\n'
        f'runner = dict(max_iters={ITERATIONS})\n'
        'data = dict(samples_per_gpu=2)\n')
    return file


class Job:
    """Two processes under torchrun."""

    def __init__(self, config, repo_dir, work_dir, act='nothing 0', restarts=0, options=()):
        self.work_dir = work_dir
        command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
                   '--standalone', '--local_addr=127.0.0.1', f'--max-restarts={restarts}',
                   str(repo_dir / 'tools/train.py'), str(config), '--launcher', 'pytorch',
                   '--device', 'cpu', '--seed', '3', '--no-validate', '--work-dir', str(work_dir),
                   *options]
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'ACT': act,
                       'PYTHONPATH': str(config.parent)}
        self.process = subprocess.Popen(command, env=environment, text=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait(self):
        """Wait for the end; returns what was said."""
        said = self.process.communicate(timeout=240)[1]
        self.code = self.process.returncode
        return said

    def pids(self):
        found = []
        for entry in os.listdir('/proc'):
            try:
                with open(f'/proc/{entry}/cmdline', 'rb') as file:
                    if str(self.work_dir).encode() in file.read():
                        found.append(int(entry))
            except OSError:
                continue
        return found


@pytest.fixture
def start(config, repo_dir, tmp_path):
    jobs = []

    def begin(name='run', **kwargs):
        jobs.append(Job(config, repo_dir, tmp_path / name, **kwargs))
        return jobs[-1]

    yield begin
    for job in jobs:
        for pid in job.pids():
            os.kill(pid, signal.SIGKILL)


def losses(work_dir):
    lines = [json.loads(line) for log in sorted(work_dir.glob('*.log.json'))
             for line in log.read_text().splitlines()]
    return {line['iter']: line['loss'] for line in lines if line.get('mode') == 'train'}


def weights(work_dir):
    stored = torch.load(work_dir / 'latest.pth', weights_only=True)
    assert stored['meta']['iter'] == ITERATIONS
    return stored['state_dict']


@pytest.mark.skipif(not os.path.isdir('/proc'), reason='looks for processes in /proc')
def test_all_stop_after_the_same_iteration_and_go_on_exactly(start, tmp_path):
    """One rank is asked; with dropout, whose random numbers differ between the ranks."""
    whole = start('whole')
    assert whole.wait()
    assert whole.code == 0
    stopped = start(act='SIGUSR1 1')
    said = stopped.wait()
    assert stopped.code != 0
    assert re.search(r'exitcode\s*: 75', said)
    left = re.search(r'a signal to another process: stopping after iteration (\d), saved', said)
    assert left, said
    assert sorted(losses(tmp_path / 'run')) == list(range(1, int(left[1]) + 1))
    assert 4 <= int(left[1]) < ITERATIONS
    resumed = start(options=['--auto-resume'])
    assert resumed.wait()
    assert resumed.code == 0
    assert losses(tmp_path / 'run') == losses(tmp_path / 'whole')
    expected = weights(tmp_path / 'whole')
    assert all(torch.equal(value, expected[key])
               for key, value in weights(tmp_path / 'run').items())


def stays_behind(said):
    found = re.search(r'stayed behind first:\nrank (\d): iteration (\d), silent', said)
    assert found, said
    return found.groups()


@pytest.mark.parametrize('act', [
    'SIGKILL 1', pytest.param('SIGKILL 0', marks=pytest.mark.slow),
    pytest.param('SIGSTOP 1', marks=pytest.mark.slow),
    pytest.param('SIGSTOP 0', marks=pytest.mark.slow),
    pytest.param('raise 0', marks=pytest.mark.slow),
    pytest.param('raise 1', marks=pytest.mark.slow)])
def test_a_lost_rank_is_named_and_the_job_ends(start, act):
    job = start(act=act)
    said = job.wait()
    ended = time.time()
    assert job.code != 0
    assert stays_behind(said) == (act[-1], '4')
    assert job.pids() == []
    last = max(path.stat().st_mtime for path in job.work_dir.glob('*.log.json'))
    assert ended - last < TIMEOUT + LAUNCHER + 20


HANG = '''
import os, signal
from mmseg.datasets import PIPELINES

@PIPELINES.register_module()
class HangHere:
    """Halts the second process while it makes its data set."""

    def __init__(self):
        if os.environ['RANK'] == '1':
            os.kill(os.getpid(), signal.SIGSTOP)

    def __call__(self, results):
        return results
'''


@pytest.mark.slow
def test_a_rank_that_hangs_before_the_first_iteration_is_named(start, config):
    (config.parent / 'hang_here_of_test.py').write_text(HANG)
    job = start(options=['--cfg-options', "custom_imports.imports=['hang_here_of_test']",
                         'custom_hooks=None', "data.train.pipeline.0={'type':'HangHere'}"])
    said = job.wait()
    assert job.code != 0
    assert stays_behind(said) == ('1', '0')
    assert job.pids() == []


@pytest.mark.slow
@pytest.mark.parametrize('act', ['SIGKILL 0', 'SIGKILL 1', 'SIGSTOP 1', 'raise 1', 'SIGTERM 0'])
def test_with_a_restart_the_job_completes(start, act, tmp_path):
    whole = start('whole')
    assert whole.wait()
    job = start(act=act, restarts=1)
    said = job.wait()
    assert job.code == 0, said
    assert 'auto-resume: the run goes on from' in said
    assert losses(tmp_path / 'run') == losses(tmp_path / 'whole')
    expected = weights(tmp_path / 'whole')
    assert all(torch.equal(value, expected[key])
               for key, value in weights(tmp_path / 'run').items())


WORKER = '''
import os, signal
from torch.utils.data import get_worker_info
from mmseg.datasets import PIPELINES

@PIPELINES.register_module()
class DieHere:
    """Ends the process that loads the data, as the kernel does when memory runs out."""

    def __call__(self, results):
        if get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return results
'''


def test_a_dead_worker_is_named(run_tool, small_config, tmp_path, monkeypatch):
    (tmp_path / 'die_here_of_test.py').write_text(WORKER)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    config = tmp_path / 'config.py'
    config.write_text(f'_base_ = {str(small_config)!r}\n'
                      "custom_imports = dict(imports=['die_here_of_test'])\n")
    done = run_tool('train', config, '--device', 'cpu', '--work-dir', tmp_path / 'run',
                    '--no-validate', '--cfg-options', 'data.workers_per_gpu=1',
                    "data.train.pipeline.0={'type':'DieHere'}")
    assert done.returncode == 2, done.stderr
    assert 'rank 0: a process that loads its data died: DataLoader worker' in done.stderr
    assert 'data.workers_per_gpu' in done.stderr
