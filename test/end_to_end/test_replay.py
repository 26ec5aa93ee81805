"""Numbers that are not finite, from the training that meets them to the replay of its batch."""
import json
import os
import re
import subprocess
import sys

import pytest
import torch

from mmcv_replace.utils.errors import CheckpointError, ConfigError

# The loss of a batch with pixels of this class is beyond float32.
BAD = 3
SPOIL = f'''
model = dict(decode_head=dict(loss_decode=dict(
    class_weight=[1.0] * {BAD} + [3e38] + [1.0] * {20 - BAD})))
runner = dict(max_iters=10)
checkpoint_config = dict(interval=1)
'''


@pytest.fixture(scope='module')
def make_config(small_config, tmp_path_factory):
    def make(text):
        file = tmp_path_factory.mktemp('replay') / 'spoiled.py'
        file.write_text(f'_base_ = {str(small_config)!r}\n{text}\n')
        return file
    return make


@pytest.fixture(scope='module')
def run_train(run_tool, tmp_path_factory):
    """Train as a user does; returns the work dir and the process."""
    def run(config, *argv):
        work_dir = tmp_path_factory.mktemp('run')
        return work_dir, run_tool('train', config, '--device', 'cpu', '--seed', 3, '--work-dir',
                                  work_dir, '--no-validate', *argv)
    return run


@pytest.fixture(scope='module')
def exploded(run_train, make_config):
    """A run whose weights became huge in its first step."""
    return run_train(make_config('optimizer = dict(lr=1e25)'))


@pytest.fixture(scope='module')
def skipping(run_train, make_config):
    """A run that leaves out the steps of bad batches."""
    return run_train(make_config(f"{SPOIL}nonfinite = dict(action='skip', save=99)"))


def saved_in(work_dir):
    return sorted(work_dir.glob('nonfinite_iter_*'))


def test_the_error_names_iteration_losses_files_and_remedy(exploded):
    work_dir, done = exploded
    file, = saved_in(work_dir)
    assert done.returncode == 2
    assert re.search(r'error: iteration 2: the loss is not finite \(decode\.loss_seg: (nan|inf)',
                     done.stderr)
    named = re.search(r'its files: (.*?); replay it', done.stderr)[1].split(', ')
    assert len(named) == 4
    assert all(os.path.isfile(name) for name in named)
    assert f'replay it: python tools/replay_batch.py {file}' in done.stderr
    assert 'Traceback' not in done.stderr


def test_replay_finds_the_module_where_it_begins(exploded, run_tool):
    file, = saved_in(exploded[0])
    done = run_tool('replay_batch', file, '--device', 'cpu')
    assert done.returncode == 1, done.stderr
    text = done.stdout
    assert 'iteration 2, rank 0: the loss is not finite' in text
    assert 'weights: those that met it' in text
    # Weights of 1e24 are finite; what the second convolution makes of their products is not.
    assert re.search(r'first output that is not finite: backbone\.stem\.\d \(Conv2d\), from finite '
                     'inputs', text)
    assert re.search(r'gradients that are not finite: (\d+) of (\d+)', text)
    row = next(line for line in text.splitlines() if 'decode.acc_seg' in line)
    assert len(set(row.split('|')[2:4])) == 1 or row.split('|')[2].strip() == row.split(
        '|')[3].strip()
    for name in torch.load(file, weights_only=True)['facts']['files']:
        row = next(line for line in text.splitlines() if name in line)
        assert re.search(r'\| 0 +\| \d+: \d+\.\d %', row)


def test_the_saved_batch_is_the_one_and_the_weights_are_those_before_it(skipping):
    work_dir, done = skipping
    assert done.returncode == 0, done.stderr
    for file in saved_in(work_dir):
        saved = torch.load(file, weights_only=True)
        number = saved['facts']['iteration']
        assert BAD in saved['batch']['gt_semantic_seg']
        if number > 1:
            before = torch.load(work_dir / f'iter_{number - 1}.pth', weights_only=True)
            for key, value in before['state_dict'].items():
                assert torch.equal(saved['state_dict'][key], value), key


def test_skip_leaves_out_exactly_the_bad_steps(skipping):
    work_dir, done = skipping
    reported = {int(n) for n in re.findall(r'ERROR - iteration (\d+): the loss', done.stderr)}
    assert {int(file.stem.split('_')[2]) for file in saved_in(work_dir)} == reported
    assert 0 < len(reported) < 10
    states = [torch.load(work_dir / f'iter_{i}.pth', weights_only=True)['state_dict']
              for i in range(1, 11)]
    still = {i + 2 for i in range(9) if all(
        torch.equal(states[i][key], value) for key, value in states[i + 1].items())}
    assert still == reported - {1}
    assert f'{len(reported)} optimizer steps skipped so far' in done.stderr


def test_replay_of_a_skipped_batch_gives_its_very_losses(skipping, run_tool):
    """Dropout draws the same numbers again."""
    file = saved_in(skipping[0])[0]
    saved = torch.load(file, weights_only=True)
    done = run_tool('replay_batch', file, '--device', 'cpu')
    assert done.returncode == 1, done.stderr
    for name in ('aux.loss_seg', 'aux.acc_seg', 'decode.acc_seg'):
        row = next(line for line in done.stdout.splitlines() if name in line)
        recorded, replayed = (float(cell) for cell in row.split('|')[2:4])
        assert recorded == replayed
        assert recorded == pytest.approx(saved['facts']['losses'][name], rel=1e-5)


def test_replay_with_a_sound_config_and_other_weights(skipping, run_tool, small_config):
    work_dir, _ = skipping
    done = run_tool('replay_batch', saved_in(work_dir)[0], '--device', 'cpu', '--config',
                    small_config, '--checkpoint', work_dir / 'iter_10.pth')
    assert done.returncode == 0, done.stderr
    assert 'float32: all is finite' in done.stdout
    assert f'weights: of {work_dir / "iter_10.pth"}' in done.stdout


