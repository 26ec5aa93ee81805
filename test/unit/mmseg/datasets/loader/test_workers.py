"""Workers of our loaders go on when a stop request reaches every process of a job."""
import os
import signal
import subprocess
import sys
import threading

import pytest

from mmcv_replace.runner.preemption import holding_back_requests

# With two torch threads at first: torch then makes threads of its own in each worker.
PROGRAM = '''
import os, signal, subprocess, sys, time
import torch
from mmseg.datasets import build_dataloader
torch.set_num_threads(2)

class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 40
    def __getitem__(self, index):
        return torch.tensor(index)

if __name__ == '__main__':
    loader = build_dataloader(Numbers(), 1, 2, shuffle=False,
                              max_skipped=3 if sys.argv[1] == 'skip' else None,
                              multiprocessing_context='fork')
    batches = iter(loader)
    seen = [next(batches).item()]
    ours = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGTERM not in ours
    listed = subprocess.run(['ps', '--ppid', str(os.getpid()), '-o', 'pid='],
                            capture_output=True, text=True).stdout.split()
    subprocess.run(f'kill -TERM {" ".join(listed)} 2>/dev/null', shell=True)
    time.sleep(1)
    seen += [batch.item() for batch in batches]
    print(seen == list(range(40)))
'''


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='no sigwaitinfo on this system')
@pytest.mark.parametrize('on_error', ['raise', 'skip'])
def test_workers_survive_a_request_to_all(repo_dir, tmp_path, on_error):
    (tmp_path / 'program.py').write_text(PROGRAM)
    environment = {**os.environ, 'PYTHONPATH': str(repo_dir), 'OMP_NUM_THREADS': '2'}
    done = subprocess.run([sys.executable, tmp_path / 'program.py', on_error],
                          env=environment, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ('True\n', 0), done.stderr


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_request_waits_for_the_workers_to_be_made(number):
    received = []
    former = signal.signal(number, lambda *args: received.append(True))
    try:
        with holding_back_requests():
            # To this thread: others of the process would take it at once.
            signal.pthread_kill(threading.get_ident(), number)
            assert not received
        assert received
    finally:
        signal.signal(number, former)
