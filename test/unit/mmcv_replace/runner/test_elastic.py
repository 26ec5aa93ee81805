"""The exit code of torchrun as our scripts start it."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ELASTIC = Path(__file__).resolve().parents[4] / 'mmcv_replace/runner/elastic.py'
PROGRAM = '''
import os, signal, sys, time
codes = sys.argv[1].split(',')
def leave(number=None, frame=None):
    sys.exit(int(codes[int(os.environ['RANK'])]))
if sys.argv[2] == 'now':
    leave()
for name in ('SIGTERM', 'SIGUSR1'):
    signal.signal(getattr(signal, name), leave)
open(f'{sys.argv[2]}/{os.environ["RANK"]}', 'w').close()
time.sleep(300)
'''


@pytest.fixture
def start(tmp_path):
    """Two processes that leave with codes, at once or when they are told to."""
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)

    def run(codes, when, *options):
        command = [sys.executable, str(ELASTIC), '--nproc_per_node', '2', '--nnodes', '1',
                   '--standalone', '--local_addr', '127.0.0.1', '--signals_to_handle',
                   'SIGTERM,SIGUSR1', *options, str(program), codes, str(when)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, 'OMP_NUM_THREADS': '1'})
    return run


@pytest.mark.parametrize(('codes', 'expected'), [('75,75', 75), ('0,0', 0), ('2,2', 1)])
def test_the_exit_code_of_the_processes(start, codes, expected):
    process = start(codes, 'now')
    _, err = process.communicate(timeout=300)
    assert process.returncode == expected, err
    assert ('ChildFailedError' in err) == (expected == 1)


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGUSR1'])
@pytest.mark.parametrize(('codes', 'expected'), [('75,75', 75), ('75,2', 1)])
def test_a_job_that_is_told_to_stop(start, tmp_path, name, codes, expected):
    process = start(codes, tmp_path)
    deadline = time.monotonic() + 300
    while not all((tmp_path / str(rank)).exists() for rank in range(2)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=300)
    assert process.returncode == expected, err


def test_processes_that_start_again(start):
    """torchrun does so itself; only the last ones are asked."""
    process = start('75,75', 'now', '--max_restarts', '1')
    _, err = process.communicate(timeout=300)
    assert process.returncode == 75, err
