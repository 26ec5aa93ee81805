"""test/run_matrix.sh with interpreters that only pretend: what runs, is skipped, fails."""
import subprocess

import pytest

# An interpreter of a version; its environments have the same one. It logs what it is told to do.
FAKE = '''#!/usr/bin/env bash
echo "$0 $*" >>"$CALLS"
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip")
        [[ "$*" != *"--constraint"* ]] || cat "${6}" >>"$CALLS"
        [[ "$* " != *" ${FAIL_PIP:-nothing} "* ]] ;;
    "-m pytest") echo "environment $VIRTUAL_ENV"; echo "==== ${FAKE_RESULT:-3 passed in 1.00s} ===="
        [ -z "${FAKE_RESULT:-}" ] ;;
esac
'''


@pytest.fixture
def matrix(repo_dir, tmp_path):
    """Run the script with interpreters of those versions; returns the process and their calls."""
    def run(*arguments, versions=('3.10', '3.13'), **environment):
        folder = tmp_path / 'bin'
        folder.mkdir(exist_ok=True)
        for version in versions:
            (folder / f'python{version}').write_text(FAKE)
            (folder / f'python{version}').chmod(0o755)
        # A shim, as pyenv's, of a version that it has not.
        (folder / 'python3.13').exists() or (folder / 'python3.13').write_text('#!/bin/sh\nexit 1')
        (folder / 'python3.13').chmod(0o755)
        calls = tmp_path / 'calls'
        done = subprocess.run(
            ['bash', str(repo_dir / 'test/run_matrix.sh'), f'--cache={tmp_path / "cache"}',
             *arguments],
            env={'PATH': f'{folder}:/usr/bin:/bin', 'HOME': str(tmp_path),
                 'PYENV_ROOT': str(tmp_path), 'CALLS': str(calls), **environment},
            capture_output=True, text=True, timeout=60, cwd=tmp_path)
        return done, calls.read_text() if calls.exists() else ''
    return run


def rows(done):
    """Outcome of each cell in the table at the end."""
    table = done.stdout[done.stdout.rindex('\ncell '):].strip().splitlines()[1:]
    return {line.split()[0]: line.split(maxsplit=5)[5] for line in table}


def test_every_cell_has_its_environment(matrix, tmp_path):
    done, calls = matrix()
    assert done.returncode == 0, done.stderr
    assert rows(done) == dict.fromkeys(
        ('oldest', 'oldest-torch', 'newest-torch', 'newest'), '3 passed in 1.00s')
    for name in rows(done):
        assert f'environment {tmp_path}/cache/{name}\n' in done.stdout
        assert f'cache/{name}/bin/python -m pytest -p no:cacheprovider test/unit\n' in calls
    assert f'{tmp_path}/bin/python3.10 -m venv {tmp_path}/cache/oldest\n' in calls
    assert f'{tmp_path}/bin/python3.13 -m venv {tmp_path}/cache/newest\n' in calls
    matrix()
    assert calls.count('-m venv') == 4


def test_the_oldest_cell_pins_what_is_accepted_at_the_least(matrix, repo_dir, tmp_path):
    matrix('--cell=oldest')
    pins = set((tmp_path / 'cache/oldest.txt').read_text().split())
    required = (repo_dir / 'requirements.txt').read_text().split()
    assert pins == {f'{line.replace(">=", "==")}.*' for line in required}
    matrix('--cell=newest')
    assert (tmp_path / 'cache/newest.txt').read_text() == ''


def test_one_cell_with_arguments_for_pytest(matrix):
    done, calls = matrix('--cell=newest', '--', 'test/unit/fuzz', '-k', 'a b')
    assert list(rows(done)) == ['newest']
    assert calls.endswith('-m pytest -p no:cacheprovider test/unit/fuzz -k a b\n')


def test_a_failing_cell_fails_the_run(matrix):
    done, _ = matrix('--cell=newest', FAKE_RESULT='1 failed, 2 passed in 1.00s')
    assert done.returncode == 1
    assert rows(done) == {'newest': 'FAILED: 1 failed, 2 passed in 1.00s'}


def test_an_interpreter_that_is_missing_skips_its_cells(matrix):
    done, _ = matrix(versions=['3.10'])
    assert done.returncode == 0
    assert rows(done)['newest'] == 'skipped: there is no Python 3.13 here'
    assert rows(done)['oldest'] == '3 passed in 1.00s'


def test_nothing_to_run_is_a_failure(matrix):
    done, _ = matrix('--cell=newest', versions=['3.10'])
    assert done.returncode == 1
    assert done.stderr == 'no cell could run\n'


@pytest.mark.parametrize(('package', 'outcome'), [
    ('torch', 'skipped: torch 2.6 cannot be installed for Python 3.10'),
    ('-e', 'FAILED to install the toolkit')])
def test_packages_that_do_not_install(matrix, package, outcome):
    done, calls = matrix('--cell=oldest', FAIL_PIP=package)
    assert rows(done) == {'oldest': outcome}
    assert done.returncode == 1
    assert '-m pytest' not in calls


@pytest.mark.parametrize(('argument', 'message'), [
    ('--cell=oldst', '--cell=oldst: there is no such cell; --list shows them'),
    ('--cel', 'unknown option --cel; see: bash test/run_matrix.sh --help')])
def test_wrong_arguments(matrix, argument, message):
    done, calls = matrix(argument)
    assert (done.returncode, done.stderr, calls) == (2, message + '\n', '')


def test_the_table_spans_what_the_packages_promise(matrix, repo_dir):
    done, _ = matrix('--list')
    cells = [line.split() for line in done.stdout.splitlines()]
    text = (repo_dir / 'pyproject.toml').read_text()
    least = min((cell[1] for cell in cells), key=lambda version: int(version.partition('.')[2]))
    assert f'requires-python = ">={least}"' in text
    assert all(f'Python :: {cell[1]}"' in text for cell in cells)
    required = (repo_dir / 'requirements.txt').read_text().split()
    assert {f'torch>={cells[0][2]}', f'opencv-python-headless>={cells[0][3]}'} <= set(required)
