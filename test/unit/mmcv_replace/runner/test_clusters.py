"""Who started this process: each scheduler's variables, and what contradicts itself."""
import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mmcv_replace.runner.clusters import (
    ClusterError,
    find,
    launcher_of,
    network,
    torch_variables,
)
from mmcv_replace.runner.clusters.launch import launch_place
from mmcv_replace.runner.clusters.starters import expand_hosts

ROOT = Path(__file__).resolve().parents[4]
KNOWN = json.loads((ROOT / 'test/fixtures/schedulers.json').read_text())
NODES = {row['name']: row for row in KNOWN['nodes']}
PROCESSES = {row['name']: row for row in KNOWN['processes']}
SHELLS = {row['name']: row for row in KNOWN['shells']}


def environ(name, without=(), **changes):
    """A known environment; variables may be left out and set."""
    row = (NODES | PROCESSES | SHELLS)[name]
    return {key: value for key, value in (row['environ'] | changes).items() if key not in without}


def facts(place):
    return [place.nnodes, place.node_rank, place.local_size, place.addr, place.port]


@pytest.mark.parametrize('name', NODES)
def test_a_command_on_each_node(name):
    place = find(environ(name))
    assert place, f'no row of clusters/table.py recognises {environ(name)}'
    assert place.scheduler.startswith(NODES[name]['row'])
    assert facts(place) == NODES[name]['place']
    assert facts(launch_place(environ(name), 8)) == NODES[name]['place']


@pytest.mark.parametrize('name', PROCESSES)
def test_a_process_of_a_job(name):
    assert find(environ(name)).process == tuple(PROCESSES[name]['process'])
    assert launcher_of(environ(name)) == PROCESSES[name]['launcher']


@pytest.mark.parametrize('name', PROCESSES)
def test_a_process_that_is_to_start_more_of_them(name):
    with pytest.raises(ClusterError, match='on this node already, and each would start 8 more'):
        launch_place(environ(name), 8)


@pytest.mark.parametrize('outer', NODES)
def test_torchrun_inside_of_a_scheduler(outer):
    """Its processes inherit everything."""
    inside = environ(outer) | environ('torchrun')
    assert find(inside).scheduler == 'torchrun'
    assert launcher_of(inside) == 'pytorch'


@pytest.mark.parametrize('outer', ['slurm_node', 'slurm_task', 'salloc', 'sbatch'])
def test_mpirun_inside_of_slurm(outer):
    """Its processes inherit what slurm has set for the one that started them."""
    assert launcher_of(environ(outer) | environ('ompi_task')) == 'mpi'
    assert find(environ(outer) | environ('ompi_task')).process == (8, 16, 0)


@pytest.mark.parametrize('name', ['salloc', 'sbatch'])
def test_the_shell_of_a_slurm_job_is_no_task(name):
    assert find(environ(name)) is None
    assert launcher_of(environ(name)) == 'none'
    assert launch_place(environ(name), 8).nnodes == 1


@pytest.mark.parametrize(('start', 'is_shell'), [('pty.spawn', True), ('subprocess.run', False)])
def test_a_shell_in_the_first_of_several_tasks(start, is_shell):
    """`srun --pty bash` has a terminal; the tasks of an srun in there inherit its variables."""
    ask = 'import os; from clusters import find; print(find(os.environ) is None)'
    done = subprocess.run(
        [sys.executable, '-c', f'import pty, subprocess, sys; {start}(sys.argv[1:])',
         sys.executable, '-c', ask],
        cwd=ROOT / 'mmcv_replace/runner',
        env=os.environ | environ('slurm_task', SLURM_PTY_PORT='4'),
        stdin=subprocess.DEVNULL, start_new_session=True, capture_output=True, text=True,
        check=True)
    assert done.stdout.strip() == str(is_shell)


def test_nobody():
    assert find({}) is None
    assert launcher_of({}) == 'none'
    assert facts(launch_place({}, 8)) == [1, 0, None, None, None]


def test_variables_set_to_nothing_are_unset():
    assert find(dict.fromkeys(environ('torchrun'), '')) is None


