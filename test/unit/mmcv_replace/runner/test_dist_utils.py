"""Launchers' environments; the process group itself is tested in parallel/test_distributed.py."""
import datetime
import os
import socket
from types import SimpleNamespace

import pytest
import torch

from mmcv_replace.runner import dist_utils, get_dist_info, init_dist, master_only
from mmcv_replace.runner.dist_utils import adopt_launcher, is_node_leader, recognise_launcher
from mmcv_replace.utils.errors import ConfigError, LostPeerError

VARIABLES = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')


@pytest.fixture
def group(monkeypatch):
    """Records what the process group is asked for, in an environment that no launcher set."""
    record = SimpleNamespace(calls=[])
    monkeypatch.setattr(dist_utils.dist, 'init_process_group',
                        lambda backend, **kwargs: record.calls.append((backend, kwargs)))
    monkeypatch.setattr(dist_utils, 'set_device', lambda device: setattr(record, 'device', device))
    environment = {key: value for key, value in os.environ.items()
                   if key not in VARIABLES
                   and not key.startswith(('SLURM', 'OMPI', 'PMI', 'MPI', 'PET'))}
    monkeypatch.setattr(os, 'environ', environment)
    return record


def ranks():
    return tuple(os.environ[name] for name in VARIABLES)


def test_pytorch(group):
    os.environ.update(RANK='3', WORLD_SIZE='4', LOCAL_RANK='1', MASTER_ADDR='a', MASTER_PORT='1')
    init_dist('pytorch', backend='gloo', timeout=5)
    assert group.calls == [('gloo', {'timeout': datetime.timedelta(seconds=5)})]
    assert group.device == torch.device('cpu')


def test_pytorch_outside_of_torchrun(group):
    with pytest.raises(ConfigError, match='RANK, WORLD_SIZE, .*torchrun'):
        init_dist('pytorch')


def test_slurm(group):
    os.environ.update(SLURM_PROCID='5', SLURM_NTASKS='8', SLURM_LOCALID='1',
                      SLURM_JOB_NODELIST='node[3-4]')
    init_dist('slurm', backend='gloo')
    assert ranks() == ('5', '8', '1', 'node3', '29500')


