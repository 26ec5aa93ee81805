"""Threads and memory of the host."""
import os
import subprocess
import sys

import pytest
import torch

from mmcv_replace import host
from mmcv_replace.device_start import start_device
from mmcv_replace.utils.errors import ConfigError

LARGE = '''
import os, sys
{before}
import torch
from mmcv_replace.host import start_host
start_host(dict(keep_memory={keep}))
def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20
torch.ones(1)
start = resident()
tensor = torch.ones(64 * 2**18)
del tensor
{after}
print(resident() - start)
'''


@pytest.fixture
def threads(monkeypatch):
    """Four cores, torch using them all, and no variable of the user's."""
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    monkeypatch.setattr(host, 'usable_cores', lambda: 4)
    yield torch.get_num_threads
    torch.set_num_threads(before)


def start(**settings):
    host.start_host(dict(keep_memory=False, **settings))


def test_all_cores_by_default(threads):
    start()
    assert threads() == 4


@pytest.mark.parametrize(('cores', 'processes', 'expected'), [(3, 1, 3), (4, 2, 2), (1, 4, 1)])
def test_a_share_of_the_cores(threads, monkeypatch, cores, processes, expected):
    monkeypatch.setattr(host, 'usable_cores', lambda: cores)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    start()
    assert threads() == expected


@pytest.mark.parametrize(('variables', 'expected'), [
    (dict(LOCAL_WORLD_SIZE='8', LOCAL_RANK='0,1,2,3,4,5,6,7'), 4),  # one process for the node
    (dict(LOCAL_WORLD_SIZE=''), 4), (dict(LOCAL_WORLD_SIZE='0'), 4),
    (dict(LOCAL_WORLD_SIZE='2', LOCAL_RANK='1'), 2)])
def test_a_share_is_of_the_processes_that_there_are(threads, monkeypatch, variables, expected):
    monkeypatch.setattr(host, 'usable_cores', lambda: 4)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    start()
    assert threads() == expected


MEMINFO = 'MemTotal: 9000 kB\nMemFree: 1000 kB\nMemAvailable: 4000 kB\n'


@pytest.mark.parametrize(('limit', 'expected'), [
    ('max', 4000 * 1024), ('3000000', 3_000_000 - 2_500_000 + 400_000), ('9' * 19, 4000 * 1024),
    ('1000', 0), (None, 4000 * 1024)])
def test_free_memory_of_machine_and_container(tmp_path, monkeypatch, limit, expected):
    files = {'/proc/meminfo': MEMINFO}
    if limit is not None:
        files |= {'/c/memory.max': limit, '/c/memory.current': '2500000',
                  '/c/memory.stat': 'anon 7\ninactive_file 400000\n'}

    def read(path):
        if str(path) not in files:
            raise FileNotFoundError(path)
        return files[str(path)]

    monkeypatch.setattr(host.Path, 'read_text', read)
    monkeypatch.setattr(host, '_MEMORY', (('/c/memory.max', '/c/memory.current'),))
    assert host.free_memory() == expected


def test_free_memory_where_the_system_does_not_say(monkeypatch):
    def read(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(host.Path, 'read_text', read)
    assert host.free_memory() is None


def test_threads_that_the_user_chose(threads, monkeypatch):
    torch.set_num_threads(2)
    start()
    assert threads() == 2
    monkeypatch.setattr(host, 'usable_cores', lambda: 1)
    monkeypatch.setenv('OMP_NUM_THREADS', '2')
    start()
    assert threads() == 2
    start(threads=3)
    assert threads() == 3


def test_settings_of_a_config_reach_the_host(threads):
    start_device(torch.device('cpu'), dict(threads=1, keep_memory=False))
    assert threads() == 1


def test_settings_that_are_text():
    """As a shell passes them on that has met a quote too many."""
    with pytest.raises(ConfigError, match=r"cpu='dict\(threads=4\)' does not fit, it takes dict"):
        start_device(torch.device('cpu'), 'dict(threads=4)')


@pytest.mark.parametrize(('settings', 'message'), [
    (dict(thread=2), r"cpu\.thread is no setting .* did you mean 'cpu\.threads'"),
    (dict(cores=2), r'cpu\.cores is no setting: cpu takes threads, keep_memory'),
    (dict(threads=0), 'threads=0 does not fit, it takes int from 1 on'),
    (dict(threads='2'), "threads='2' does not fit, it takes int")])
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        host.start_host(settings)


@pytest.mark.parametrize(('text', 'expected'), [
    ('max 100000', 8), ('200000 100000', 2), ('150000 100000', 2), ('20000 100000', 1), ('odd', 8)])
def test_quota_of_a_container(monkeypatch, tmp_path, text, expected):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: set(range(8)), raising=False)
    (tmp_path / 'cpu.max').write_text(text)
    monkeypatch.setattr(host, '_QUOTA_V2', tmp_path / 'cpu.max')
    assert host.usable_cores() == expected


@pytest.mark.parametrize(('quota', 'expected'), [('-1', 8), ('300000', 3), (None, 8)])
def test_quota_of_an_older_container(monkeypatch, tmp_path, quota, expected):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(host, '_QUOTA_V2', tmp_path / 'absent')
    files = tmp_path / 'quota', tmp_path / 'period'
    monkeypatch.setattr(host, '_QUOTA_V1', files)
    if quota is not None:
        files[0].write_text(quota + '\n')
        files[1].write_text('100000\n')
    assert host.usable_cores() == expected


def kept(keep, before='', after='', **environment):
    """MiB that stay with a process after it has freed a tensor of 64."""
    code = LARGE.format(before=before, keep=keep, after=after)
    env = {k: v for k, v in os.environ.items() if not k.startswith(('MALLOC_', 'GLIBC_'))}
    run = subprocess.run([sys.executable, '-c', code], env=env | environment, check=True,
                         capture_output=True, text=True)
    return float(run.stdout)


@pytest.mark.skipif(sys.platform != 'linux' or not hasattr(host.ctypes.CDLL(None), 'mallopt'),
                    reason='the C library has no mallopt')
def test_freed_memory_is_kept():
    assert kept(True) > 60
    assert kept(False) < 10
    released = 'from mmcv_replace.host import release_freed_memory; release_freed_memory()'
    assert kept(True, after=released) < 10
    # The user's own choice holds.
    assert kept(True, MALLOC_TRIM_THRESHOLD_='100000') < 10


def test_threads_wait_asleep_unless_told():
    code = 'import os, mmcv_replace; print(os.environ["OMP_WAIT_POLICY"])'
    env = {k: v for k, v in os.environ.items() if k != 'OMP_WAIT_POLICY'}
    for environment, expected in ((env, 'PASSIVE'), (env | {'OMP_WAIT_POLICY': 'ACTIVE'},
                                                     'ACTIVE')):
        run = subprocess.run([sys.executable, '-c', code], env=environment, check=True,
                             capture_output=True, text=True)
        assert run.stdout.strip() == expected
