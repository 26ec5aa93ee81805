import multiprocessing
import os

import cv2
import pytest

from mmcv_replace.utils import Config
from mmseg.utils import setup_multi_processes

NAMES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    method, threads = multiprocessing.get_start_method(allow_none=True), cv2.getNumThreads()
    for name in NAMES:
        monkeypatch.setenv(name, '0')  # so that it is restored
        monkeypatch.delenv(name)
    yield
    multiprocessing.set_start_method(method, force=True)
    cv2.setNumThreads(threads)


@pytest.mark.parametrize(('workers', 'options', 'expected'), [
    (2, {}, ['1', '1']),
    (2, dict(omp_num_threads=3, mkl_num_threads=4), ['3', '4']),
    (1, dict(omp_num_threads=3), [None, None])])
def test_threads_of_workers(workers, options, expected):
    setup_multi_processes(Config(dict(data=dict(workers_per_gpu=workers), **options)))
    assert [os.environ.get(name) for name in NAMES] == expected


def test_a_variable_of_the_user_stays(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    setup_multi_processes(Config(dict(data=dict(workers_per_gpu=2), omp_num_threads=3)))
    assert os.environ['OMP_NUM_THREADS'] == '7'


def test_start_of_processes_and_threads_of_opencv():
    cfg = dict(data={})
    cv2.setNumThreads(3)
    setup_multi_processes(Config(cfg))
    assert multiprocessing.get_start_method() == 'fork'
    assert cv2.getNumThreads() == 1
    setup_multi_processes(Config(dict(cfg, mp_start_method='spawn', opencv_num_threads=2)))
    assert multiprocessing.get_start_method() == 'spawn'
    assert cv2.getNumThreads() == 2
