"""Signals that ask a run to stop."""
import os
import signal
import subprocess
import sys

import pytest
import torch

from mmcv_replace.runner import Hook, preemption
from mmcv_replace.runner.hooks import PreemptionHook, listen_for_requests
from mmcv_replace.runner.preemption import EvaluationCut, StopRequest
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
                          env={**os.environ, 'PYTHONPATH': str(repo_dir)}, timeout=300)
    assert done.stdout.split() == ['alive', '0'], done.stderr


class Evaluation(Hook):
    """Goes through ten samples, of which `signals` come with the third."""

    def __init__(self, *signals, stage='after_train_iter', at=2):
        self.signals, self.at, self.seen, self.closed = signals, at, 0, False
        setattr(self, stage, self.evaluate)

    def samples(self):
        try:
            for number in range(10):
                if number == 2:
                    for each in self.signals:
                        os.kill(os.getpid(), each)
                yield number
        finally:
            self.closed = True

    def evaluate(self, runner):
        if runner.finished_iters == self.at:
            try:
                for _ in listen_for_requests(runner).watched(self.samples(), 10):
                    self.seen += 1
            except EvaluationCut:
                assert self.closed


@pytest.fixture
def said(monkeypatch):
    """What is written to the terminal."""
    lines = []
    monkeypatch.setattr(preemption.os, 'write', lambda file, data: lines.append(data.decode()))
    return lines


def evaluating(make_runner, make_loader, hook, *more, length=4, by_epoch=False):
    runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': length})
    runner.register_optimizer_hook({})
    for each in (hook, *more):
        runner.register_hook(each, 'LOW')
    runner.register_hook_from_cfg({'type': 'PreemptionHook'})
    with pytest.raises(SystemExit) as left:
        runner.run([make_loader()], [('train', 1)])
    assert left.value.code == 75
    return runner


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGUSR1'])
def test_one_signal_lets_an_evaluation_finish(make_runner, make_loader, tmp_path, said, name):
    hook = Evaluation(getattr(signal, name))
    evaluating(make_runner, make_loader, hook)
    assert hook.seen == 10
    assert said == [f'\n{name}: finishing the evaluation 2 of 10; again to stop now\n']
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()


@pytest.mark.parametrize(('first', 'second'), [
    ('SIGTERM', 'SIGTERM'), ('SIGINT', 'SIGINT'), ('SIGUSR1', 'SIGINT')])
@pytest.mark.parametrize('last', [False, True])
def test_a_second_signal_breaks_it_off_and_saves(make_runner, make_loader, tmp_path, said,
                                                 log_lines, monkeypatch, first, second, last):
    monkeypatch.setattr(preemption, 'ECHO', -1)
    hook = Evaluation(getattr(signal, first), getattr(signal, second))
    evaluating(make_runner, make_loader, hook, length=2 if last else 4)
    assert hook.seen == 3
    assert said[-1] == f'\n{second}: the evaluation is broken off\n'
    stored = torch.load(tmp_path / 'work' / 'iter_2.pth', weights_only=True)
    assert (stored['meta']['iter'], len(stored['run_state']['processes'])) == (2, 1)
    assert 'begins with the evaluation that was broken off' in log_lines[-1]


def test_a_signal_that_is_passed_on_is_one(make_runner, make_loader, said, monkeypatch):
    """A scheduler sends it to all processes, and the launcher again to its own."""
    monkeypatch.setattr(preemption, 'ECHO', 60)
    hook = Evaluation(signal.SIGTERM, signal.SIGTERM)
    evaluating(make_runner, make_loader, hook)
    assert hook.seen == 10
    assert 'broken off' not in ''.join(said)


def test_an_interrupt_of_the_step_before_counts_as_the_first(make_runner, make_loader, tmp_path,
                                                             said, monkeypatch):
    """Outside of an evaluation the second one ends the process."""
    monkeypatch.setattr(preemption, 'ECHO', -1)
    hook = Evaluation(signal.SIGINT)
    evaluating(make_runner, make_loader, hook, Send(signal.SIGINT))
    assert said == ['SIGINT: the training stops after this iteration\n',
                    '\nSIGINT: finishing the evaluation 0 of 10; again to stop now\n',
                    '\nSIGINT: the evaluation is broken off\n']
    assert hook.seen == 3
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()


@pytest.mark.parametrize('stage', ['before_run', 'before_train_epoch', 'before_train_iter'])
def test_nothing_is_saved_before_anything_is_trained(make_runner, make_loader, tmp_path, log_lines,
                                                     said, monkeypatch, stage):
    """The state of the loaders is then ahead of that of the model."""
    monkeypatch.setattr(preemption, 'ECHO', -1)
    evaluating(make_runner, make_loader, Evaluation(signal.SIGTERM, signal.SIGTERM, stage=stage,
                                                    at=0), by_epoch=stage != 'before_train_iter')
    assert not list((tmp_path / 'work').glob('*.pth'))
    assert 'this process has trained nothing' in log_lines[-1]


def test_an_evaluation_after_an_epoch(make_runner, make_loader, tmp_path, said, monkeypatch):
    monkeypatch.setattr(preemption, 'ECHO', -1)
    hook = Evaluation(signal.SIGTERM, signal.SIGTERM, stage='after_train_epoch', at=4)
    evaluating(make_runner, make_loader, hook, by_epoch=True)
    meta = torch.load(tmp_path / 'work' / 'iter_4.pth', weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (1, 4)


VOTING = '''
import os
import sys
import torch.distributed as dist
from mmcv_replace.runner import preemption
dist.init_process_group('gloo')
request = preemption.StopRequest()
rank = dist.get_rank()
total = (9, 14)[rank]
asked = int(sys.argv[1])

def samples():
    for number in range(total):
        if rank == 1 and number == asked:
            request._urgent = True
        yield number

seen = 0
try:
    for _ in request.watched(samples(), total):
        seen += 1
    end = 'whole'
except preemption.EvaluationCut:
    end = 'cut'
# In one piece: the other process writes there too.
os.write(1, f'{rank} {seen} {end}\\n'.encode())
dist.barrier()
dist.destroy_process_group()
'''


@pytest.mark.parametrize(('asked', 'told'), [
    (99, ['0 9 whole', '1 14 whole']),
    (2, ['0 8 cut', '1 8 cut']),  # heard of in the vote after that of the fourth
    (10, ['0 9 cut', '1 14 cut']),  # when the other has none left
])
def test_processes_break_off_together(repo_dir, tmp_path, asked, told):
    (tmp_path / 'voting.py').write_text(VOTING)
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--standalone',
         '--local_addr=127.0.0.1', tmp_path / 'voting.py', str(asked)], capture_output=True,
        text=True, env={**os.environ, 'PYTHONPATH': str(repo_dir)}, timeout=300)
    assert sorted(done.stdout.splitlines()) == told, done.stderr
