"""tools/dist_*.sh and tools/slurm_*.sh: the commands that they start."""
import pytest

SCRIPTS = [f'tools/{kind}_{what}.sh' for kind in ('dist', 'slurm') for what in ('train', 'test')]


def last(commands):
    return commands[-1]


@pytest.fixture
def python(checkout):
    return str(checkout / '.venv/bin/python')


def test_dist_train(dry_run, checkout, python):
    job = last(dry_run('tools/dist_train.sh', 'cfg.py', 3, '--work-dir', 'a b', '--seed', 1))
    assert job == [
        python, str(checkout / 'mmcv_replace/runner/elastic.py'), '--nproc_per_node', '3',
        '--nnodes', '1', '--standalone', '--local_addr', '127.0.0.1',
        str(checkout / 'tools/train.py'), '--launcher', 'pytorch',
        'cfg.py', '--work-dir', 'a b', '--seed', '1']


@pytest.mark.parametrize('option', [['--max-restarts', 2], ['--max-restarts=2']])
def test_restarts_are_passed_to_torchrun(dry_run, option):
    commands = dry_run('tools/dist_train.sh', 'cfg.py', 3, '--seed', 1, *option, '--amp')
    assert ['export', 'PET_MAX_RESTARTS=2'] in commands
    job = last(commands)
    assert job[job.index('pytorch') + 1:] == ['cfg.py', '--seed', '1', '--amp']
    plain = dry_run('tools/dist_train.sh', 'cfg.py', 3)
    assert not any('PET_MAX_RESTARTS' in word for command in plain for word in command)


@pytest.mark.parametrize(('arguments', 'message'), [
    ([2, '--max-restarts'], '--max-restarts=none is not a whole number'),
    ([2, '--max-restarts=many'], '--max-restarts=many is not a whole number'),
    ([1, '--max-restarts=1'], 'run tools/train.py --auto-resume again')])
def test_wrong_restarts(script, arguments, message):
    done = script('tools/dist_train.sh', 'cfg.py', *arguments, '--dry-run')
    assert done.returncode == 2
    assert message in done.stderr


def test_torchrun_reads_the_number_of_restarts_from_the_environment(monkeypatch):
    from torch.distributed.run import parse_args
    monkeypatch.setenv('PET_MAX_RESTARTS', '2')
    assert parse_args(['script.py']).max_restarts == 2


@pytest.mark.parametrize(('code', 'requeued'), [(75, True), (0, False), (2, False)])
def test_a_batch_job_that_saved_goes_back_into_the_queue(script, tmp_path, code, requeued):
    for name, text in (('srun', f'exit {code}'), ('scontrol', 'echo scontrol "$@"')):
        (tmp_path / name).write_text(f'#!/bin/sh\n{text}\n')
        (tmp_path / name).chmod(0o755)
    done = script('tools/slurm_train.sh', 'part', 'name', 'cfg.py', SLURM_JOB_ID='12',
                  PATH=f'{tmp_path}:/usr/bin:/bin')
    assert done.returncode == code
    assert ('scontrol requeue 12' in done.stdout) is requeued


def test_dist_test(dry_run, checkout):
    job = last(dry_run('tools/dist_test.sh', 'cfg.py', 'a.pth', 4, '--eval', 'mIoU'))
    assert job[job.index('--nproc_per_node') + 1] == '4'
    assert job[job.index(str(checkout / 'tools/test.py')) + 1:] == [
        '--launcher', 'pytorch', 'cfg.py', 'a.pth', '--eval', 'mIoU']


def test_one_process_needs_no_launcher(dry_run, checkout, python):
    assert last(dry_run('tools/dist_train.sh', 'cfg.py', 1)) == [
        python, str(checkout / 'tools/train.py'), 'cfg.py']


@pytest.mark.parametrize('address', ['MASTER_ADDR', 'ADDR'])
@pytest.mark.parametrize(('name', 'arguments'), [
    ('tools/dist_train.sh', ['cfg.py', 2]), ('tools/dist_test.sh', ['cfg.py', 'a.pth', 2])])
def test_dist_over_several_machines(dry_run, name, arguments, address):
    nodes = dict(NNODES='2', NODE_RANK='1', PORT='1234', **{address: '10.0.0.1'})
    job = last(dry_run(name, *arguments, **nodes))
    start = job.index('--nproc_per_node')
    assert job[start:start + 10] == [
        '--nproc_per_node', '2', '--nnodes', '2', '--node_rank', '1', '--master_addr', '10.0.0.1',
        '--master_port', '1234']
    del nodes['PORT']
    job = last(dry_run(name, *arguments, **nodes))
    assert job[job.index('--master_port') + 1] == '29500'
    job = last(dry_run(name, *arguments, **nodes, MASTER_PORT='5'))
    assert job[job.index('--master_port') + 1] == '5'
    nodes['NNODES'] = '1'
    job = last(dry_run(name, *arguments, **nodes, MASTER_PORT='5'))
    assert '--standalone' not in job
    assert job[job.index('--master_port') + 1] == '5'


def test_slurm_train(dry_run, checkout, python):
    job = last(dry_run('tools/slurm_train.sh', 'part', 'name', 'cfg.py', 'work dir', '--seed', 1))
    assert job == [
        'srun', '-p', 'part', '--job-name=name', '--gres=gpu:4', '--ntasks=4',
        '--ntasks-per-node=4', '--cpus-per-task=5', '--kill-on-bad-exit=1', '--signal=USR1@120',
        python, str(checkout / 'tools/train.py'), '--launcher', 'slurm', 'cfg.py',
        '--work-dir=work dir', '--seed', '1']