@pytest.mark.parametrize(('devices', 'launcher'), [('0', 'pytorch'), ('{0}', 'node')])
def test_an_ascend_job_of_one_device_a_node(devices, launcher):
    """A list of one is the number of a process, which is the only one of its node."""
    one = environ('ascend', WORLD_SIZE='2', LOCAL_WORLD_SIZE='1', LOCAL_RANK=devices)
    assert facts(find(one)) == [2, 1, 1, '10.0.0.1', 2222]
    assert launcher_of(one) == launcher
    assert torch_variables('node', one) == dict(
        RANK='1', WORLD_SIZE='2', LOCAL_RANK='0', MASTER_ADDR='10.0.0.1', MASTER_PORT='2222')


@pytest.mark.parametrize('name', ['ascend', 'trainjob', 'pytorchjob', 'volcano', 'volcano_hosts',
                                  'pai', 'kubeflow'])
def test_one_process_for_a_node_of_several(name):
    with pytest.raises(ClusterError, match=r'one process, but .* node 1 of 2.*dist_train\.sh'):
        launcher_of(environ(name))


def test_one_process_for_one_node_of_several_devices():
    with pytest.raises(ClusterError, match=r'node 0 of 1 with 8 processes each.*LOCAL_RANK=0,1'):
        launcher_of(environ('ascend', RANK='0', WORLD_SIZE='8'))
    assert launcher_of(environ('trainjob', PET_NNODES='1', PET_NODE_RANK='0')) == 'none'


def test_one_process_on_each_node():
    one = environ('trainjob', PET_NPROC_PER_NODE='1')
    assert launcher_of(one) == 'node'
    assert torch_variables('node', one) == dict(
        RANK='1', WORLD_SIZE='2', LOCAL_RANK='0', MASTER_ADDR='job-node-0-0.job',
        MASTER_PORT='29400')


def test_a_part_of_torchs_variables_is_left_to_who_reads_them():
    assert launcher_of(dict(RANK='0', WORLD_SIZE='2')) == 'pytorch'
    assert launcher_of(dict(RANK='0', WORLD_SIZE='1')) == 'none'


def test_a_pod_beside_those_that_train():
    """Volcano lists it, and leaves it out of WORLD_SIZE."""
    job = environ('volcano', VC_TENSORBOARD_HOSTS='job-tensorboard-0.job')
    assert facts(find(job)) == NODES['volcano']['place']


def test_an_elastic_job():
    place = launch_place(KNOWN['elastic'], 8)
    assert (place.nnodes, place.elastic) == (3, '1:3')
    assert place.rendezvous == ('--rdzv_backend', 'c10d', '--rdzv_endpoint', 'job-worker-0:23456',
                                '--rdzv_id', 'job')
    given = launch_place(KNOWN['elastic'], 8, nnodes=2, node_rank=1, addr='h')
    assert (given.nnodes, given.elastic, given.rendezvous) == (2, None, ())


def test_an_endpoint_in_place_of_an_address():
    given = environ('trainjob', without=['PET_MASTER_ADDR', 'PET_MASTER_PORT'],
                    PET_RDZV_ENDPOINT='h:77')
    assert facts(find(given))[3:] == ['h', 77]


@pytest.mark.parametrize(('name', 'changes', 'message'), [
    ('ascend', dict(LOCAL_WORLD_SIZE='4'), 'LOCAL_WORLD_SIZE=4, but LOCAL_RANK names 8 devices'),
    ('ascend', dict(WORLD_SIZE='12'), 'WORLD_SIZE=12 devices are no number of nodes of 8'),
    ('ascend', dict(WORLD_SIZE='many'), 'WORLD_SIZE=many is not a whole number from 1'),
    ('ascend', dict(RANK='2'), 'node 2 of 2, counted from 0: .*LOCAL_RANK=0,1,2,3,4,5,6,7'),
    ('trainjob', dict(PET_NNODES='two'), 'PET_NNODES=two is neither'),
    ('trainjob', dict(PET_NNODES='3:2'), 'PET_NNODES=3:2 is neither'),
    ('trainjob', dict(PET_NNODES='1:2'), 'elastic job, which needs PET_RDZV_BACKEND'),
    ('trainjob', dict(PET_NODE_RANK=''), '2 nodes, and not which of them this is: .*PET_NNODES=2'),
    ('trainjob', dict(PET_RDZV_BACKEND='c10d'), 'PET_RDZV_BACKEND=c10d needs PET_RDZV_ENDPOINT'),
    ('trainjob', dict(PET_MASTER_ADDR='', PET_RDZV_ENDPOINT='h'), 'h is not HOST:PORT'),
    ('volcano', dict(WORLD_SIZE='3'), 'Volcano lists 2 pods, but WORLD_SIZE=3: .*VC_MASTER_HOSTS'),
    ('volcano_hosts', dict(HOSTNAME='other'), '2 nodes, and not which of them this is'),
    ('slurm_task', dict(SLURM_PROCID='16'), 'rank 16 of 16 processes, 0 on its node, which cannot'),
    ('slurm_task', dict(SLURM_STEP_TASKS_PER_NODE='8x2'), "'8x2' is not a list of tasks"),
    ('ompi_task', dict(OMPI_COMM_WORLD_LOCAL_RANK='9'), 'which cannot be: .*LOCAL_RANK=9'),
    ('torchrun', dict(RANK='-1'), 'RANK=-1 is not a whole number from 0'),
])
def test_what_cannot_be(name, changes, message):
    with pytest.raises(ClusterError, match=message):
        find(environ(name, **changes))


