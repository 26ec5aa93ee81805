"""A subject's process: what it is started with, and what is said when it fails."""
import os
import sys

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.benchmark import subject as module
from mmseg.benchmark.subject import HARNESS, Subject, environment, subject_commands

WORKER = '''
import sys
class Echo:
    about = {'name': 'echo 1.0'}
    def __init__(self, factor):
        print('words that are no answer')
        self.factor = factor
    def round(self):
        if self.factor == 0:
            sys.exit('error: the factor is 0; give another one')
        return 2.0 * self.factor
    def check(self):
        return {'factor': [self.factor]}
CASES = {'echo': Echo}
'''


@pytest.fixture
def start(tmp_path):
    """`start(command)`: a subject, closed at the end."""
    made = []

    def make(command):
        made.append(Subject('key', 'the peer', command, tmp_path / 'log', os.environ))
        return made[-1]
    yield make
    for subject in made:
        subject.close()


@pytest.fixture
def echo(start, tmp_path):
    file = tmp_path / 'worker.py'
    file.write_text(WORKER)
    return start([sys.executable, str(HARNESS), str(file)])


def test_rounds_of_a_worker_file(echo):
    echo.start('echo', {'factor': 3})
    assert echo.label == 'echo 1.0'
    assert echo.about['threads'] >= 1
    assert echo.ask('round') == 6.0
    assert echo.ask('inspect', profile=False) == {}
    assert echo.ask('resident') > 10


def test_last_words_of_a_worker_are_told(echo):
    echo.start('echo', {'factor': 0})
    with pytest.raises(ConfigError, match=r'echo 1.0 ended with exit code 1 when asked to round:\n'
                       r'(.*\n)*error: the factor is 0'):
        echo.ask('round')


def test_case_that_a_worker_lacks(echo):
    with pytest.raises(ConfigError, match="it has no 'slide' here, only echo"):
        echo.start('slide', {})


def test_asking_a_process_that_has_ended(start):
    subject = start([sys.executable, '-c', 'raise SystemExit("error: gone")'])
    with pytest.raises(ConfigError, match='error: gone'):
        subject.ask('round')
    with pytest.raises(ConfigError, match='error: gone'):
        subject.ask('round')


def test_killed_process_names_the_usual_cause(start):
    code = 'import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)'
    with pytest.raises(ConfigError, match='killed: was there too little memory'):
        start([sys.executable, '-c', code]).ask('round')


def test_answer_that_is_no_json(start):
    subject = start([sys.executable, '-c', 'print("Welcome!"); input()'])
    with pytest.raises(ConfigError, match="answered 'Welcome!', which is not JSON.*sitecustomize"):
        subject.ask('round')


def test_interpreter_that_does_not_exist():
    with pytest.raises(ConfigError, match='--peer-python /no/python: there is no such file'):
        subject_commands(False, ['/no/python'])


def test_file_that_is_no_program(start, tmp_path):
    file = tmp_path / 'python'
    file.write_text('')
    with pytest.raises(ConfigError, match='cannot be started .*name the Python of an environment'):
        start(subject_commands(False, [str(file)])['peer1'])


def test_environment_without_the_peer(start):
    command = [sys.executable, '-I', *subject_commands(False, [sys.executable])['peer1'][1:]]
    with pytest.raises(ConfigError, match=r'finds no mmcv: install one in the environment of '
                       r'--peer-python: pip install'):
        start(command).ask('round')


def test_installed_package_has_no_reference_forms(monkeypatch, tmp_path):
    monkeypatch.setattr(module, 'REFERENCE', tmp_path)
    with pytest.raises(ConfigError, match='plain_worker.py is absent.*--no-plain'):
        subject_commands(True, [])


def test_environment_drops_the_tuning_of_this_process(monkeypatch):
    for name in ('OMP_WAIT_POLICY', 'OMP_NUM_THREADS', 'MALLOC_TRIM_THRESHOLD_', 'KMP_BLOCKTIME'):
        monkeypatch.setenv(name, '7')
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    for subject in ('own', 'plain', 'peer1'):
        found = environment(None, subject)
        assert not [name for name in found if name.startswith(('OMP', 'MALLOC', 'KMP'))]
        assert 'PATH' in found
    assert environment(3, 'plain')['OMP_NUM_THREADS'] == '3'


def test_only_a_peer_does_not_see_our_packages(monkeypatch, repo_dir):
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    assert environment(None, 'own')['PYTHONPATH'].split(os.pathsep) == [
        str(repo_dir), '/elsewhere']
    assert environment(None, 'plain')['PYTHONPATH'] == '/elsewhere'
    assert 'PYTHONPATH' not in environment(None, 'peer1')
