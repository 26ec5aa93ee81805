"""tools/dist_*.sh and test/train_*.sh under a scheduler: which node they say that this is."""
import json
import os
import re
import sys
from pathlib import Path

import pytest
from torch.distributed.run import parse_args

from mmcv_replace.runner.clusters import TABLE, Variables

ROOT = Path(__file__).resolve().parents[3]
KNOWN = json.loads((ROOT / 'test/fixtures/schedulers.json').read_text())
NODES = {row['name']: row for row in KNOWN['nodes']}
DIST = [('tools/dist_train.sh', ['cfg.py']), ('tools/dist_test.sh', ['cfg.py', 'a.pth'])]
FULL, SEVERAL = 'test/train_full_8p.sh', 'test/train_performance_multinodes.sh'
DATA = '--data_path=DIR/VOC2012'


@pytest.fixture
def torchrun(dry_run, monkeypatch):
    """What torchrun would read in the job that a script starts, with the variables it would see."""
    def run(name, *arguments, **environ):
        commands = dry_run(name, *arguments, PYTHON=sys.executable, **environ)
        gone = [word for words in commands if words[0] == 'unset' for word in words[1:]]
        kept = {key: value for key, value in environ.items() if key not in gone}
        monkeypatch.setattr(os, 'environ', dict(os.environ, **kept))
        job = next((words for words in commands if words[1:2] and words[1].endswith('elastic.py')),
                   None)
        assert job, (f'{name} starts no torchrun: does SCHEDULERS in test/launch.sh have a name '
                     f'of {environ}?')
        return parse_args(job[2:])
    return run


def meeting(options):
    return options.nnodes, options.node_rank, options.master_addr, options.master_port


@pytest.mark.parametrize('nproc', [1, 2])
@pytest.mark.parametrize(('tool', 'arguments'), DIST)
@pytest.mark.parametrize('name', NODES)
def test_a_command_on_each_node(torchrun, tool, arguments, name, nproc):
    nodes, rank, _, addr, port = NODES[name]['place']
    options = torchrun(tool, *arguments, nproc, **NODES[name]['environ'])
    assert meeting(options) == (str(nodes), rank, addr, port or 29500)
    assert options.nproc_per_node == str(nproc)
    assert (options.standalone, options.rdzv_backend, options.rdzv_endpoint) == (
        False, 'static', '')
    assert options.training_script.endswith(f'{Path(tool).stem.removeprefix("dist_")}.py')


@pytest.mark.parametrize('leftover', [
    dict(PET_STANDALONE='1'), dict(PET_RDZV_BACKEND='c10d', PET_RDZV_ENDPOINT='other:1'),
    dict(PET_NO_PYTHON='1'), dict(PET_MODULE='1')])
def test_torchruns_variables_do_not_beat_what_the_user_says(torchrun, leftover):
    options = torchrun('tools/dist_train.sh', 'cfg.py', 2, NNODES='3', NODE_RANK='2',
                       MASTER_ADDR='mine', PORT='9', **(NODES['trainjob']['environ'] | leftover))
    assert meeting(options) == ('3', 2, 'mine', 9)
    assert (options.standalone, options.rdzv_backend, options.rdzv_endpoint, options.module,
            options.no_python) == (False, 'static', '', False, False)


def test_one_node_of_a_larger_job(torchrun):
    for nproc in (1, 2):
        options = torchrun('tools/dist_train.sh', 'cfg.py', nproc, NNODES='1',
                           **NODES['trainjob']['environ'])
        assert (options.nnodes, options.standalone, options.nproc_per_node) == (
            '1', True, str(nproc))


def test_an_elastic_job(torchrun):
    options = torchrun('tools/dist_train.sh', 'cfg.py', 8, **KNOWN['elastic'])
    assert (options.nnodes, options.rdzv_backend, options.rdzv_endpoint, options.rdzv_id) == (
        '1:3', 'c10d', 'job-worker-0:23456', 'job')
    assert options.max_restarts == 3


def test_a_restart_on_each_of_several_nodes(dry_run):
    """With one process a node torchrun starts it, and can do so again."""
    commands = dry_run('tools/dist_train.sh', 'cfg.py', 1, '--max-restarts=2',
                       PYTHON=sys.executable, **NODES['trainjob']['environ'])
    assert ['export', 'PET_MAX_RESTARTS=2'] in commands


