"""Signals that ask a run to stop."""
import os
import signal
import subprocess
import sys

import pytest
import torch

from mmcv_replace.runner import Hook
from mmcv_replace.runner.hooks import PreemptionHook
from mmcv_replace.runner.preemption import StopRequest
from mmcv_replace.utils.errors import ConfigError


class Send(Hook):
    """Sends this process a signal in an iteration."""

    def __init__(self, number, at=2, times=1):
        self.number, self.at, self.times, self.done = number, at, times, []

    def before_train_iter(self, runner):
        if runner.iter + 1 == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)

    def after_train_iter(self, runner):
        self.done.append(runner.finished_iters)


def run(make_runner, make_loader, hook, by_epoch=False, preemption=None, **kwargs):
    runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': 6}, **kwargs)
    runner.register_optimizer_hook({})
    runner.register_hook(hook)
    runner.register_hook_from_cfg({'type': 'PreemptionHook', **(preemption or {})})
    runner.run([make_loader()], [('train', 1)])
    return runner


@pytest.mark.parametrize('by_epoch', [False, True])
@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGUSR1'])
def test_finishes_the_step_saves_and_leaves_with_75(make_runner, make_loader, tmp_path, log_lines,
                                                    name, by_epoch):
    before = signal.getsignal(getattr(signal, name))
    hook = Send(getattr(signal, name))
    with pytest.raises(SystemExit) as left:
        run(make_runner, make_loader, hook, by_epoch)
    assert left.value.code == 75
    assert hook.done == [1, 2]
    stored = torch.load(tmp_path / 'work' / 'latest.pth', weights_only=True)
    assert (stored['meta']['iter'], 'optimizer' in stored) == (2, True)
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()
    assert f'{name}: stopping after iteration 2, saved as' in log_lines[-1]
    assert '--auto-resume' in log_lines[-1]
    assert signal.getsignal(getattr(signal, name)) == before


def test_leaves_without_what_hooks_compute_for_a_checkpoint(make_runner, make_loader):
    """Launchers kill half a minute after the signal."""
    class Slow(Send):
        asked = 0

        def before_collect_state(self, runner):
            self.asked += 1

    hook = Slow(signal.SIGTERM)
    with pytest.raises(SystemExit):
        run(make_runner, make_loader, hook)
    assert hook.asked == 0
    runner = make_runner(max_iters=1)
    runner.register_hook(hook)
    runner.collect_state()
    assert hook.asked == 1


def test_nobody_reads_what_is_said(make_runner, make_loader, tmp_path, monkeypatch):
    """`train.py 2>&1 | tee log`: Ctrl-C ends tee too."""
    def write(*args):
        raise BrokenPipeError

    monkeypatch.setattr(os, 'write', write)
    with pytest.raises(SystemExit) as left:
        run(make_runner, make_loader, Send(signal.SIGINT))
    assert left.value.code == 75
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()


def test_options(make_runner, make_loader, tmp_path):
    with pytest.raises(SystemExit) as left:
        run(make_runner, make_loader, Send(signal.SIGUSR2),
            preemption={'signals': ['SIGUSR2'], 'exit_code': 9})
    assert left.value.code == 9


def test_the_last_iteration_needs_no_stop(make_runner, make_loader, tmp_path):
    runner = run(make_runner, make_loader, Send(signal.SIGTERM, at=6))
    assert runner.iter == 6


def test_out_dir_of_the_checkpoints_is_used(make_runner, make_loader, tmp_path):
    runner = make_runner(max_iters=6)
    runner.register_checkpoint_hook({'out_dir': str(tmp_path / 'out')})
    runner.register_hook(Send(signal.SIGTERM))
    runner.register_hook(PreemptionHook(), 'LOWEST')
    with pytest.raises(SystemExit):
        runner.run([make_loader()], [('train', 1)])
    assert sorted(os.listdir(tmp_path / 'out')) == ['iter_2.pth', 'latest.pth']


def test_without_a_work_dir_it_says_that_nothing_is_saved(make_runner, make_loader, log_lines):
    with pytest.raises(SystemExit):
        run(make_runner, make_loader, Send(signal.SIGTERM), work_dir=None)
    assert 'not saved: there is no work_dir' in log_lines[-1]


def test_the_hook_runs_last(make_runner):
    runner = make_runner()
    runner.register_hook_from_cfg({'type': 'PreemptionHook'})
    assert runner.hooks[0].priority == 100


def test_an_unknown_signal_is_an_error():
    with pytest.raises(ConfigError, match="'SIGNONE' is not a signal"):
        StopRequest(['SIGNONE'])


def test_a_second_interrupt_ends_the_process_at_once(repo_dir):
    code = ('import os, signal, time\n'
            'from mmcv_replace.runner.preemption import StopRequest\n'
            'request = StopRequest(); request.listen()\n'
            'os.kill(os.getpid(), signal.SIGINT)\n'
            'print(request.received, flush=True)\n'
            'os.kill(os.getpid(), signal.SIGINT)\n'
            'time.sleep(20)\n'
            'print("slept", flush=True)\n')
    done = subprocess.run([sys.executable, '-c', code], cwd=repo_dir, capture_output=True,
                          text=True)
    assert (done.stdout, done.returncode) == ('SIGINT\n', -signal.SIGINT)


WORKER = '''
import os, signal, sys, time
import torch.multiprocessing as mp
from mmcv_replace.runner.preemption import outlive_requests

def work(pipe):
    outlive_requests()
    pipe.send('ready')
    time.sleep(60)

def send(number, target):
    child = mp.Process(target=os.kill, args=(target, number)); child.start(); child.join()

if __name__ == '__main__':
    here, there = mp.Pipe()
    worker = mp.Process(target=work, args=(there,)); worker.start()
    here.recv()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        send(number, worker.pid)
    time.sleep(0.5)
    print('alive' if worker.is_alive() else worker.exitcode, flush=True)
    worker.terminate(); worker.join(20)
    print(worker.exitcode)
'''


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='no sigwaitinfo on this system')
def test_workers_outlive_what_is_not_of_their_parent(repo_dir, tmp_path):
    (tmp_path / 'worker.py').write_text(WORKER)
    done = subprocess.run([sys.executable, tmp_path / 'worker.py'], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(repo_dir)}, timeout=60)
    assert done.stdout.split() == ['alive', '0'], done.stderr