def test_slurm_train_without_a_work_dir(dry_run):
    job = last(dry_run('tools/slurm_train.sh', 'part', 'name', 'cfg.py', '--seed', 1))
    assert job[-3:] == ['cfg.py', '--seed', '1']
    assert last(dry_run('tools/slurm_train.sh', 'part', 'name', 'cfg.py'))[-1] == 'cfg.py'


def test_slurm_test(dry_run, checkout):
    job = last(dry_run('tools/slurm_test.sh', 'part', 'name', 'cfg.py', 'a.pth', '--eval', 'mIoU'))
    assert job[job.index(str(checkout / 'tools/test.py')) + 1:] == [
        '--launcher', 'slurm', 'cfg.py', 'a.pth', '--eval', 'mIoU']


@pytest.mark.parametrize(('environment', 'options'), [
    (dict(GPUS='16'), ['--gres=gpu:4', '--ntasks=16', '--ntasks-per-node=4']),
    (dict(GPUS='2'), ['--gres=gpu:2', '--ntasks=2', '--ntasks-per-node=2']),
    (dict(GPUS='16', GPUS_PER_NODE='8'), ['--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8']),
    (dict(CPUS_PER_TASK='9'), ['--cpus-per-task=9']),
])
def test_slurm_environment(dry_run, environment, options):
    job = last(dry_run('tools/slurm_train.sh', 'part', 'name', 'cfg.py', **environment))
    assert set(options) <= set(job)


def test_srun_args_come_last_so_that_they_win(dry_run, python):
    job = last(dry_run('tools/slurm_train.sh', 'part', 'name', 'cfg.py',
                       SRUN_ARGS='--gres=npu:8 --quiet'))
    assert job[job.index(python) - 2:job.index(python)] == ['--gres=npu:8', '--quiet']
    assert job.index('--gres=gpu:4') < job.index('--gres=npu:8')


@pytest.mark.parametrize(('name', 'needed'), [
    ('tools/dist_train.sh', 2), ('tools/dist_test.sh', 3), ('tools/slurm_train.sh', 3),
    ('tools/slurm_test.sh', 4)])
def test_too_few_arguments_show_the_usage(script, name, needed):
    done = script(name, *range(needed - 1), '--dry-run')
    assert done.returncode == 2
    assert f'{needed} arguments are needed, {needed - 1} given' in done.stderr
    assert f'bash {name} ' in done.stderr


@pytest.mark.parametrize('name', SCRIPTS)
def test_help(script, name):
    done = script(name, '--help')
    assert done.returncode == 0
    assert f'bash {name} ' in done.stdout
    assert 'set -euo' not in done.stdout


@pytest.mark.parametrize(('arguments', 'environment', 'message'), [
    (['cfg.py', 'many'], {}, 'NPROC=many is not a whole number'),
    (['cfg.py', '2'], {'NNODES': 'x'}, 'NNODES=x is not a whole number'),
    (['cfg.py', '2'], {'NNODES': '2'}, 'NNODES=2 needs MASTER_ADDR=IP'),
    (['cfg.py', '2'], {'NNODES': '2', 'MASTER_ADDR': 'h', 'NODE_RANK': '2'},
     'NODE_RANK=2: of NNODES=2 it is 0 to 1'),
    (['cfg.py', '2'], {'NODE_RANK': '1'}, 'NODE_RANK=1: of NNODES=1 it is 0 to 0'),
    (['cfg.py', '2'], {'NODE_RANK': 'first'}, 'NODE_RANK=first is not a whole number from 0'),
    (['cfg.py', '2'], {'PORT': '0'}, 'PORT=0 is not a port, 1 to 65535'),
    (['cfg.py', '2'], {'NNODES': '2', 'MASTER_ADDR': 'h', 'MASTER_PORT': 'any'},
     'MASTER_PORT=any is not a port, 1 to 65535'),
    (['cfg.py', '2'], {'MASTER_ADDR': 'h', 'MASTER_PORT': '65536'},
     'MASTER_PORT=65536 is not a port, 1 to 65535'),
])
def test_wrong_values_of_dist(script, arguments, environment, message):
    done = script('tools/dist_train.sh', *arguments, '--dry-run', **environment)
    assert done.returncode == 2
    assert message in done.stderr


def test_wrong_values_of_slurm(script):
    done = script('tools/slurm_train.sh', 'part', 'name', 'cfg.py', '--dry-run', GPUS='all')
    assert done.returncode == 2
    assert 'GPUS=all is not a whole number' in done.stderr


def test_the_job_replaces_the_script(script, tmp_path):
    """What srun gets and how it ends is what the caller sees."""
    srun = tmp_path / 'bin/srun'
    srun.parent.mkdir()
    srun.write_text('#!/bin/sh\necho "$@"; echo "$PYTHONPATH"; exit 7\n')
    srun.chmod(0o755)
    done = script('tools/slurm_train.sh', 'part', 'name', 'cfg.py',
                  PATH=f'{srun.parent}:/usr/bin:/bin')
    assert done.returncode == 7
    words, path = done.stdout.splitlines()
    assert words.startswith('-p part --job-name=name')
    assert path.endswith('a checkout')


def test_no_srun(script):
    done = script('tools/slurm_train.sh', 'part', 'name', 'cfg.py', PATH='/usr/bin:/bin')
    assert done.returncode == 2
    assert 'srun is not there' in done.stderr
