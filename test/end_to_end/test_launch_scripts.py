"""The launch scripts as a user starts them: files, keys, lines, several machines, failures."""
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

KEYS = ['Network', 'RankSize', 'BatchSize', 'DeviceType', 'CaseName', 'ActualFPS', 'TrainingTime',
        'mIoU', 'ActualLoss', 'E2ETrainingTime']
SETTINGS = ['--device=cpu', '--max_iters=4', '--batch_size=2']


@pytest.fixture(scope='module')
def config(small_config, tmp_path_factory):
    """The small config with a seed, so that two trainings can be compared."""
    file = tmp_path_factory.mktemp('seeded') / 'seeded.py'
    file.write_text(f'_base_ = {str(small_config)!r}\nseed = 3\n')
    return file


@pytest.fixture(scope='module')
def start(repo_dir, devkit, config):
    """`start(name, options..., prefix=[])` starts test/NAME.sh in the folder of the devkit."""
    environment = {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}

    def run(name, *options, prefix=(), **variables):
        command = [*prefix, 'bash', repo_dir / f'test/{name}.sh', '--data_path=VOCdevkit/VOC2012',
                   f'--config={config}', *options]
        return subprocess.Popen(command, cwd=devkit.parent, env={**environment, **variables},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True)
    return run


def finish(*processes):
    """(exit code, stdout, stderr) of each script; one that hangs is ended, with its children."""
    deadline = time.monotonic() + 120
    ends = []
    for process in processes:
        try:
            out, err = process.communicate(timeout=max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        ends.append((process.returncode, out, err))
    return ends


def read_result(file):
    lines = file.read_text().splitlines()
    assert [line.split(' = ')[0] for line in lines] == KEYS
    return dict(line.split(' = ') for line in lines)


def training_lines(folder):
    log, = (folder / 'ckpt').glob('*.log.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line.get('mode') == 'train'], lines[-1]


@pytest.fixture(scope='module')
def full(start, tmp_path_factory):
    """train_full_8p.sh with two processes; its output folder and what it printed."""
    output = tmp_path_factory.mktemp('full') / 'my output'
    (code, out, err), = finish(start('train_full_8p', *SETTINGS, '--nproc=2', f'--output={output}'))
    assert code == 0, err
    return output / '0/PSPNet', out


def test_a_full_training(full):
    folder, out = full
    names = {file.name for file in folder.iterdir()}
    assert names == {'train_0.log', 'ckpt', 'PSPNet_bs2_2p_acc.log'}
    assert {'iter_4.pth', 'latest.pth'} <= {file.name for file in (folder / 'ckpt').iterdir()}
    assert 'processes: 2' in (folder / 'train_0.log').read_text()

    result = read_result(folder / 'PSPNet_bs2_2p_acc.log')
    (line,), scores = training_lines(folder)
    assert float(result['ActualFPS']) == pytest.approx(line['fps'], abs=0.01)
    assert float(result['TrainingTime']) == pytest.approx(4000 / line['fps'], abs=0.01)
    assert float(result['ActualLoss']) == pytest.approx(line['loss'], abs=1e-4)
    assert float(result['mIoU']) == pytest.approx(scores['mIoU'], abs=1e-4)
    assert (result['Network'], result['RankSize'], result['BatchSize']) == ('PSPNet', '2', '2')
    assert result['DeviceType'] == platform.machine()
    assert result['CaseName'] == 'PSPNet_bs2_2p_acc'
    assert out.splitlines()[-3:] == [
        f'Final Performance images/sec : {result["ActualFPS"]}', f'Final mIoU : {result["mIoU"]}',
        f'E2E Training Duration sec : {result["E2ETrainingTime"]}']


def test_the_evaluation_of_its_checkpoint(full, start):
    folder, _ = full
    (code, out, err), = finish(start('train_val_8p', '--device', 'cpu', '--nproc', '2', '--output',
                                  folder.parents[1]))
    assert code == 0, err
    trained = read_result(folder / 'PSPNet_bs2_2p_acc.log')
    result = read_result(folder / 'PSPNet_bs1_2p_val.log')
    assert result['mIoU'] == trained['mIoU']
    assert (result['ActualFPS'], result['ActualLoss']) == ('NA', 'NA')
    assert f'Final mIoU : {result["mIoU"]}' in out.splitlines()
    assert '| background ' in (folder / 'val_0.log').read_text()


def check_two_nodes(full, output, processes):
    """Two nodes of one process each have trained as one node of two processes does."""
    ends = finish(*processes)
    assert [code for code, _, _ in ends] == [0, 0], [err for _, _, err in ends]
    folder = output / '0/PSPNet_prof'
    for case in ('perf', 'acc'):
        result = read_result(folder / f'PSPNet_bs2_2p_{case}.log')
        assert (result['RankSize'], result['mIoU']) == ('2', 'NA')
        assert result['CaseName'] == f'PSPNet_bs2_2p_{case}'
    (line,), _ = training_lines(folder)
    (expected,), _ = training_lines(full[0])
    assert line['loss'] == pytest.approx(expected['loss'], rel=1e-5)
    assert 'Final Performance images/sec : ' in ends[0][1]
    assert '--node_rank=0' in ends[1][1]
    assert (folder / 'train_0_node1.log').is_file()


def test_two_nodes_on_one_machine(full, start, tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    check_two_nodes(full, tmp_path, [
        start('train_performance_multinodes', *SETTINGS, '--nproc=1', f'--output={tmp_path}',
              '--nnodes=2', f'--node_rank={rank}', '--addr=127.0.0.1', '--local_addr=127.0.0.1',
              f'--master_port={port}')
        for rank in range(2)])


def test_two_hosts(full, start, two_hosts, tmp_path):
    check_two_nodes(full, tmp_path, [
        start('train_performance_multinodes', *SETTINGS, '--nproc=1', f'--output={tmp_path}',
              '--nnodes=2', f'--node_rank={rank}', '--master_addr=10.99.0.1',
              f'--local_addr=10.99.0.{rank + 1}', prefix=['ip', 'netns', 'exec', host])
        for rank, host in enumerate(two_hosts)])


def test_a_failing_training(start, tmp_path):
    (code, out, err), = finish(start('train_full_1p', *SETTINGS, '--learning_rate=1e30',
                                  '--device_id=5', f'--output={tmp_path}'))
    assert code == 2
    assert 'Final' not in out
    log = tmp_path / '5/PSPNet/train_5.log'
    assert f'--- the last lines of {log}' in err
    assert 'error: ' in err
    assert log.read_text().splitlines()[-1] in err
    assert not list(log.parent.glob('PSPNet_*.log'))


def test_fewer_devices_than_asked(start, tmp_path):
    """torch is made to believe in one accelerator."""
    (tmp_path / 'sitecustomize.py').write_text(
        'import torch\n'
        'torch.cuda.is_available = lambda: True\n'
        'torch.cuda.device_count = lambda: 1\n')
    (code, out, err), = finish(start('train_full_8p', '--device=gpu', f'--output={tmp_path}/out',
                                  PYTHONPATH=str(tmp_path)))
    assert code == 2
    assert '8 processes need a device each, but there are only 1' in err
    assert '--nproc=1' in err
    assert not (tmp_path / 'out').exists()


def test_data_that_are_not_converted(start, devkit, tmp_path):
    shutil.copytree(devkit / 'VOC2012', tmp_path / 'VOC2012')
    (tmp_path / 'VOC2012/ImageSets/Segmentation/aug.txt').unlink()
    (code, _, err), = finish(start('train_full_8p', *SETTINGS, f'--data_path={tmp_path}/VOC2012',
                                f'--output={tmp_path}/out'))
    assert code == 2
    assert 'aug.txt does not exist' in err
    assert f'voc_aug.py {tmp_path} {tmp_path}/VOCaug' in err
    assert not (tmp_path / 'out').exists()
