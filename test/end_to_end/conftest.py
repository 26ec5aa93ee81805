"""A small synthetic devkit and a small config, shared by the end-to-end tests."""
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import uuid

import pytest

from .desk import make_desk
from .documents import Document


@pytest.fixture(scope='session')
def tool(repo_dir):
    """`tool('train')([...])` runs tools/train.py's main in this process."""
    def load(name):
        file = repo_dir / 'tools' / f'{name}.py'
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main
    return load


@pytest.fixture(scope='session')
def run_tool(repo_dir):
    """`run_tool('train', ...)` runs the tool as a user does, in a process of its own."""
    def run(name, *argv, cwd=repo_dir):
        command = [sys.executable, str(repo_dir / 'tools' / f'{name}.py'), *map(str, argv)]
        environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True,
                              timeout=300)
    return run


@pytest.fixture(scope='session')
def devkit(tmp_path_factory, run_tool):
    """A devkit of a few synthetic scenes, converted as the real one is."""
    folder = tmp_path_factory.mktemp('devkit') / 'VOCdevkit'
    done = run_tool('make_synthetic_voc', folder, '--train', 6, '--val', 4, '--aug', 6,
                    '--size', 96, '--seed', 0)
    assert done.returncode == 0, done.stderr
    done = run_tool('convert_datasets/voc_aug', folder, folder / 'VOCaug', '--nproc', 1)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope='session')
def small_config(tmp_path_factory, repo_dir, devkit):
    """PSPNet with a narrow ResNet-18 on crops of 64 pixels: a training of seconds."""
    file = tmp_path_factory.mktemp('config') / 'small.py'
    base = repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'
    file.write_text(f'''
_base_ = {str(base)!r}
model = dict(
    pretrained=None,
    backbone=dict(base_channels=8, stem_channels=8),
    decode_head=dict(in_channels=64, channels=16),
    auxiliary_head=dict(in_channels=32, channels=8))
crop_size = (64, 64)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=0,
    train=dict(data_root={str(devkit / "VOC2012")!r}),
    val=dict(data_root={str(devkit / "VOC2012")!r}),
    test=dict(data_root={str(devkit / "VOC2012")!r}))
data['train']['pipeline'] = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', img_scale=(256, 96), ratio_range=(0.5, 2.0)),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
         to_rgb=True),
    dict(type='Pad', size=crop_size, pad_val=0),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg']),
]
log_config = dict(interval=1)
runner = dict(max_iters=4)
checkpoint_config = dict(interval=2)
evaluation = dict(interval=4)
''')
    return file


@pytest.fixture(scope='session')
def desk(tmp_path_factory, repo_dir, devkit, small_config):
    """The folder in which the commands of the documents are run."""
    readme = Document(repo_dir / 'README.md')
    own_config, = [block.text for block in readme.blocks if block.text.startswith('_base_')]
    root = tmp_path_factory.mktemp('desk')
    make_desk(root, devkit, small_config, own_config)
    return root


@pytest.fixture
def two_hosts():
    """Two network namespaces with an address each, joined by a cable."""
    if shutil.which('ip') is None:
        pytest.skip('two hosts are made with ip netns, which is not here')
    hosts = [f'mmseg{uuid.uuid4().hex[:8]}' for _ in range(2)]

    def ip(*words):
        return subprocess.run(['ip', *words], capture_output=True, text=True)

    with contextlib.ExitStack() as stack:
        for host in hosts:
            made = ip('netns', 'add', host)
            if made.returncode:
                pytest.skip(f'no right to make network namespaces: {made.stderr.strip()}')
            stack.callback(ip, 'netns', 'del', host)
        commands = [f'link add cable netns {hosts[0]} type veth peer name cable netns {hosts[1]}']
        for number, host in enumerate(hosts, start=1):
            commands += [f'-n {host} address add 10.99.0.{number}/24 dev cable',
                         f'-n {host} link set cable up', f'-n {host} link set lo up']
        for command in commands:
            done = ip(*command.split())
            if done.returncode:
                pytest.skip(f'no right to join network namespaces: {done.stderr.strip()}')
        yield hosts
