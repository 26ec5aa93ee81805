"""test/cluster/restartable.sh: exit codes and signals of the command that it runs."""
import signal
import subprocess
import time

import pytest


@pytest.fixture(scope='session')
def restartable(repo_dir):
    return ['bash', str(repo_dir / 'test/cluster/restartable.sh')]


@pytest.mark.parametrize(('code', 'expected'), [(0, 0), (75, 138), (2, 2), (1, 1), (137, 137)])
def test_exit_codes(restartable, code, expected):
    assert subprocess.run([*restartable, 'bash', '-c', f'exit {code}']).returncode == expected


def test_a_command_that_does_not_exist(restartable):
    done = subprocess.run([*restartable, '/nonexistent'], capture_output=True)
    assert done.returncode == 127


@pytest.mark.parametrize(('name', 'passed'), [('TERM', 'TERM'), ('INT', 'TERM'),
                                              ('USR1', 'USR1')])
@pytest.mark.parametrize(('code', 'expected'), [(75, 138), (3, 3)])
def test_a_signal_goes_on_to_the_command_which_takes_its_time(restartable, tmp_path, name, passed,
                                                              code, expected):
    command = (f'trap "sleep 0.3; exit {code}" {passed}; touch {tmp_path}/ready; '
               'while :; do sleep 0.1; done')
    process = subprocess.Popen([*restartable, 'bash', '-c', command])
    deadline = time.monotonic() + 30
    while not (tmp_path / 'ready').exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(getattr(signal, f'SIG{name}'))
    process.send_signal(getattr(signal, f'SIG{name}'))  # as a scheduler that is impatient
    assert process.wait(timeout=30) == expected


def test_arguments_stay_as_they_are(restartable):
    done = subprocess.run([*restartable, 'printf', '<%s>', 'a b', '*', ''], capture_output=True,
                          text=True)
    assert done.stdout == '<a b><*><>'
