"""Two hosts that train together, told by nothing but the variables of a scheduler."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

DEADLINE = 200
FIRST = '10.99.0.1'  # of two_hosts
TRAINJOB = dict(PET_NNODES='2', PET_NPROC_PER_NODE='auto', PET_MASTER_ADDR=FIRST,
                PET_MASTER_PORT='29400')
ASCEND = dict(MASTER_ADDR=FIRST, MASTER_PORT='2222', WORLD_SIZE='4', LOCAL_WORLD_SIZE='2',
              LOCAL_RANK='0,1')


@pytest.fixture(scope='module')
def config(small_config, tmp_path_factory):
    file = tmp_path_factory.mktemp('seeded') / 'seeded.py'
    file.write_text(f'_base_ = {str(small_config)!r}\nseed = 3\n')
    return file


@pytest.fixture
def start(repo_dir, config, tmp_path):
    """`start(nproc, options..., prefix=[], NAME=value)` starts tools/dist_train.sh."""
    environment = {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}
    running = []

    def run(nproc, *options, prefix=(), **variables):
        command = [*prefix, 'bash', repo_dir / 'tools/dist_train.sh', config, str(nproc),
                   '--device=cpu', '--no-validate', *options]
        running.append(subprocess.Popen(
            command, cwd=tmp_path, env={**environment, **variables}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True))
        return running[-1]
    yield run
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def finish(*processes):
    """What the scripts printed, and their exit codes."""
    deadline = time.monotonic() + DEADLINE
    outs = [process.communicate(timeout=max(1, deadline - time.monotonic()))[0]
            for process in processes]
    return outs, [process.returncode for process in processes]


def lines(work_dir):
    """The lines of training in all logs of a work dir."""
    found = [json.loads(line) for log in sorted(work_dir.glob('*.log.json'))
             for line in log.read_text().splitlines()]
    return [line for line in found if line.get('mode') == 'train']


def on_both(start, two_hosts, nproc, *options, prefix=(), node='PET_NODE_RANK', **variables):
    return [start(nproc, *options, prefix=['ip', 'netns', 'exec', host, *prefix],
                  **{node: str(rank)}, **variables) for rank, host in enumerate(two_hosts)]


def test_one_process_on_each_of_two_hosts(start, two_hosts, tmp_path):
    """As two on one host."""
    outs, codes = finish(start(2, f'--work-dir={tmp_path}/one'))
    assert codes == [0], outs[0]
    outs, codes = finish(*on_both(start, two_hosts, 1, f'--work-dir={tmp_path}/two', **TRAINJOB))
    assert codes == [0, 0], outs
    expected = [line['loss'] for line in lines(tmp_path / 'one')]
    assert len(expected) == 4
    assert [line['loss'] for line in lines(tmp_path / 'two')] == pytest.approx(expected, rel=1e-4)


def test_two_processes_on_each_of_two_hosts(start, two_hosts, tmp_path):
    outs, codes = finish(*on_both(start, two_hosts, 2, f'--work-dir={tmp_path}/four',
                                  '--cfg-options', 'data.samples_per_gpu=2', node='RANK', **ASCEND))
    assert codes == [0, 0], outs
    assert 'processes: 4' in outs[0]


def test_a_job_that_is_told_to_stop_and_starts_again(start, two_hosts, repo_dir, tmp_path):
    """One host is told; both leave with the code that makes an operator start them again."""
    work_dir = tmp_path / 'again'
    options = [f'--work-dir={work_dir}', '--auto-resume', '--cfg-options']
    prefix = ['bash', str(repo_dir / 'test/cluster/restartable.sh')]
    nodes = on_both(start, two_hosts, 1, *options, 'runner.max_iters=2000', prefix=prefix,
                    **TRAINJOB)
    deadline = time.monotonic() + DEADLINE
    while not (work_dir.is_dir() and lines(work_dir)):
        assert time.monotonic() < deadline
        assert nodes[0].poll() is None, nodes[0].communicate()
        time.sleep(0.1)
    nodes[1].send_signal(signal.SIGTERM)
    outs, codes = finish(*nodes)
    assert codes == [138, 138], outs
    saved = max(int(file.stem.removeprefix('iter_')) for file in work_dir.glob('iter_*.pth'))
    outs, codes = finish(*on_both(start, two_hosts, 1, *options, f'runner.max_iters={saved + 2}',
                                  prefix=prefix, **TRAINJOB))
    assert codes == [0, 0], outs
    assert 'auto-resume: the run goes on from' in outs[0]
    assert lines(work_dir)[-1]['iter'] == saved + 2