def test_low_precision_is_compared_with_float32(tool, make_config, tmp_path, capsys):
    """Pixels of 1e8 are beyond float16; batch norm makes them ordinary in float32."""
    config = make_config('''
data = dict(train=dict(pipeline=[
    dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=(64, 64)), dict(type='RandomFlip', prob=0.5),
    dict(type='Normalize', mean=[0.0] * 3, std=[1e-6] * 3, to_rgb=True),
    dict(type='Pad', size=(64, 64), pad_val=0, seg_pad_val=255),
    dict(type='DefaultFormatBundle'), dict(type='Collect', keys=['img', 'gt_semantic_seg'])]))
fp16 = dict(dtype='float16')
runner = dict(max_iters=1)
''')
    tool('train')([str(config), '--device', 'cpu', '--work-dir', str(tmp_path), '--no-validate'])
    file, = saved_in(tmp_path)
    assert tool('replay_batch')([str(file), '--device', 'cpu']) == 1
    text = capsys.readouterr().out
    assert re.search(r'float16 \(O1\): NOT finite\n  first output that is not finite: '
                     r'backbone\.stem\.0 \(Conv2d\)', text)
    assert 'float32: all is finite' in text
    assert re.search(r'\| loss +\| in the run +\| float16 \(O1\) +\| float32 +\|', text)


def launch_two(repo_dir, config, work_dir):
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
               '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
               str(repo_dir / 'tools/train.py'), str(config), '--launcher', 'pytorch', '--device',
               'cpu', '--seed', '3', '--work-dir', str(work_dir), '--no-validate',
               '--cfg-options', 'data.samples_per_gpu=2']
    return subprocess.run(command, env={**os.environ, 'OMP_NUM_THREADS': '1'},
                          capture_output=True, text=True, timeout=200)


def test_two_processes_leave_out_the_same_steps(repo_dir, make_config, tmp_path):
    config = make_config(f"{SPOIL}nonfinite = dict(action='skip', save=99)\n"
                         'log_config = dict(interval=1)')
    done = launch_two(repo_dir, config, tmp_path)
    assert done.returncode == 0, done.stderr
    reports = re.findall(r'ERROR - rank (\d), iteration (\d+): the (loss|gradients)', done.stderr)
    iterations = {number for _, number, _ in reports}
    # Both processes tell of each; the loss is bad where the class is in the batch.
    assert len(reports) == 2 * len(iterations) > 0
    for rank, number, problem in reports:
        saved = torch.load(tmp_path / f'nonfinite_iter_{number}_rank_{rank}.pth',
                           weights_only=True)
        assert (BAD in saved['batch']['gt_semantic_seg']) == (problem == 'loss')
    assert ('0', 'gradients') in {(rank, problem) for rank, _, problem in reports} or (
        '1', 'gradients') in {(rank, problem) for rank, _, problem in reports}
    last = torch.load(tmp_path / 'iter_10.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in last.values())
    log = max(tmp_path.glob('*.log.json'))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line['iter'] for line in lines if line.get('mode') == 'train'] == list(range(1, 11))


def test_two_processes_stop_together(repo_dir, make_config, tmp_path):
    done = launch_two(repo_dir, make_config(SPOIL), tmp_path)
    assert done.returncode != 0
    errors = re.findall(r'rank (\d): error: rank \1, iteration (\d+): the (loss|gradients)',
                        done.stderr)
    assert {rank for rank, _, _ in errors} == {'0', '1'}
    assert len({number for _, number, _ in errors}) == 1
    assert 'loss' in {problem for _, _, problem in errors}
    assert 'tools/train.py", line' not in done.stderr  # torchrun's own traceback alone


def change(content, **items):
    return {**content, **items}


@pytest.mark.parametrize(('edit', 'error', 'message'), [
    (lambda c: change(c, state_dict=None), CheckpointError, 'no weights.*--checkpoint FILE'),
    (lambda c: change(c, config=None), ConfigError, 'has no config; name .*--config CONFIG'),
    (lambda c: change(c, config="import os"), ConfigError, 'line 1: .*is not executed'),
    (lambda c: change(c, config=f"{c['config']}\ncustom_imports = dict(imports=['antigravity'])"),
     ConfigError, 'has custom_imports, code that a file of data may not ask for'),
    (lambda c: change(c, config='a = 1'), ConfigError, 'has no model'),
    (lambda c: change(c, kind='x'), CheckpointError, 'holds no training batch to replay'),
    (lambda c: change(c, batch={}), CheckpointError, "its batch has no 'img'"),
    (lambda c: change(c, batch=3), CheckpointError, "its batch has no 'img'"),
    (lambda c: change(c, facts={**c['facts'], 'losses': 1}), CheckpointError,
     "its facts has no 'losses' of the kind dict"),
    (lambda c: {'kind': c['kind']}, CheckpointError, 'holds no training batch to replay'),
])
def test_files_that_cannot_be_replayed(exploded, tool, tmp_path, edit, error, message):
    file, = saved_in(exploded[0])
    torch.save(edit(torch.load(file, weights_only=True)), tmp_path / 'edited.pth')
    with pytest.raises(error, match=message):
        tool('replay_batch')([str(tmp_path / 'edited.pth'), '--device', 'cpu'])


def test_a_file_that_is_not_there(run_tool, tmp_path):
    done = run_tool('replay_batch', tmp_path / 'none.pth')
    assert done.returncode == 2
    assert re.search(r'error: the checkpoint .*none\.pth does not exist', done.stderr)
