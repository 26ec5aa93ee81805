"""Two folders of images and masks, no config written: from the command line to scores and pictures.
"""
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError

COLOURS = np.array([(0, 0, 0), (128, 64, 128), (70, 130, 180)], np.uint8)


@pytest.fixture
def street(tmp_path):
    """Ten street scenes of three classes, masks in colours and a labelmap.txt as CVAT writes it."""
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    for number in range(10):
        random = np.random.default_rng(number)
        label = np.zeros((64, 96), int)
        label[random.integers(30, 50):] = 1
        label[:random.integers(10, 25)] = 2
        noise = random.integers(-20, 20, (64, 96, 3))
        image = np.clip(COLOURS[label] + noise, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f'images/Scene {number}.JPG')
        Image.fromarray(COLOURS[label]).save(tmp_path / f'masks/Scene {number}_gt.png')
    (tmp_path / 'labelmap.txt').write_text(
        '# label:color_rgb:parts:actions\nother:0,0,0::\nroad:128,64,128::\nsky:70,130,180::\n')
    return tmp_path


@pytest.fixture
def argv(street, small_config):
    return [str(small_config), '--images', str(street / 'images'), '--masks',
            str(street / 'masks'), '--work-dir', str(street / 'run')]


def test_from_two_folders_to_pictures(street, argv, tool, capsys):
    tool('train')([*argv, '--val-fraction', '0.3', '--seed', '0'])

    log, = (street / 'run').glob('*.log')
    told = log.read_text()
    assert 'Scene 0_gt.png belongs to Scene 0.JPG' in told
    assert '(128, 64, 128) | 1 road ' in told.replace('  ', ' ').replace('  ', ' ')
    config = street / 'run/small.py'
    cfg = Config.fromfile(config)
    assert cfg.model.decode_head.num_classes == cfg.model.auxiliary_head.num_classes == 3
    shutil.rmtree(street / 'run/.git', ignore_errors=True)
    capsys.readouterr()
    tool('test')([str(config), str(street / 'run/latest.pth'), '--eval', 'mIoU', '--show-dir',
                  str(street / 'painted'), '--device', 'cpu'])
    assert 'road' in capsys.readouterr().out + told
    names = {line.partition('\t')[0] for line in list_from_file(cfg.data.test.split)}
    assert 0 < len(names) < 10
    assert {file.name.rpartition('.')[0] for file in (street / 'painted').iterdir()} == {
        name.rpartition('.')[0] for name in names}
    saved = torch.load(street / 'run/latest.pth', weights_only=True)['meta']
    assert saved['CLASSES'] == ['other', 'road', 'sky']
    assert saved['PALETTE'] == COLOURS.tolist()


def test_a_resumed_run_keeps_its_lists(street, argv, tool):
    tool('train')([*argv, '--cfg-options', 'runner.max_iters=2'])
    before = {file.name: file.read_text() for file in (street / 'run/own_data').iterdir()}
    for folder in ('images', 'masks'):
        for file in list((street / folder).iterdir()):
            shutil.copy(file, file.with_name(f'More {file.name}'))
    tool('train')([*argv, '--auto-resume', '--cfg-options', 'runner.max_iters=4'])
    assert {file.name: file.read_text()
            for file in (street / 'run/own_data').iterdir()} == before
    assert (street / 'run/iter_4.pth').is_file()
    logs = sorted((street / 'run').glob('*.log'))
    assert '10 images that were added since' in logs[-1].read_text()
    tool('train')([*argv, '--cfg-options', 'runner.max_iters=2'])
    after = json.loads((street / 'run/own_data/plan.json').read_text())['lists']
    assert sum(map(len, after.values())) == 20


def test_a_checkpoint_of_other_classes_is_a_start(street, argv, tool, caplog):
    tool('train')([*argv, '--cfg-options', 'runner.max_iters=2'])
    (street / 'labelmap.txt').write_text('other:0,0,0::\nroad:128,64,128::\nsky:70,130,180::\n'
                                         'car:1,1,1::\n')
    tool('train')([*argv[:-1], str(street / 'next'), '--load-from',
                   str(street / 'run/latest.pth'), '--cfg-options', 'runner.max_iters=2'])
    log, = (street / 'next').glob('*.log')
    assert 'was trained for 3 classes, and CustomDataset has 4' in log.read_text()
    weights = torch.load(street / 'next/latest.pth', weights_only=True)['state_dict']
    assert weights['decode_head.conv_seg.weight'].shape[0] == 4


def test_the_check_prints_the_decisions_and_the_config(street, tool, capsys):
    code = tool('check_dataset')(['--images', str(street / 'images'), '--masks',
                                  str(street / 'masks'), '--nproc', '1'])
    text = capsys.readouterr().out
    assert code == 0, text
    for part in ('10 pairs', "'128,64,128': 1", "split='WORK_DIR/own_data/train.txt'",
                 'num_classes=3', '10 samples checked', 'class_weight'):
        assert part in text, part
    assert not (street / 'own_data').exists()
    with pytest.raises(SystemExit):
        tool('check_dataset')([])


def test_what_is_refused_leaves_nothing_behind(street, argv, tool):
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(street / 'masks/Scene 3_gt.png')
    with pytest.raises(DataError, match='Scene 3_gt.png: the mask is 9 x 9'):
        tool('train')(argv)
    assert not (street / 'run').exists()


def test_two_processes_have_one_plan(street, argv, repo_dir):
    import os
    import subprocess
    import sys
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node', '2', '--master_port',
         '29713', str(repo_dir / 'tools/train.py'), *argv, '--device', 'cpu', '--cfg-options',
         'runner.max_iters=2', 'data.samples_per_gpu=2'], capture_output=True, text=True,
        cwd=repo_dir, timeout=300, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count('10 pairs') + done.stdout.count('10 pairs') >= 1
    assert (street / 'run/own_data/plan.json').is_file()
