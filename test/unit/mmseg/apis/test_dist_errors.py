"""What ends a job from outside is told by where an error arose, not by its words."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.utils.error_origin import is_dead_worker, is_of_compiled_code
from mmcv_replace.utils.errors import DataError, LostPeerError, UserError
from mmseg.apis.dist_errors import naming_lost_peers

SCRIPT = Path(__file__).with_name('lost_peer.py')


def first_process(case, folder, repo_dir):
    """What the first of two processes says, of which the second one has ended."""
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(repo_dir)}
    processes = [subprocess.Popen([sys.executable, str(SCRIPT), str(rank), str(folder / 'store'),
                                   case], env=env, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) for rank in range(2)]
    answers = [process.communicate(timeout=120)[0] for process in processes]
    return answers[0]


@pytest.mark.parametrize('case', ['reduce', 'objects', 'waiting', 'backward'])
def test_a_process_that_is_gone_is_named_wherever_one_waits_for_it(case, tmp_path, repo_dir):
    answer = first_process(case, tmp_path, repo_dir)
    assert answer.startswith('lost: rank 0: an exchange with the other processes failed: [')
    assert 'Connection closed by peer' in answer or 'reset by peer' in answer


@pytest.mark.parametrize(('case', 'told'), [
    ('own', 'RuntimeError: [/a/gloo/pair.cc:1] Connection closed by peer'),
    ('own_backward', 'RuntimeError: the peer has timed out'),
    ('misuse', 'RuntimeError: Invalid scalar type')])
def test_other_errors_stay_what_they_are(case, told, tmp_path, repo_dir):
    assert first_process(case, tmp_path, repo_dir).startswith(told)


@pytest.fixture
def one_process_group(tmp_path):
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def fail_with(error):
    with naming_lost_peers():
        raise error


@pytest.mark.parametrize('kind', [dist.DistBackendError, dist.DistNetworkError,
                                  dist.DistStoreError])
def test_types_of_torch_are_taken_at_their_word(one_process_group, kind):
    with pytest.raises(LostPeerError, match=r'(?s)rank 0: an exchange .* failed.*timeout=SECONDS'):
        fail_with(kind('remote process exited'))


@pytest.mark.parametrize('error', [
    RuntimeError('request to the license server timed out'), RuntimeError('no peer review'),
    RuntimeError('Connection reset by peer'), DataError('peer.jpg'), TimeoutError('timed out'),
    torch.OutOfMemoryError('gloo')])
def test_errors_of_users_keep_their_words(one_process_group, error):
    with pytest.raises(type(error)) as raised:
        fail_with(error)
    assert raised.value is error


def test_without_other_processes_nothing_is_renamed():
    with pytest.raises(dist.DistBackendError):
        fail_with(dist.DistBackendError('x'))


class Dying(Dataset):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if self.error is None:
            os._exit(1)
        raise self.error


def load(error, workers=1):
    with naming_lost_peers():
        list(DataLoader(Dying(error), num_workers=workers))


def test_a_worker_that_died_is_named():
    with pytest.raises(DataError, match='a process that loads its data died.*want of memory'):
        load(None)


@pytest.mark.parametrize('workers', [0, 1])
def test_what_fails_in_a_worker_is_no_dead_worker(workers):
    with pytest.raises(RuntimeError, match='own words') as raised:
        load(RuntimeError('DataLoader worker (pid 3): own words'), workers)
    assert not isinstance(raised.value, UserError)
    assert not is_dead_worker(raised.value)


def test_the_scan_of_the_data_tells_them_apart_too():
    from mmseg.datasets.doctor import examine
    for error, expected in ((None, UserError),
                            (RuntimeError('DataLoader worker: x'), RuntimeError)):
        with pytest.raises(expected) as raised:
            list(examine.scan(Dying(error), 2))
        assert type(raised.value) is expected


def test_origins():
    with pytest.raises(RuntimeError) as raised:
        torch.ones(2).reshape(3)
    assert is_of_compiled_code(raised.value)
    with pytest.raises(RuntimeError) as raised:
        fail_with(RuntimeError('x'))
    assert not is_of_compiled_code(raised.value)
    assert not is_of_compiled_code(RuntimeError('not raised'))
    assert not is_dead_worker(RuntimeError('DataLoader worker (pid 3): not raised'))
