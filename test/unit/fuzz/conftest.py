"""How many inputs are tried, what counts as a good answer, and a process for the riskiest inputs.

Profiles of hypothesis: `many` for quick checks, `few` for those that build or decode. The inputs
are the same in every run; with --run-slow there are twenty times as many, and others each time.
"""
import selectors
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import UserError

WORKER = Path(__file__).with_name('worker.py')
HANG = 60  # seconds


def pytest_configure(config):
    times = 20 if config.getoption('--run-slow', False) else 1
    for name, examples in (('many', 100), ('few', 40)):
        settings.register_profile(
            name, max_examples=times * examples, derandomize=times == 1, deadline=None,
            database=None, suppress_health_check=list(HealthCheck))


class Hang(BaseException):
    """Not an Exception: nothing may catch it on the way."""


@contextmanager
def time_limit():
    def stop(*_):
        raise Hang(f'no answer within {HANG} s')

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope='session')
def attempt():
    """`attempt(work, ...)`: the result, or the UserError with its text; other errors fail,
    but for a lack of memory."""

    def run(work, *args, **kwargs):
        with time_limit():
            try:
                return work(*args, **kwargs)
            except UserError as error:
                answer = error
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                answer = error
        assert len(str(answer)) > 10
        return answer
    return run


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz')


class Worker:
    """Reads files in a process of its own; one that dies or hangs is a failed test."""

    def __init__(self, folder):
        self.file = folder / 'input'
        self.process = subprocess.Popen(
            [sys.executable, WORKER, self.file], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.answers = selectors.DefaultSelector()
        self.answers.register(self.process.stdout, selectors.EVENT_READ)

    def read(self, kind, content):
        """'ok' or 'UserError: text' from reading these bytes as an image, a mask or a checkpoint.
        """
        self.file.write_bytes(content)
        self.process.stdin.write(f'{kind}\n')
        self.process.stdin.flush()
        assert self.answers.select(HANG), f'no answer within {HANG} s'
        answer = self.process.stdout.readline().rstrip('\n')
        assert answer.startswith(('ok', 'UserError: ')), answer or 'the process died'
        return answer


@pytest.fixture(scope='session')
def worker(folder):
    worker = Worker(folder)
    yield worker
    worker.process.kill()
    worker.process.communicate()
