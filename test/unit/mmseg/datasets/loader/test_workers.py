"""Workers of our loaders go on when a stop request reaches every process of a job."""
import os
import signal
import subprocess
import sys
import threading

import pytest
import torch

from mmcv_replace.runner.preemption import holding_back_requests
from mmcv_replace.utils.errors import DataError, MissingDataError, add_note
from mmseg.datasets import build_dataloader
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset
from mmseg.datasets.loader.skip_samples import DroppedSamplesError

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


class Odd(DataError):
    def __init__(self, first, second):
        super().__init__(f'{first} {second}')


class Failing(torch.utils.data.Dataset):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 6

    def __getitem__(self, index):
        if index < 3:
            return torch.tensor(index)
        add_note(self.error, f'sample {index}')
        raise self.error


def load(error, workers, **options):
    loader = build_dataloader(Failing(error), 1, workers, shuffle=False, **options)
    for _ in range(2):  # the second time, with workers that have sent an error before
        seen = []
        with pytest.raises(type(error)) as caught:
            seen.extend(batch.item() for batch in loader)
    return seen, caught.value


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('options', [{}, dict(persistent_workers=False), dict(max_skipped=2)])
def test_errors_of_users_are_raised_as_they_are(workers, options):
    """And not within the text of a traceback, as torch sends them."""
    if workers == 0:
        options.pop('persistent_workers', None)
    error = MissingDataError('img/3.jpg: there is no such file') if 'max_skipped' not in options \
        else DroppedSamplesError('every image was dropped')
    error.sample_file = 'img/3.jpg'
    seen, caught = load(error, workers, **options)
    assert seen == [0, 1, 2]
    assert (str(caught), caught.sample_file) == (str(error), 'img/3.jpg')
    assert caught.__notes__[-1] == 'sample 3'
    if workers:
        assert 'in __getitem__' in str(caught.__cause__)


@pytest.mark.parametrize('error', [Odd('one', 'two'), ZeroDivisionError('a fault'), KeyError('x')])
def test_other_errors_go_the_way_of_torch(error):
    if isinstance(error, Odd):
        with pytest.raises(Exception, match='in DataLoader worker process'):
            load(error, 1)
    else:
        assert 'Original Traceback' in str(load(error, 1)[1])


def test_another_loader_of_the_same_data_gets_errors():
    samples = DeterministicDataset(Failing(DataError('bad')))
    with pytest.raises(DataError, match='in DataLoader worker process'):
        list(torch.utils.data.DataLoader(samples, num_workers=1))


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
