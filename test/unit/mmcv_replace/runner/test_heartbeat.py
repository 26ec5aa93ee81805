"""Two real processes, of which one works longer than the process group would let the other wait."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch.distributed as dist

from mmcv_replace.runner.heartbeat import run_on_first_rank, run_with_heartbeat

SCRIPT = Path(__file__).with_name('heartbeat_process.py')


@pytest.fixture
def both(repo_dir):
    """What both processes say; their store is here, as torchrun keeps it, and outlives them."""
    def run(case):
        store = dist.TCPStore('127.0.0.1', 0, is_master=True, wait_for_workers=False)
        env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(repo_dir)}
        processes = [subprocess.Popen(
            [sys.executable, str(SCRIPT), str(rank), str(store.port), case], env=env,
            text=True, stdout=subprocess.PIPE) for rank in range(2)]
        return [process.communicate(timeout=300)[0] for process in processes]
    return run


def test_a_process_waits_for_longer_than_the_time_out(both):
    assert both('long') == ["{'answer': 42} {'answer': 42} [0, 1]"] * 2


def test_an_error_ends_all_of_them(both):
    assert both('fails') == [
        'ZeroDivisionError: rank 0 divides',
        'DataError: the work of rank 0 failed: ZeroDivisionError: rank 0 divides']


def test_a_process_that_dies_is_not_waited_for(both):
    assert both('dies') == ['', 'DistError: rank 0 gave no sign of life for 1 s']


def test_one_process_waits_for_nobody():
    assert run_on_first_rank(lambda: 3, 'the work') == 3
    assert [outcome.value for outcome in run_with_heartbeat(None)] == [None]
    with pytest.raises(ZeroDivisionError):
        run_on_first_rank(lambda: 1 / 0, 'the work')