def test_slurm_without_a_list_of_hosts(group):
    os.environ.update(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0')
    with pytest.raises(ConfigError, match='set MASTER_ADDR'):
        init_dist('slurm', backend='gloo')
    os.environ['MASTER_ADDR'] = 'node3'
    init_dist('slurm', backend='gloo')
    assert ranks() == ('0', '1', '0', 'node3', '29500')


@pytest.mark.parametrize('names', [
    ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
    ('PMI_RANK', 'PMI_SIZE', 'MPI_LOCALRANKID')])
def test_mpi_on_one_machine(group, names):
    os.environ.update(zip(names, ('1', '2', '1'), strict=True))
    init_dist('mpi', backend='gloo')
    assert ranks() == ('1', '2', '1', '127.0.0.1', '29500')


def test_mpi_on_several_machines_needs_an_address(group):
    os.environ.update(OMPI_COMM_WORLD_RANK='3', OMPI_COMM_WORLD_SIZE='4',
                      OMPI_COMM_WORLD_LOCAL_RANK='1')
    with pytest.raises(ConfigError, match='MASTER_ADDR not set'):
        init_dist('mpi')


def test_the_shell_of_a_slurm_job_is_no_task(group):
    """In the script of sbatch, slurm's variables look like those of the first task."""
    os.environ.update(SLURM_JOB_ID='1', SLURM_PROCID='0', SLURM_NTASKS='8', SLURM_LOCALID='0')
    with pytest.raises(ConfigError, match='none of its 8 tasks: start the command through srun'):
        init_dist('slurm')


@pytest.mark.parametrize('name', ['RANK', 'WORLD_SIZE', 'LOCAL_RANK'])
def test_a_scheduler_that_lists_devices_has_not_started_processes(group, name):
    os.environ.update(dict.fromkeys(VARIABLES, '1'))
    os.environ[name] = '0,1'
    with pytest.raises(ConfigError, match=f"{name}='0,1' is not the number of one proc.*dist_tr"):
        init_dist('pytorch')


def test_one_process_on_each_node(group):
    os.environ.update(PET_NNODES='2', PET_NODE_RANK='1', PET_NPROC_PER_NODE='1',
                      PET_MASTER_ADDR='h', PET_MASTER_PORT='7')
    assert recognise_launcher() == 'node'
    adopt_launcher('node')
    assert ranks() == ('1', '2', '0', 'h', '7')


def test_what_contradicts_itself_is_an_error_of_the_users(group):
    os.environ.update(PET_NNODES='two')
    with pytest.raises(ConfigError, match='PET_NNODES=two is neither'):
        recognise_launcher()
    with pytest.raises(ConfigError, match='PET_NNODES=two is neither'):
        adopt_launcher('node')


@pytest.mark.parametrize('launcher', ['slurm', 'mpi'])
def test_launchers_that_did_not_start_us(group, launcher):
    with pytest.raises(ConfigError, match='start this command through that launcher'):
        init_dist(launcher)


def test_unknown_launcher(group):
    with pytest.raises(ConfigError, match="'torchrun' is unknown"):
        init_dist('torchrun')


@pytest.mark.parametrize(('asked', 'used'), [(None, 'here'), ('absent', 'here'), ('here', 'here'),
                                             ('mpi', 'mpi')])
def test_backend_of_an_absent_device_gives_way(group, monkeypatch, log_lines, asked, used):
    """One config serves every machine; a backend that no device owns is the user's business."""
    kinds = [SimpleNamespace(type='x', backend='absent', available=lambda: False),
             SimpleNamespace(type='cpu', backend='here', time_limits=(), available=lambda: True)]
    monkeypatch.setattr(dist_utils, 'KINDS', kinds)
    monkeypatch.setattr(dist_utils, 'kind_of', lambda device: kinds[1])
    os.environ.update(dict.fromkeys(VARIABLES, '0'))
    init_dist('pytorch', backend=asked)
    assert group.calls == [(used, {})]
    assert len(log_lines) == (asked == 'absent')


def test_backend_that_is_not_given_is_that_of_the_device(group, monkeypatch, log_lines):
    """Although its default is the name that mmcv has there."""
    monkeypatch.setattr(dist_utils, 'resolve_device', lambda name: torch.device('cpu'))
    os.environ.update(dict.fromkeys(VARIABLES, '0'))
    init_dist('pytorch')
    assert group.calls == [('gloo', {})]
    assert not log_lines


def test_port(group):
    os.environ.update(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0', MASTER_ADDR='a')
    init_dist('slurm', port=29505)
    assert ranks() == ('0', '1', '0', 'a', '29505')


@pytest.mark.parametrize(('asked', 'used'), [(None, 'gloo'), ('absent', 'gloo'), ('gloo', 'gloo'),
                                             ('mpi', 'mpi')])
def test_a_given_device_decides(group, monkeypatch, asked, used):
    """Also where the other device is usable: the user asked for this one."""
    kinds = [SimpleNamespace(type='x', backend='absent', available=lambda: True), *dist_utils.KINDS]
    monkeypatch.setattr(dist_utils, 'KINDS', kinds)
    os.environ.update(dict.fromkeys(VARIABLES, '1'))
    init_dist('pytorch', backend=asked, device=torch.device('cpu'))
    assert group.calls == [(used, {})]
    assert group.device == torch.device('cpu')


def test_without_a_group(monkeypatch):
    assert get_dist_info() == (0, 1)
    assert is_node_leader()
    assert master_only(lambda value: value)(3) == 3


@pytest.mark.parametrize(('local_rank', 'leads'), [('0', True), ('1', False)])
def test_node_leader(monkeypatch, local_rank, leads):
    monkeypatch.setattr(dist_utils, 'get_dist_info', lambda: (4, 8))
    monkeypatch.setenv('LOCAL_RANK', local_rank)
    assert is_node_leader() is leads


@pytest.mark.parametrize(('count', 'shared', 'prefix'), [
    ('2', 'True', 'start_2'), ('0', 'True', None), ('2', 'False', None)])
def test_processes_that_torchrun_started_again_meet_elsewhere(group, monkeypatch, count, shared,
                                                              prefix):
    """torchrun keeps its store: addresses of processes that are gone must not be found in it."""
    os.environ.update(RANK='1', WORLD_SIZE='3', LOCAL_RANK='1', MASTER_ADDR='host',
                      MASTER_PORT='123', TORCHELASTIC_RESTART_COUNT=count,
                      TORCHELASTIC_USE_AGENT_STORE=shared)
    monkeypatch.setattr(dist_utils.dist, 'TCPStore', lambda *args, **kwargs: (args, kwargs))
    monkeypatch.setattr(dist_utils.dist, 'PrefixStore', lambda *args: args)
    dist_utils.init_dist('pytorch', device=torch.device('cpu'), timeout=5)
    options = group.calls[0][1]
    timeout = {'timeout': datetime.timedelta(seconds=5)}
    if prefix is None:
        assert options == timeout
    else:
        store = (('host', 123), {'is_master': False, **timeout})
        assert options == {'store': (prefix, store), 'rank': 1, 'world_size': 3, **timeout}


def test_one_process_asks_nobody():
    assert dist_utils.from_first_rank('value') == 'value'
    assert dist_utils.any_rank(True) is True
    assert dist_utils.any_rank(False) is False


@pytest.mark.parametrize(('variables', 'launcher', 'sign'), [
    (dict(SLURM_PROCID='0', SLURM_NTASKS='2', SLURM_LOCALID='0', SLURM_STEP_ID='0'),
     'slurm', 'SLURM_PROCID'),
    (dict(RANK='0', WORLD_SIZE='2', LOCAL_RANK='0'), 'pytorch', 'RANK'),
])
def test_processes_that_never_come(variables, launcher, sign, monkeypatch):
    """Variables that are left over in a shell look like a process of a job."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr(os, 'environ', os.environ | variables | dict(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)))
    with pytest.raises(LostPeerError, match=rf'did not meet \(.*1/2 clients joined.*RANK=0 WORLD_'
                       rf'SIZE=2 .* MASTER_PORT={port}\).* without {sign} in its environment'):
        init_dist(launcher, backend='gloo', timeout=1)
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', port))
        taken.listen()
        with pytest.raises(LostPeerError, match='address already in use.*find its port free'):
            init_dist(launcher, backend='gloo', timeout=1)
