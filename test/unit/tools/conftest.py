"""Run a command line of tools/ as the user does, in this process or in one of its own."""
import importlib.util
import os
import subprocess
import sys

import pytest


@pytest.fixture
def run_tool(repo_dir, monkeypatch):
    """Call `main` of a tool with these arguments."""
    def run(tool, *args):
        path = repo_dir / 'tools' / tool
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
        return module.main()
    return run


@pytest.fixture
def run_command_line(repo_dir):
    """Run a tool as a process; returns it with its output."""
    def run(tool, *args):
        return subprocess.run(
            [sys.executable, str(repo_dir / 'tools' / tool), *map(str, args)],
            env=os.environ | {'PYTHONPATH': str(repo_dir), 'OMP_NUM_THREADS': '1'},
            capture_output=True, text=True, check=False)
    return run
