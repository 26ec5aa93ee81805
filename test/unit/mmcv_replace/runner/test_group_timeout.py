"""Time limits of a process group, and of a device's own collectives below it."""
import datetime
import os

import pytest

from mmcv_replace import device as device_module
from mmcv_replace.device import DeviceKind
from mmcv_replace.runner import dist_utils
from mmcv_replace.runner.group_timeout import group_timeout
from mmcv_replace.utils.errors import ConfigError

LIMITED = DeviceKind('xpu', backend='b', time_limits=('FIRST_LIMIT', 'SECOND_LIMIT'))


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    """Also what the code sets is taken back."""
    for name in LIMITED.time_limits:
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)


def limits(seconds, kind=LIMITED):
    timeout = None if seconds is None else datetime.timedelta(seconds=seconds)
    found = group_timeout(kind, timeout)
    return (*map(os.environ.get, LIMITED.time_limits),
            None if found is None else found.total_seconds())


def test_defaults_are_left_alone():
    assert limits(None) == (None, None, None)


@pytest.mark.parametrize('kind', [None, DeviceKind('cpu', backend='gloo')])
def test_other_devices_have_one_limit(kind):
    assert limits(90, kind) == (None, None, 90)
    assert limits(None, kind) == (None, None, None)


@pytest.mark.parametrize(('seconds', 'expected'), [
    (3600, ('3600', '3630', 3660)), (1800, ('1800', '1830', 1860)), (0.5, ('1', '98', 128)),
    (10, ('10', '98', 128)), (99.2, ('100', '130', 160)),
    (1740, ('1740', '1770', 1801))])  # 1800 is the default, which is taken for none
def test_all_limits_follow_the_one_of_the_config(seconds, expected):
    assert limits(seconds) == expected


def test_a_variable_of_the_users_counts(monkeypatch, caplog):
    monkeypatch.setenv('FIRST_LIMIT', '7200')
    assert limits(None) == ('7200', '7230', 7260)
    assert limits(8000) == ('7200', '7230', 8030)
    assert caplog.text == ''
    monkeypatch.setenv('SECOND_LIMIT', '9000')
    assert limits(600) == ('7200', '9000', 9030)
    assert 'dist_params.timeout=600 is less than the variable FIRST_LIMIT=7200' in caplog.text


def test_zero_waits_without_end(monkeypatch):
    monkeypatch.setenv('FIRST_LIMIT', '0')
    assert limits(600) == ('0', None, 600)
    assert limits(None) == ('0', None, None)


@pytest.mark.parametrize('text', ['ten', '-3', '1.5', '²'])
def test_a_variable_that_is_no_number(monkeypatch, text):
    monkeypatch.setenv('FIRST_LIMIT', text)
    with pytest.raises(ConfigError, match=f"the variable FIRST_LIMIT='{text}' is not a whole"):
        limits(60)


def test_the_process_group_gets_it(monkeypatch):
    """Groups that are made on the host later keep what the config says."""
    made = []
    monkeypatch.setattr(device_module, 'KINDS', (LIMITED,))
    monkeypatch.setattr(dist_utils, 'KINDS', (LIMITED,))
    monkeypatch.setattr(dist_utils, '_group_options', {})
    monkeypatch.setattr(dist_utils, 'adopt_launcher', lambda launcher: None)
    monkeypatch.setattr(dist_utils, 'set_device', lambda device: None)
    monkeypatch.setattr(dist_utils.dist, 'init_process_group',
                        lambda backend, **options: made.append((backend, options)))
    dist_utils.init_dist('pytorch', device=dist_utils.torch.device('xpu', 0), timeout=100)
    assert made == [('b', {'timeout': datetime.timedelta(seconds=160)})]
    assert dist_utils._group_options == {'timeout': datetime.timedelta(seconds=100)}
    dist_utils.init_dist('pytorch', device=dist_utils.torch.device('xpu', 0))
    assert 'timeout' in made[1][1]  # the variables of the first call are the user's now


@pytest.mark.parametrize('timeout', [None, 40, 3600])
def test_limits_grow_on_the_simulated_npu(run_on_npu, timeout):
    """It refuses a group that ends a process before the device's own limits do."""
    code = ('import os, torch.distributed as dist; from mmcv_replace.runner import init_dist\n'
            f'init_dist("pytorch", timeout={timeout})\n'
            'print(os.environ.get("HCCL_EXEC_TIMEOUT")); dist.destroy_process_group()')
    if timeout is None:
        code = code.replace(', timeout=None', '')
    done = run_on_npu(code, RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1',
                      MASTER_PORT='0')
    assert done.stdout == f'{timeout}\n'
