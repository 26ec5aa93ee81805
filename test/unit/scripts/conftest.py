"""Run shell scripts in an environment that holds nothing of the caller's."""
import os
import shlex
import shutil
import subprocess

import pytest

BARE = {'PATH': os.environ['PATH'], 'HOME': '/nonexistent'}


@pytest.fixture(scope='session')
def bash():
    """`bash(code, *arguments, cwd=..., NAME=value)` runs a line of bash."""
    def run(code, *arguments, cwd=None, **environment):
        command = ['bash', '-c', code, 'bash', *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env={**BARE, **environment}, capture_output=True,
                              text=True, timeout=60)
    return run


@pytest.fixture(scope='session')
def checkout(tmp_path_factory, repo_dir):
    """The scripts alone, in a folder with a space in its name, with an environment of their own."""
    root = tmp_path_factory.mktemp('scripts') / 'a checkout'
    for folder, names in (('', ['env_npu.sh']), ('test', repo_dir.glob('test/*.sh')),
                          ('tools', repo_dir.glob('tools/*.sh')),
                          ('mmcv_replace/runner/clusters',
                           repo_dir.glob('mmcv_replace/runner/clusters/*.py'))):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(repo_dir / name, root / folder)
    python = root / '.venv/bin/python'
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\n')
    python.chmod(0o755)
    return root


@pytest.fixture
def script(checkout, bash, tmp_path):
    """`script('test/train_full_1p.sh', ...)` runs it from a folder elsewhere."""
    def run(name, *arguments, **environment):
        return bash('bash "$@"', checkout / name, *arguments, cwd=tmp_path, **environment)
    return run


@pytest.fixture
def dry_run(script):
    """The commands that a script would run, each as the list of its words."""
    def run(name, *arguments, **environment):
        done = script(name, *arguments, '--dry-run', **environment)
        assert done.returncode == 0, done.stderr
        return [shlex.split(line) for line in done.stdout.splitlines()]
    return run


@pytest.fixture
def has_ip():
    if shutil.which('ip') is None:
        pytest.skip('interfaces are found with the command ip, which is not here')
