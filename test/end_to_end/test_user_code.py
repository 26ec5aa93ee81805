"""Code written for mmcv and mmsegmentation 0.x: a plug-in package and programs, run as they are.

They lie in user_code/ and import nothing but mmcv, mmseg and what these build on.
"""
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

USER_CODE = Path(__file__).parent / 'user_code'
NAMES = dict(train=range(1, 5), val=range(5, 8))


@pytest.fixture
def desk(tmp_path, monkeypatch, repo_dir):
    """The user's folder: code, config and a few images; programs that are run there find both."""
    shutil.copytree(USER_CODE, tmp_path, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns('__pycache__'))
    rng = np.random.default_rng(0)
    for folder in ('images', 'labels'):
        (tmp_path / 'data' / folder).mkdir(parents=True)
    for split, names in NAMES.items():
        (tmp_path / 'data' / f'{split}.txt').write_text('\n'.join(map(str, names)))
        for name in names:
            label = np.zeros((48, 64), np.uint8)
            label[:, 20:40], label[30:, 40:] = 1, 2
            image = rng.integers(0, 60, (48, 64, 3)) + np.stack([label * 90, 180 - label * 60,
                                                                 label * 40], axis=2)
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / f'data/images/{name}.png')
            Image.fromarray(label).save(tmp_path / f'data/labels/{name}_gt.png')
    monkeypatch.setenv('PYTHONPATH', f'{repo_dir}:{tmp_path}')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    return tmp_path


@pytest.fixture
def run(desk):
    """Run Python in the user's folder, and return what it prints and logs."""
    def start(*argv):
        done = subprocess.run([sys.executable, *map(str, argv)], cwd=desk, capture_output=True,
                              text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
    return start


def weights_of(file):
    return torch.load(file, weights_only=False)['state_dict']


def rates(base):
    """What StairsLrUpdaterHook of the config gives, after one iteration of warm-up."""
    return pytest.approx([0.1 * base, base, (base + 0.001) / 2, (base + 0.001) / 2])


def check_run(work_dir):
    """What a run of the config leaves behind; returns its lines of scores."""
    rows = json.loads((work_dir / 'losses.json').read_text())
    assert [row['iter'] for row in rows] == [1, 2, 3, 4]
    assert [row['lr'] for row in rows] == rates(0.05)
    assert all(0 < row['seg'] < row['loss'] < 20 for row in rows)
    checkpoint = torch.load(work_dir / 'iter_4.pth', weights_only=False)
    assert list(checkpoint['meta']['CLASSES']) == ['ground', 'road', 'water']
    groups = checkpoint['optimizer']['param_groups']
    assert {group['weight_decay'] for group in groups} == {0, 0.0005}
    assert any(group['lr'] == pytest.approx((0.5 + 0.001) / 2) for group in groups)  # of the head
    lines = [json.loads(line) for file in work_dir.glob('*.log.json')
             for line in file.read_text().splitlines()]
    keys = {'decode.loss_seg', 'decode.loss_gate', 'decode.acc_seg', 'aux.loss_seg', 'loss'}
    assert all(keys <= line.keys() for line in lines if line.get('mode') == 'train')
    return [line for line in lines if {'mIoU', 'aAcc', 'roads'} <= line.keys()]


def test_a_plug_in_trains_and_is_tested_by_the_commands(run, desk, repo_dir):
    run(repo_dir / 'tools/train.py', 'config.py', '--work-dir', 'runs/tool', '--device', 'cpu',
        '--seed', 0)
    trained, = check_run(desk / 'runs/tool')
    said = run(repo_dir / 'tools/test.py', 'config.py', 'runs/tool/iter_4.pth', '--device', 'cpu',
               '--eval', 'mIoU', 'roads')
    scores = {name: float(value)
              for name, value in re.findall(r'road score (\w+): ([\d.]+)', said)}
    assert scores == {name: pytest.approx(trained[name], abs=1e-4) for name in scores}
    assert scores.keys() == {'mIoU', 'aAcc', 'roads'}


def test_a_program_of_the_user_trains(run, desk):
    run('-m', 'mmcv_replace', 'train_roads.py', 'config.py', '--work-dir', 'runs/own',
        '--seed', 0, '--options', 'workflow=[("train", 1), ("val", 1)]')
    assert len(check_run(desk / 'runs/own')) == 1
    assert 'SketchResNet' in (desk / 'runs/own/config.py').read_text()
    # A program that never calls init_weights() trains a model with the usual first weights.
    first = weights_of(desk / 'runs/own/iter_4.pth')['decode_head.conv_seg.weight']
    assert first.std() < 0.2


def test_a_program_of_the_user_trains_in_a_process_group(run, desk, monkeypatch):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        free_port = probe.getsockname()[1]
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=free_port).items():
        monkeypatch.setenv(name, str(value))
    run('-m', 'mmcv_replace', 'train_roads.py', 'config.py', '--work-dir', 'runs/group',
        '--launcher', 'pytorch', '--no-validate')
    check_run(desk / 'runs/group')


def test_cells_of_a_notebook(run, desk, repo_dir):
    run(repo_dir / 'tools/train.py', 'config.py', '--work-dir', 'runs/tool', '--device', 'cpu',
        '--no-validate', '--cfg-options', 'checkpoint_config.interval=2')
    (desk / 'out').mkdir()
    said = run('look_at_roads.py', 'config.py', 'runs/tool/iter_2.pth', 'out')
    scores = json.loads((desk / 'out/scores.json').read_text())
    assert scores.keys() == {'mIoU', 'aAcc', 'roads'}
    assert np.asarray(json.loads((desk / 'out/outputs.json').read_text())).shape == (3, 48, 64)
    assert 'decode.loss_gate' in said


