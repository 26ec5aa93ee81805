"""Fixtures of every test: seeds, the optional folder of shared data, a simulated NPU."""
import importlib.util
import logging
import os
import random
import signal
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from mmcv_replace import host

ROOT = Path(__file__).resolve().parents[1]
# Memory that one process of tests needs, with the programs that it starts.
WORKER_BYTES = 2 * 2 ** 30


def pytest_addoption(parser):
    parser.addoption('--run-slow', action='store_true', help='also run tests that take minutes')


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Processes for `-n auto`: one per core as far as memory reaches; 0 runs tests in this one."""
    free = host.free_memory()
    most = host.usable_cores() if free is None else min(host.usable_cores(), free // WORKER_BYTES)
    return most if most > 1 else 0


def pytest_collection_modifyitems(config, items):
    if config.getoption('--run-slow'):
        return
    skip = pytest.mark.skip(reason='slow; run with --run-slow')
    for item in items:
        if 'slow' in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def fixed_seed():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def same_signals():
    """What a test does with SIGTERM must not reach the programs that later tests start."""
    former = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, former)


@pytest.fixture(autouse=True)
def same_logger():
    """What a test does to the logger, a later one must not meet."""
    logger = logging.getLogger('mmseg')
    former = logger.propagate, logger.level, logger.handlers[:]
    yield
    logger.propagate, logger.handlers[:] = former[0], former[2]
    logger.setLevel(former[1])


@pytest.fixture(autouse=True)
def same_file_backends():
    """Backends and handlers that a test registers, a later one must not find."""
    from mmcv_replace.fileio import FileClient, io
    with patch.dict(FileClient.backends), patch.dict(FileClient._prefix_to_backends), \
            patch.dict(io.file_handlers):
        yield


@pytest.fixture(scope='session')
def repo_dir():
    return ROOT


@pytest.fixture(scope='session')
def shared_dir():
    """Real images, weights and golden figures; they are not part of the repository."""
    folder = Path(os.environ.get('MMSEG_SHARED', ROOT.parent / 'shared'))
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent; set MMSEG_SHARED to the folder with data/ and reference/')
    return folder


@pytest.fixture(scope='session')
def simulated_npu():
    """The module test/simulated_npu/launch.py, ready to run programs; skips without a compiler."""
    spec = importlib.util.spec_from_file_location('launch', ROOT / 'test/simulated_npu/launch.py')
    launch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launch)
    if launch.missing():
        pytest.skip(launch.missing())
    launch.build()
    return launch


@pytest.fixture(scope='session')
def run_on_npu(simulated_npu):
    """`run_on_npu(code or arguments, nproc=1, check=True, **environment)`: a program of its own."""
    return simulated_npu.run