@pytest.mark.parametrize(('environ', 'message'), [
    (KNOWN['processes'][0]['environ'], 'torchrun has started 8 processes on this node already'),
    (KNOWN['processes'][2]['environ'], 'slurm has started 8 processes on this node already'),
    (dict(RANK='1', WORLD_SIZE='16', MASTER_ADDR='h'), 'WORLD_SIZE=16 is 16 nodes, or 2 of 8'),
    (dict(PET_NNODES='2', PET_MASTER_ADDR='h'), '2 nodes, and not which of them this is'),
    (dict(PET_NNODES='2', PET_NODE_RANK='0'),
     'not where the first is (PET_NNODES=2 PET_NODE_RANK=0): set MASTER_ADDR=IP, or NNODES=1'),
    (dict(RANK='1', WORLD_SIZE='2'), 'not where the first is (RANK=1 WORLD_SIZE=2): set MASTER'),
    (dict(NODES['ascend']['environ'], PET_NNODES='3', PET_NODE_RANK='0'), 'is ambiguous: '),
])
@pytest.mark.parametrize(('tool', 'arguments'), DIST)
def test_what_is_not_clear(script, tool, arguments, environ, message):
    done = script(tool, *arguments, 8, '--dry-run', PYTHON=sys.executable, **environ)
    assert done.returncode == 2
    assert message in done.stderr
    assert 'Traceback' not in done.stderr
    assert done.stdout == ''


@pytest.mark.parametrize('shell', KNOWN['shells'], ids=lambda row: row['name'])
def test_the_shell_of_a_slurm_job(script, shell):
    done = script('tools/dist_train.sh', 'cfg.py', 8, '--dry-run', PYTHON=sys.executable,
                  **shell['environ'])
    assert '--nnodes 1 --standalone' in done.stdout
    assert 'note: this shell is no task of its slurm job, which has 2 nodes' in done.stderr
    one = dict(shell['environ'], SLURM_NNODES='1', SLURM_JOB_NUM_NODES='1')
    assert script('tools/dist_train.sh', 'cfg.py', 8, '--dry-run', PYTHON=sys.executable,
                  **one).stderr == ''


@pytest.mark.parametrize('script_name', [FULL, SEVERAL])
@pytest.mark.parametrize('name', NODES)
def test_the_scripts_of_the_model_zoo(torchrun, script_name, name):
    nodes, rank, size, addr, port = NODES[name]['place']
    options = torchrun(script_name, DATA, **NODES[name]['environ'])
    assert meeting(options) == (str(nodes), rank, addr, port or 29500)
    assert options.nproc_per_node == str(size or 8)


def test_their_options_beat_the_variables(torchrun):
    options = torchrun(SEVERAL, DATA, '--nnodes=3', '--node_rank=2', '--addr=mine', '--nproc=4',
                       '--master_port=9', **NODES['ascend']['environ'])
    assert meeting(options) == ('3', 2, 'mine', 9)
    assert options.nproc_per_node == '4'
    options = torchrun('test/train_full_1p.sh', DATA, **NODES['ascend']['environ'])
    assert (options.nnodes, options.nproc_per_node) == ('2', '1')


def test_their_check_of_the_job_knows_the_node(dry_run):
    commands = dry_run(SEVERAL, DATA, PYTHON=sys.executable, **NODES['ascend']['environ'])
    check = next(words for words in commands if words[1:2] and words[1].endswith('preflight.py'))
    for words in (['--nnodes', '2'], ['--node_rank', '1'], ['--addr', '10.0.0.1']):
        assert words == check[check.index(words[0]):][:2]


def test_the_scripts_ask_wherever_a_row_may_be_recognised(checkout):
    """launch.sh asks nobody without one of these variables: a plain start stays as it is."""
    source = (checkout / 'test/launch.sh').read_text()
    names = re.compile(''.join(re.findall(r"^SCHEDULERS\+?='(.*)'$", source, re.MULTILINE)))
    known = [row['environ'] for key in ('nodes', 'processes', 'shells') for row in KNOWN[key]]
    for environ in [*known, KNOWN['elastic']]:
        others = {name: value for name, value in environ.items() if not names.fullmatch(name)}
        assert others != environ
        assert not [row.name for row in TABLE if row.recognised(Variables(others))]
