"""Ctrl-C in a command: one line, and the exit code of shells."""
import os
import signal
import subprocess
import sys
import time

import pytest

from mmcv_replace.utils import track_parallel_progress
from mmseg.apis.cli import run_command


def test_a_command_says_it_in_one_line(capsys, monkeypatch):
    former = signal.getsignal(signal.SIGINT)

    def main():
        raise KeyboardInterrupt

    try:
        assert run_command(main) == 130
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL  # what ends may hang
    finally:
        signal.signal(signal.SIGINT, former)
    assert capsys.readouterr().err == '\ninterrupted\n'
    monkeypatch.setenv('MMSEG_TRACEBACK', '1')
    with pytest.raises(KeyboardInterrupt):
        run_command(main)


def interrupt(argv, started, cwd):
    """Run a command in a group of its own, which gets Ctrl-C once `started` is there."""
    process = subprocess.Popen([sys.executable, *argv], cwd=cwd, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True, start_new_session=True)
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=60)[1], process.returncode


def test_while_modules_are_imported(repo_dir, tmp_path):
    """Seconds pass before the command itself begins."""
    (tmp_path / 'torch.py').write_text(
        "import time\nopen('started', 'w').close()\ntime.sleep(60)\n")
    script = repo_dir / 'tools' / 'print_config.py'
    environment = os.environ | {'PYTHONPATH': str(tmp_path)}
    code = ('import os, sys\n'
            f'os.environ.update({dict(PYTHONPATH=environment["PYTHONPATH"])!r})\n'
            f'os.execv(sys.executable, [sys.executable, {str(script)!r}, "x.py"])\n')
    errors, returned = interrupt(['-c', code], tmp_path / 'started', tmp_path)
    assert (errors, returned) == ('\ninterrupted\n', 130)


def test_a_script_of_the_users_keeps_its_ways(repo_dir, tmp_path):
    (tmp_path / 'own.py').write_text(
        'import sys, mmcv_replace\nassert sys.excepthook is sys.__excepthook__\n')
    done = subprocess.run([sys.executable, tmp_path / 'own.py'], cwd=repo_dir)
    assert done.returncode == 0


def test_other_errors_of_a_command_keep_their_traceback(repo_dir, tmp_path):
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'own.py').write_text('import mmcv_replace\n1 / 0\n')
    done = subprocess.run([sys.executable, tmp_path / 'tools' / 'own.py'], cwd=repo_dir,
                          stderr=subprocess.PIPE, text=True)
    assert 'Traceback' in done.stderr
    assert done.stderr.rstrip().endswith('ZeroDivisionError: division by zero')


def handler(_):
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_workers_leave_it_to_the_first_process():
    assert track_parallel_progress(handler, [0, 1], 2) == [True, True]
