"""`run_logged` of test/launch.sh: a job with its output in a file."""
import os
import signal
import subprocess
import sys
import time

import pytest

RUN = 'set -euo pipefail; . "$1"; shift; run_logged "$@"; echo after'


@pytest.fixture
def run_logged(bash, checkout, tmp_path):
    """Run python code; returns what the script printed, and its log."""
    def run(code):
        log = tmp_path / 'the log'
        done = bash(RUN, checkout / 'test/launch.sh', log, sys.executable, '-c', code)
        return done, log
    return run


def test_output_goes_to_the_log(run_logged):
    done, log = run_logged('import sys; print(1, flush=True); print(2, file=sys.stderr)')
    assert done.returncode == 0, done.stderr
    assert log.read_text() == '1\n2\n'
    assert done.stdout == f'log: {log}\nafter\n'
    assert done.stderr == ''


def test_a_failure_shows_the_last_lines_and_keeps_the_exit_code(run_logged):
    done, log = run_logged('print(*range(100), sep="\\n"); raise SystemExit(7)')
    assert done.returncode == 7
    assert 'after' not in done.stdout
    shown = done.stderr.splitlines()
    assert shown[0] == f'--- the last lines of {log}'
    assert shown[1:-1] == [str(number) for number in range(40, 100)]
    assert shown[-1] == f'--- failed with exit code 7; all of it: {log}'


@pytest.mark.parametrize('first', ['<frozen runpy>', '/my repo/mmcv_replace/runner/elastic.py'])
def test_frames_of_torchrun_are_left_out(run_logged, first):
    report = ['error: the batch is too large', 'Traceback (most recent call last):',
              f'  File "{first}", line 198, in _run_module_as_main',
              '  File "torch/distributed/run.py", line 1032, in <module>',
              '    raise ChildFailedError(', 'ChildFailedError: ', 'exitcode  : -9 (pid: 1)']
    done, log = run_logged(f'print(*{report!r}, sep="\\n"); raise SystemExit(1)')
    assert done.stderr.splitlines()[1:-1] == report[:2] + report[5:]
    assert log.read_text().splitlines() == report


def test_a_traceback_of_the_job_is_kept(run_logged):
    done, _ = run_logged('1 / 0')
    assert done.returncode == 1
    assert 'ZeroDivisionError' in done.stderr
    assert 'line 1, in <module>' in done.stderr


def test_a_job_that_is_told_to_stop_keeps_its_exit_code(checkout, tmp_path):
    log = tmp_path / 'log'
    code = ('import signal, sys, time\n'
            'signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), sys.exit(75)))\n'
            'print("ready", flush=True); time.sleep(60)')
    with subprocess.Popen(
            ['bash', '-c', RUN, 'bash', checkout / 'test/launch.sh', log, sys.executable, '-c',
             code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as shell:
        deadline = time.monotonic() + 30
        while not (log.exists() and log.read_text().strip()) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)  # bash loses a signal that comes just before it begins to wait
        shell.send_signal(signal.SIGTERM)
        assert shell.wait(timeout=30) == 75


def test_ending_the_script_ends_the_job(checkout, tmp_path):
    log = tmp_path / 'log'
    code = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'
    with subprocess.Popen(
            ['bash', '-c', RUN, 'bash', checkout / 'test/launch.sh', log, sys.executable, '-c',
             code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as shell:
        deadline = time.monotonic() + 30
        while not (log.exists() and log.read_text().strip()) and time.monotonic() < deadline:
            time.sleep(0.05)
        child = int(log.read_text())
        # bash loses a signal that comes just before it begins to wait.
        time.sleep(0.5)
        shell.send_signal(signal.SIGTERM)
        assert shell.wait(timeout=30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
