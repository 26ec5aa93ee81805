"""Run programs on the simulated NPU, each in processes of their own.

A process that has imported the simulation cannot go back, so the tests never import it themselves.
"""
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / 'test' / 'simulated_npu' / 'site'


def environment(**extra: str) -> dict[str, str]:
    """Variables of a program that sees the simulated NPU: its package, the project, one thread."""
    paths = [str(SITE), str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])]
    # A ninja that pip installed is beside the interpreter, which need not be on the path.
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'PATH': search,
            'OMP_NUM_THREADS': '1', 'TORCH_DEVICE_BACKEND_AUTOLOAD': '1', **extra}


def missing() -> str | None:
    """What is missing here to build the simulation; None where nothing is."""
    compiler = os.environ.get('CXX', 'c++')
    for program, package in ((compiler, 'g++'), ('ninja', 'ninja')):
        if shutil.which(program, path=environment()['PATH']) is None:
            return f'the simulated NPU needs {program}: install the package {package}'
    # Without importing torch, which loads plug-ins.
    hooks = Path(importlib.util.find_spec('torch').origin).parent.joinpath(
        'include/ATen/detail/AcceleratorHooksInterface.h')
    if not hooks.is_file() or 'isBuilt' not in hooks.read_text(encoding='utf-8'):
        return 'the simulated NPU is written for the C++ interface of a newer torch'
    return None


def build() -> None:
    """Compile the simulation, which takes a minute, unless that was done before."""
    run('import torch_npu', timeout=900)


def run(
    program: str | Sequence[object],
    nproc: int = 1,
    check: bool = True,
    timeout: float = 300,
    cwd: str | os.PathLike = ROOT,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run code, or a file with its arguments, in one process or in `nproc` of torchrun.

    `variables` are added to the environment. With `check` a failure is an AssertionError that
    shows what the program printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(program, str):
            file = Path(folder, 'program.py')
            file.write_text(program)
            program = [file]
        launcher = [] if nproc == 1 else ['-m', 'torch.distributed.run', '--standalone',
                                          f'--nproc_per_node={nproc}']
        done = subprocess.run([sys.executable, *launcher, *map(str, program)], cwd=cwd,
                              env=environment(**variables), capture_output=True, text=True,
                              timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f'exit code {done.returncode}\n{done.stdout}\n{done.stderr}')
    return done
