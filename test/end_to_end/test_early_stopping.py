"""Trainings with a validation loss that stop early: in one process, in two, and after a kill."""
import json
import os
import re
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from mmseg.apis import init_segmentor
from mmseg.core.evaluation import read_evaluations
from mmseg.report.log_file import read_log

# The loss never gets better by so much: the first of the evaluations at 1, 2, 3 is the best.
OPTIONS = ['runner.max_iters=9', 'checkpoint_config.interval=2', 'evaluation.interval=1',
           'evaluation.val_loss=True', "evaluation.save_best=['val/loss','mIoU']",
           "evaluation.groups=dict(vehicles=['car','bus'])"]
STOP = "custom_hooks=[dict(type='EarlyStoppingHook',metric='val/loss',patience=2,min_delta=9.0)]"
KILL = '''
import os, signal
from mmcv_replace.runner import HOOKS, Hook

@HOOKS.register_module()
class KillHook(Hook):
    """A kill after the evaluation was told of, and before it is finished."""

    def after_evaluation(self, runner, evaluation):
        if evaluation.done == 2:
            os.kill(os.getpid(), signal.SIGKILL)
'''


def argv(config, work_dir, *options):
    return [str(config), '--device', 'cpu', '--seed', '3', '--work-dir', str(work_dir),
            '--cfg-options', *OPTIONS, *options]


