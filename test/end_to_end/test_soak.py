"""A long run of tiny steps: nothing that it uses may grow with their number.

Alone it takes some minutes: pytest --run-slow -s test/end_to_end/test_soak.py
"""
import json
import os
import subprocess
import sys

import pytest

ITERS = 20_000
SETTLED = 4_000  # iterations after which nothing is made for the first time
GROWTH = 2 * 2**20  # bytes of resident memory between then and the end, of each process
SPREAD = 2  # file descriptors and threads that come and go with a checkpoint being written

PARTS = '''
"""A network of a few hundred weights, and a hook that writes down what the processes use."""
import gc
import json
import os
from pathlib import Path

from torch import nn

from mmcv_replace.runner import HOOKS, BaseModule, Hook
from mmseg.models import BACKBONES


@BACKBONES.register_module()
class Speck(BaseModule):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=4)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        return [self.bn(self.conv(x)).relu()]


def usage(pid):
    status = Path(f'/proc/{pid}/status').read_text()
    fields = dict(line.split(':', 1) for line in status.splitlines())
    return {'rss': int(fields['VmRSS'].split()[0]) * 1024, 'threads': int(fields['Threads']),
            'files': len(os.listdir(f'/proc/{pid}/fd')), 'parent': int(fields['PPid'])}


@HOOKS.register_module()
class UsageHook(Hook):
    default_priority = 'LOWEST'

    def __init__(self, interval, file):
        self.interval, self.file = interval, file

    def after_train_iter(self, runner):
        if not self.every_n_iters(runner, self.interval):
            return
        runner.saver.wait()
        gc.collect()
        me = os.getpid()
        found = {}
        for name in os.listdir('/proc'):
            if name.isdigit():
                try:
                    found[name] = usage(name)
                except (OSError, KeyError):
                    continue  # it has ended meanwhile
        # Of a worker is the one that this process has started.
        row = {'iter': runner.iter + 1, 'main': found[str(me)],
               'workers': {pid: use for pid, use in found.items() if use['parent'] == me},
               'shm': sum(f'_{me}_' in name or any(f'_{pid}_' in name for pid, use in found.items()
                                                   if use['parent'] == me)
                          for name in os.listdir('/dev/shm'))}
        with open(self.file, 'a') as file:
            file.write(json.dumps(row) + chr(10))
'''

CONFIG = '''
_base_ = {base!r}
custom_imports = dict(imports=['soak_parts'])
model = dict(
    pretrained=None,
    backbone=dict(_delete_=True, type='Speck'),
    decode_head=dict(_delete_=True, type='FCNHead', in_channels=4, in_index=0, channels=4,
                     num_convs=0, concat_input=False, num_classes=21,
                     norm_cfg=dict(type='BN')),
    auxiliary_head=None)
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
pack = [
    dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True),
    dict(type='DefaultFormatBundle'), dict(type='Collect', keys=['img', 'gt_semantic_seg'])]
data = dict(
    samples_per_gpu=2, workers_per_gpu={workers},
    train=dict(data_root={root!r}, split='ImageSets/Segmentation/train.txt',
               ann_dir='SegmentationClass', pipeline=[
        *load, dict(type='RandomCrop', crop_size=(16, 16)), dict(type='RandomFlip', prob=0.5),
        *pack]),
    val=dict(data_root={root!r}, pipeline=[
        dict(type='LoadImageFromFile'),
        # Large images would hide small leaks behind what the allocator keeps of them.
        dict(type='MultiScaleFlipAug', img_scale=(32, 32), flip=False, transforms=[
            dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'), pack[0],
            dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]))
runner = dict(max_iters={iters})
log_config = dict(interval=50)
checkpoint_config = dict(interval=500, max_keep_ckpts=2)
evaluation = dict(interval=1000)
custom_hooks = [dict(type='EMAHook'), dict(type='UsageHook', interval=500, file={usage!r})]
'''


@pytest.fixture(scope='module')
def small_devkit(tmp_path_factory, run_tool):
    folder = tmp_path_factory.mktemp('soak') / 'VOCdevkit'
    done = run_tool('make_synthetic_voc', folder, '--train', 40, '--val', 2, '--aug', 0, '--size',
                    32, '--seed', 0)
    assert done.returncode == 0, done.stderr
    return folder / 'VOC2012'


@pytest.fixture(scope='module')
def rows(tmp_path_factory, repo_dir, small_devkit):
    """What the run used, every 500 iterations."""
    folder = tmp_path_factory.mktemp('run')
    (folder / 'soak_parts.py').write_text(PARTS)
    config = folder / 'soak.py'
    config.write_text(CONFIG.format(
        base=str(repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'), workers=2,
        root=str(small_devkit), iters=ITERS, usage=str(folder / 'usage.jsonl')))
    done = subprocess.run(
        [sys.executable, str(repo_dir / 'tools/train.py'), str(config), '--device', 'cpu',
         '--seed', '1', '--work-dir', str(folder / 'work')], cwd=folder,
        env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f'Iter [{ITERS}/{ITERS}]' in done.stderr
    return [json.loads(line) for line in (folder / 'usage.jsonl').read_text().splitlines()]


def at(rows, number):
    return next(row for row in rows if row['iter'] == number)


@pytest.mark.slow
def test_memory_does_not_grow(rows):
    settled, last = at(rows, SETTLED), rows[-1]
    assert set(settled['workers']) == set(last['workers'])
    growth = {'main': last['main']['rss'] - settled['main']['rss']} | {
        f'worker {pid}': use['rss'] - settled['workers'][pid]['rss']
        for pid, use in last['workers'].items()}
    for row in rows[::4]:
        print(row['iter'], f"{row['main']['rss'] / 2**20:.1f} MiB",
              [f"{use['rss'] / 2**20:.1f}" for use in row['workers'].values()])
    print(f'growth from iteration {SETTLED} to {ITERS}:',
          {name: f'{value / 2**20:.2f} MiB' for name, value in growth.items()})
    assert len(growth) >= 3
    assert max(growth.values()) < GROWTH


@pytest.mark.slow
@pytest.mark.parametrize('what', ['files', 'threads'])
def test_descriptors_and_threads_do_not_grow(rows, what):
    settled, last = at(rows, SETTLED), rows[-1]
    print(what, [row['main'][what] for row in rows[::4]])
    assert abs(last['main'][what] - settled['main'][what]) <= SPREAD
    for pid, use in last['workers'].items():
        assert abs(use[what] - settled['workers'][pid][what]) <= SPREAD


@pytest.mark.slow
def test_shared_memory_does_not_grow(rows):
    counts = [row['shm'] for row in rows]
    print('/dev/shm', counts[::4])
    assert counts[-1] <= max(counts[:8]) + SPREAD