@pytest.mark.parametrize(('first', 'second'), [
    ('ascend', 'trainjob'), ('trainjob', 'volcano_hosts'), ('slurm_node', 'trainjob'),
    ('ompi_node', 'trainjob')])
def test_two_schedulers_that_contradict_each_other(first, second):
    agreeing = environ(second) | environ(first)
    assert find(agreeing).nnodes == 2
    changed = dict(PET_NNODES='3', PET_NODE_RANK='2')
    with pytest.raises(ClusterError, match=r'ambiguous: .* says node . of .* but ') as error:
        find(agreeing | changed)
    for name in changed:
        assert f'{name}=' in str(error.value)


@pytest.mark.parametrize(('size', 'nproc', 'nnodes'), [(2, 8, 2), (2, 1, 2), (3, 2, 3), (1, 8, 1)])
def test_an_unknown_scheduler_that_counts_nodes(size, nproc, nnodes):
    unknown = dict(RANK='0', WORLD_SIZE=str(size), MASTER_ADDR='h', MASTER_PORT='5')
    assert facts(launch_place(unknown, nproc))[:2] == [nnodes, 0]
    del unknown['MASTER_ADDR']
    if nnodes == 1:
        assert launch_place(unknown, nproc).scheduler == 'nobody'
    else:
        with pytest.raises(ClusterError, match=rf'{nnodes} nodes and not where .*RANK=0'):
            launch_place(unknown, nproc)


def test_an_unknown_scheduler_that_may_count_nodes_or_processes():
    unknown = dict(RANK='1', WORLD_SIZE='16', MASTER_ADDR='h')
    with pytest.raises(ClusterError, match='=16 is 16 nodes, or 2 of 8 processes.*RANK=1'):
        launch_place(unknown, 8)
    assert facts(launch_place(unknown, 8, nnodes=2, node_rank=1, addr='h'))[:2] == [2, 1]


@pytest.mark.parametrize('name', NODES)
def test_what_the_user_says_beats_the_variables(name):
    said = launch_place(environ(name), 8, nnodes=3, node_rank=2, addr='mine', port=9)
    assert (said.nnodes, said.node_rank, said.addr, said.port) == (3, 2, 'mine', 9)
    said = launch_place(environ(name), 8, node_rank=0, addr='mine', port=9)
    assert (said.nnodes, said.node_rank, said.addr, said.port) == (2, 0, 'mine', 9)
    assert launch_place(environ(name), 8, nnodes=1).nnodes == 1


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(nnodes=2), r'NNODES=2 needs MASTER_ADDR'),
    (dict(node_rank=1), r'NODE_RANK=1: of NNODES=1 it is 0 to 0'),
])
def test_what_the_user_has_not_said(arguments, message):
    with pytest.raises(ClusterError, match=message):
        launch_place({}, 8, **arguments)


def test_nobody_says_where_the_first_node_is():
    with pytest.raises(ClusterError, match='MPI says that there are 2 nodes and not where'):
        launch_place(environ('ompi_node', without=['MASTER_ADDR']), 8)


@pytest.mark.parametrize(('hosts', 'expected'), [
    ('n1', ['n1']),
    ('n1,n3', ['n1', 'n3']),
    ('n[1-3]', ['n1', 'n2', 'n3']),
    ('n[08-10,2],login-a', ['n08', 'n09', 'n10', 'n2', 'login-a']),
    ('r[1-2]n[1,3]', ['r1n1', 'r1n3', 'r2n1', 'r2n3']),
    ('n[1-2].site.org', ['n1.site.org', 'n2.site.org']),
])
def test_lists_of_hosts(hosts, expected):
    assert expand_hosts(hosts) == expected


