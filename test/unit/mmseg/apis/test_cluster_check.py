"""The nodes of a job, and HCCL's table of its devices, before the processes start."""
import json

import pytest

from mmcv_replace.device import DeviceKind
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.preflight import check_cluster

KIND = DeviceKind('cuda', backend='b', rank_table='TABLE')
ASCEND = dict(RANK='1', WORLD_SIZE='4', LOCAL_WORLD_SIZE='2', LOCAL_RANK='0,1', MASTER_ADDR='h',
              MASTER_PORT='2222')


@pytest.fixture
def variables(monkeypatch):
    """Sets the variables of a scheduler, in an environment without others."""
    def set_all(**values):
        monkeypatch.setattr('os.environ', values)
    return set_all


def table(nodes=2, devices=2, status='completed', first=0):
    """As the Ascend Operator writes it."""
    ranks = iter(range(first, first + nodes * devices))
    servers = [dict(server_id=f'10.0.0.{node}', host_nic_ip='reserve', device=[
        dict(device_id=str(device), device_ip=f'192.168.{node}.{device}', rank_id=str(next(ranks)))
        for device in range(devices)]) for node in range(nodes)]
    return json.dumps(dict(version='1.0', server_count=str(nodes), server_list=servers,
                           status=status))


def test_one_node_that_nobody_describes(variables):
    variables()
    assert check_cluster(KIND, 8) == ''


def test_the_nodes_of_a_scheduler(variables):
    variables(**ASCEND)
    assert check_cluster(KIND, 2) == 'the Ascend Operator: node 1 of 2, which meet at h'


def test_what_the_user_says(variables):
    variables(**dict(ASCEND, WORLD_SIZE='3'))
    with pytest.raises(ConfigError, match='WORLD_SIZE=3 devices are no number of nodes of 2'):
        check_cluster(KIND, 2)
    assert 'node 0 of 3, which meet at mine' in check_cluster(KIND, 2, 3, 0, 'mine')


def test_a_table_of_all_devices(variables, tmp_path):
    file = tmp_path / 'hccl.json'
    file.write_text(table())
    variables(**ASCEND, TABLE=str(file))
    assert check_cluster(KIND, 2).endswith(f'; TABLE: {file}, 4 devices')


@pytest.mark.parametrize(('text', 'message'), [
    (None, 'cannot be read .*No such file.*unset TABLE'),
    ('{', 'cannot be read .*unset TABLE'),
    ('[]', 'no table of ranks'),
    ('{"group_list": []}', 'no table of ranks .*server_list'),
    ('{"server_list": [{}]}', 'no table of ranks .*device'),
    ('{"server_list": [{"device": [{"rank_id": "first"}]}]}', 'cannot be read .*first'),
    (table(status='initializing'), "status 'initializing', not completed"),
    (table(nodes=1), r'ranks \[\[0, 1\]\] on 1 nodes, but the job has 2 x 2 processes'),
    (table(devices=4), 'but the job has 2 x 2'),
    (table(nodes=4, devices=1), 'on 4 nodes, but the job has 2 x 2'),
    (table(first=1), r'\[\[1, 2\], \[3, 4\]\] .*numbered from 0'),
])
def test_a_table_that_does_not_fit_the_job(variables, tmp_path, text, message):
    file = tmp_path / 'hccl.json'
    if text is not None:
        file.write_text(text)
    variables(**ASCEND, TABLE=str(file))
    with pytest.raises(ConfigError, match=f'TABLE={file} .*{message}'):
        check_cluster(KIND, 2)


def test_a_table_of_another_kind_of_device(variables):
    variables(TABLE='missing')
    assert check_cluster(DeviceKind('cuda', backend='b'), 2) == ''


def test_a_list_that_holds_one_device_for_each_process(variables, tmp_path):
    file = tmp_path / 'hccl.json'
    file.write_text(table(nodes=1, devices=8))
    variables(TABLE=str(file))
    assert check_cluster(KIND, 8) == f'TABLE: {file}, 8 devices'