@pytest.mark.parametrize(('program', 'backbone'), [('tool', 'PlainNet'), ('own', 'SketchResNet')])
def test_the_backbone_starts_from_a_file(run, desk, repo_dir, program, backbone):
    """`pretrained` reaches the `init_weights` of the user's class, which then draws nothing."""
    options = {'PlainNet': "backbone=dict(_delete_=True, type='PlainNet', norm_eval=True), "
                           'decode_head=dict(in_channels=[8, 16], in_index=[0, 1]), '
                           'auxiliary_head=dict(in_channels=16, in_index=1)',
               'SketchResNet': "backbone=dict(type='SketchResNet', norm_eval=True)"}
    (desk / 'config_file.py').write_text(
        f"_base_ = './config.py'\nmodel = dict(pretrained='net.pth', {options[backbone]})\n"
        "optimizer = dict(_delete_=True, type='SGD', lr=0.)\n"
        "lr_config = dict(_delete_=True, policy='fixed')\n"
        'runner = dict(max_iters=1)\ncheckpoint_config = dict(interval=1)\n')
    run('-c', '''
import mmseg, torch, mmcv
cfg = mmcv.Config.fromfile('config_file.py')
from mmcv.utils import import_modules_from_strings
import_modules_from_strings(**cfg.custom_imports)
from mmseg.models import build_backbone
net = build_backbone(cfg.model.backbone)
for value in net.parameters():
    torch.nn.init.uniform_(value, 0.1, 0.2)
torch.save(dict(state_dict=net.state_dict()), 'net.pth')
''')
    if program == 'tool':
        run(repo_dir / 'tools/train.py', 'config_file.py', '--work-dir', 'runs/p', '--device',
            'cpu', '--no-validate')
    else:
        run('-m', 'mmcv_replace', 'train_roads.py', 'config_file.py', '--work-dir', 'runs/p',
            '--no-validate')
    trained = weights_of(desk / 'runs/p/iter_1.pth')
    for key, value in weights_of(desk / 'net.pth').items():
        if 'num_batches' not in key:
            torch.testing.assert_close(trained[f'backbone.{key}'], value, msg=key)


def test_a_transformer_trains_and_starts_from_its_own_weights(run, desk, repo_dir):
    """Backbones and attentions of the later 0.x versions, in full and in mixed precision."""
    (desk / 'of_blocks.py').write_text(
        "_base_ = './config.py'\n"
        "model = dict(backbone=dict(_delete_=True, type='RoadTransformer'), "
        'decode_head=dict(in_channels=[8, 16], in_index=[0, 1]), '
        'auxiliary_head=dict(in_channels=16, in_index=1))\n')

    def train(name, *options):
        run(repo_dir / 'tools/train.py', 'of_blocks.py', '--work-dir', f'runs/{name}', '--device',
            'cpu', '--seed', 0, '--cfg-options', *options)
        check_run(desk / f'runs/{name}')
        weights = weights_of(desk / f'runs/{name}/iter_4.pth')
        return {key.removeprefix('backbone.'): value for key, value in weights.items()
                if key.startswith('backbone.')}

    first = train('first', 'optimizer_config.type=Fp16OptimizerHook',
                  'optimizer_config.loss_scale=dynamic')
    assert 0.01 < first['stages.1.0.ffn.layers.1.weight'].std() < 0.05
    torch.save({key: torch.full_like(value, 0.25) for key, value in first.items()},
               desk / 'net.pth')
    second = train('second', 'model.pretrained=net.pth')
    assert all(value.mean() == pytest.approx(0.25, abs=0.05) for value in second.values())


def test_weights_that_the_program_has_loaded_stay(run, desk):
    """In 0.x the constructor draws the weights; a program may load others before training."""
    run('-c', '''
import mmseg, torch, mmcv, sys
from mmcv.runner import load_checkpoint
from mmcv.utils import import_modules_from_strings
from mmseg.apis import train_segmentor
from mmseg.datasets import build_dataset
from mmseg.models import build_segmentor
cfg = mmcv.Config.fromfile('config.py')
import_modules_from_strings(**cfg.custom_imports)
cfg.optimizer = dict(type='SGD', lr=0.)
cfg.lr_config = dict(policy='fixed')
cfg.work_dir = 'runs/loaded'
cfg.seed = None
cfg.custom_hooks = []
old = build_segmentor(cfg.model, cfg.train_cfg, cfg.test_cfg)
state = {key: torch.full_like(value, 0.25) for key, value in old.state_dict().items()
         if 'conv_seg' not in key}
torch.save(dict(state_dict=state), 'part.pth')
model = build_segmentor(cfg.model, cfg.train_cfg, cfg.test_cfg)
load_checkpoint(model, 'part.pth', map_location='cpu', strict=False)
model.CLASSES = old.CLASSES
train_segmentor(model, [build_dataset(cfg.data.train)], cfg, distributed=False, validate=False)
''')
    trained = weights_of(desk / 'runs/loaded/iter_4.pth')
    for key, value in weights_of(desk / 'part.pth').items():
        if 'running' not in key and 'num_batches' not in key:
            torch.testing.assert_close(trained[key], value, msg=key)
    assert 0 < trained['decode_head.conv_seg.weight'].std() < 0.02