@pytest.mark.parametrize('hosts', ['', 'n[1-', 'n1]', 'n[2-1]', 'n[a-b]', 'n[]', 'n1,,n2', 'n[1,]'])
def test_what_is_no_list_of_hosts(hosts):
    with pytest.raises(ClusterError, match='not a list of hosts'):
        expand_hosts(hosts)


def test_jobs_of_slurm_that_share_a_node_meet_at_different_ports():
    def port(**changes):
        return torch_variables('slurm', environ('slurm_task', **changes))['MASTER_PORT']

    ports = {port(), port(SLURM_JOB_ID='1235'), port(SLURM_STEP_ID='1')}
    assert len(ports) == 3
    assert all(20000 <= int(number) < 30000 for number in ports)
    assert port(MASTER_PORT='7') == '7'


def test_jobs_of_open_mpi_that_share_a_node_meet_at_different_ports():
    def port(**changes):
        return torch_variables('mpi', environ('ompi_task', **changes))['MASTER_PORT']

    ports = {port(PMIX_NAMESPACE=f'prterun-host-{number}@1') for number in (12, 13)}
    assert len(ports) == 2
    assert all(20000 <= int(number) < 30000 for number in ports)
    assert port(PMIX_NAMESPACE='prterun-host-12@1', MASTER_PORT='7') == '7'
    assert port() == '29500'


@pytest.mark.parametrize('tasks', ['8(x2)', '4,8', None])
def test_tasks_of_a_node(tasks):
    changes = {} if tasks is None else dict(SLURM_STEP_TASKS_PER_NODE=tasks)
    without = ['SLURM_STEP_TASKS_PER_NODE'] if tasks is None else []
    assert find(environ('slurm_task', without, **changes)).local_size == 8


def test_a_script_need_not_wait_for_torch():
    code = ('import sys; sys.path.insert(0, sys.argv[1])\n'
            'from clusters.launch import main\n'
            'code = main(["--nproc", "8"])\n'
            'print({"torch", "mmcv_replace"} & set(sys.modules) or None)')
    done = subprocess.run([sys.executable, '-I', '-c', code, str(ROOT / 'mmcv_replace/runner')],
                          env={'PATH': os.environ['PATH'], **environ('ascend')},
                          capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['scheduler=the Ascend Operator', 'nnodes=2', 'node_rank=1',
                                        'local_size=8', 'addr=10.0.0.1', 'port=2222', 'None']


def test_the_command_line_of_the_table():
    done = subprocess.run([sys.executable, '-m', 'mmcv_replace.runner.clusters', '--nproc', '8'],
                          env={**os.environ, **environ('ascend', RANK='2')}, capture_output=True,
                          text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith('error: the Ascend Operator says node 2 of 2')


def test_the_interface_to_another_machine(monkeypatch):
    """That of the address which the way there begins with."""
    addresses = {'lo': '127.0.0.1', 'eth1': '10.0.0.7'}

    def address_of(_, request, name):
        name = name.rstrip(b'\0').decode()
        if name not in addresses:
            raise OSError('an interface without an address')
        return bytes(20) + socket.inet_aton(addresses[name]) + bytes(232)

    class Probe(contextlib.nullcontext):
        def __enter__(self):
            return self

        def connect(self, where):
            self.own = '127.0.0.1' if where[0].startswith('127') else '10.0.0.7'

        def getsockname(self):
            return self.own, 1

    monkeypatch.setattr(network.fcntl, 'ioctl', address_of)
    monkeypatch.setattr(network.socket, 'if_nameindex', lambda: enumerate(['lo', 'down', 'eth1']))
    monkeypatch.setattr(network.socket, 'socket', lambda *_: Probe())
    assert network.interface_to('10.0.0.1') == 'eth1'
    assert network.interface_to('127.0.0.1') is None  # of no use to another machine


def test_a_machine_that_is_not_known_yet(monkeypatch):
    def unknown(*_):
        raise socket.gaierror('name or service not known')
    monkeypatch.setattr(network.socket, 'getaddrinfo', unknown)
    assert network.interface_to('job-master-0') is None