@pytest.fixture(scope='module')
def whole(tool, small_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('early') / 'whole'
    tool('train')(argv(small_config, work_dir, STOP))
    return work_dir


def records(work_dir):
    lines = (json.loads(line) for path in sorted(work_dir.glob('*.log.json'))
             for line in path.open())
    return [line for line in lines if 'mode' in line]


def state(work_dir):
    return torch.load(work_dir / 'latest.pth', weights_only=False)


def plain_loss(config, checkpoint, devkit):
    """The mean over the images of torch's cross entropy."""
    model = init_segmentor(str(config), str(checkpoint), device='cpu').eval()
    mean, std = (np.array(each, np.float32) for each in ([123.675, 116.28, 103.53],
                                                         [58.395, 57.12, 57.375]))
    root, losses = devkit / 'VOC2012', []
    for name in (root / 'ImageSets/Segmentation/val.txt').read_text().split():
        img = cv2.imread(str(root / 'JPEGImages' / f'{name}.jpg'))
        label = np.array(Image.open(root / 'SegmentationClass' / f'{name}.png')).astype(np.int64)
        scale = min(2048 / max(label.shape), 512 / min(label.shape))
        size = [int(edge * scale + 0.5) for edge in label.shape]
        img = (cv2.resize(img, size[::-1])[..., ::-1].astype(np.float32) - mean) / std
        with torch.no_grad():
            img = torch.from_numpy(img.transpose(2, 0, 1).copy())[None]
            logits = model.decode_head(model.backbone(img))
            for shape in (size, label.shape):
                logits = F.interpolate(logits, tuple(shape), mode='bilinear')
            losses.append(F.cross_entropy(logits, torch.from_numpy(label)[None], ignore_index=255,
                                          reduction='none').mean().item())
    return sum(losses) / len(losses)


def test_the_loss_is_that_of_all_pixels(whole, small_config, devkit):
    expected = plain_loss(small_config, whole / 'latest.pth', devkit)
    (last,) = (record for record in read_evaluations(whole) if record.done == 3)
    assert last.scores['val/loss_seg'] == pytest.approx(expected, rel=1e-5)
    logged = [record for record in records(whole) if record['mode'] == 'val']
    assert logged[-1]['val/loss'] == pytest.approx(expected, rel=1e-5)
    assert not any('val/loss' in record for record in records(whole) if record['mode'] == 'train')
    assert {'mIoU.vehicles', 'IoU.vehicles', 'aAcc.vehicles'} <= last.scores.keys()


def test_it_stops_and_auto_resume_knows(whole, tool, small_config, caplog):
    assert [record.done for record in read_evaluations(whole)] == [1, 2, 3]
    assert (whole / 'latest.pth').resolve().name == 'iter_3.pth'
    (log,) = whole.glob('*.log.json')
    reason = json.loads(log.read_text().splitlines()[-1])['stopped']
    assert reason.startswith('val/loss has not got better than')
    before = (whole / 'iter_3.pth').read_bytes()
    with caplog.at_level('WARNING'):
        tool('train')([*argv(small_config, whole, STOP), '--auto-resume'])
    assert 'the run is finished: it was stopped early, as val/loss has not got' in caplog.text
    assert read_log(max(whole.glob('*.log.json'))).meta['stopped'] == reason
    assert (whole / 'iter_3.pth').read_bytes() == before
    assert sorted(path.name for path in whole.glob('iter*.pth')) == ['iter_2.pth', 'iter_3.pth']


def test_a_killed_run_stops_where_the_other_did(whole, tool, repo_dir, small_config, tmp_path):
    (tmp_path / 'kill_in_evaluation.py').write_text(KILL)
    work_dir = tmp_path / 'killed'
    done = subprocess.run(
        [sys.executable, str(repo_dir / 'tools/train.py'), *argv(
            small_config, work_dir, STOP[:-1] + ",dict(type='KillHook')]",
            "custom_imports=dict(imports=['kill_in_evaluation'])")],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(tmp_path)},
        capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    tool('train')([*argv(small_config, work_dir, STOP), '--auto-resume'])
    ours, theirs = state(work_dir), state(whole)
    assert ours['meta']['iter'] == theirs['meta']['iter'] == 3
    for name, value in theirs['state_dict'].items():
        assert torch.equal(ours['state_dict'][name], value)
    assert ours['meta']['hook_msgs']['early_stopping'] == theirs['meta']['hook_msgs'][
        'early_stopping']
    for one, other in zip(read_evaluations(work_dir), read_evaluations(whole), strict=True):
        np.testing.assert_array_equal(one.confusion, other.confusion)
        np.testing.assert_equal(one.scores, other.scores)


@pytest.mark.slow
def test_two_processes_stop_together(whole, small_config, tmp_path, repo_dir):
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
               '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
               str(repo_dir / 'tools/train.py'),
               *argv(small_config, tmp_path, STOP, 'data.samples_per_gpu=2'),
               '--launcher', 'pytorch']
    done = subprocess.run(command, env={**os.environ, 'OMP_NUM_THREADS': '1'}, text=True,
                          capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert 'the training stops after iteration 3: val/loss has not got better' in done.stderr
    assert state(tmp_path)['meta']['iter'] == 3
    found, alone = read_evaluations(tmp_path)[0], read_evaluations(whole)[0]
    assert found.confusion.sum() == alone.confusion.sum()
    # SyncBN over both halves is BN over the batch, but for dropout, which each draws by itself.
    assert found.scores['val/loss'] == pytest.approx(alone.scores['val/loss'], rel=0.05)


def test_groups_and_the_loss_in_a_test(whole, tool, small_config):
    def score(groups):
        tool('test')([str(small_config), str(whole / 'latest.pth'), '--device', 'cpu', '--eval',
                      'mIoU', '--work-dir', str(whole / 'test'), '--eval-options',
                      f'groups={groups}', 'val_loss=True'])

    score("dict(all=['background','car','bus'])")
    result = json.loads(next((whole / 'test').glob('eval_*.json')).read_text())
    last = read_evaluations(whole)[-1]
    assert result['mIoU'] == pytest.approx(last.scores['mIoU'], abs=1e-3)
    assert result['val/loss'] == pytest.approx(last.scores['val/loss'], rel=1e-4)
    assert {'mIoU.all', 'IoU.all', 'aAcc.all'} <= result.keys()
    with pytest.raises(Exception, match=re.escape("groups.all: 'cars' is no class of the dataset; "
                                                  "did you mean 'car'")):
        score("dict(all=['cars'])")
