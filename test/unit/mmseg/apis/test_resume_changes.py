"""What a resumed run is told otherwise than the one that it goes on."""
import copy
import re

import cv2
import numpy as np
import pytest
import torch

import mmseg
from mmcv_replace.utils import Config
from mmseg.apis.resume_changes import differences
from mmseg.utils import collect_env

BEFORE = dict(
    optimizer=dict(type='SGD', lr=0.01),
    optimizer_config={},
    lr_config=dict(policy='poly', power=0.9, min_lr=1e-4, by_epoch=False),
    runner=dict(type='IterBasedRunner', max_iters=100),
    data=dict(samples_per_gpu=4, train=dict(type='A', pipeline=[
        dict(type='Load'), dict(type='Crop', size=(8, 8))])),
    model=dict(decode_head=dict(dropout_ratio=0.1), auxiliary_head=None),
    seed=3)
ENVIRONMENT = '\n'.join(f'{key}: {value}' for key, value in collect_env().items())
LIST = dict(number=5, digest='a' * 64)
META = dict(env_info=ENVIRONMENT, mmseg_version=mmseg.__version__, seed=3, world_size=2,
            samples=dict(train=LIST, val=LIST), CLASSES=['a', 'b'])


def rows(saved=(), ours=(), **changes):
    """(setting, checkpoint, config, in force) of what differs from a run of the settings BEFORE."""
    cfg = Config(copy.deepcopy(BEFORE))
    theirs = dict(META, config=cfg.pretty_text) | dict(saved)
    cfg.merge_from_dict(changes)
    meta = dict(META, config=cfg.pretty_text, seed=cfg.seed) | dict(ours)
    return [(each.setting, each.checkpoint, each.config, each.in_force)
            for each in differences(cfg, meta, theirs)]


def test_an_unchanged_config_is_no_news():
    assert rows() == []
    assert rows(ours=dict(config=7)) == []  # then it is the config itself that counts


@pytest.mark.parametrize(('changes', 'row'), [
    ({'lr_config.min_lr': 0},
     ('lr_config.min_lr', '0.0001', '0', 'config (taken), on the optimizer.lr in force')),
    ({'lr_config.warmup': 'linear'},
     ('lr_config.warmup', 'None', "'linear'", 'config (taken), on the optimizer.lr in force')),
    ({'runner.max_iters': 200}, ('runner.max_iters', '100', '200', 'config (taken)')),
    ({'seed': 4}, ('seed', '3', '4', 'config (taken) for the order of the data; random numbers go '
                   'on as in the checkpoint')),
    ({'data.samples_per_gpu': 2},
     ('data.samples_per_gpu', '4', '2', 'config (taken), from the same place in the data')),
    ({'data.train_dataloader.samples_per_gpu': 4},
     ('data.train_dataloader.samples_per_gpu', 'None', '4',
      'config (taken), from the same place in the data')),
    ({'optimizer.type': 'AdamW'}, ('optimizer.type', "'SGD'", "'AdamW'",
                                   'config (taken), with the running averages of the '
                                   'checkpoint where they fit')),
    ({'optimizer_config.grad_clip': dict(max_norm=1)},
     ('optimizer_config.grad_clip.max_norm', 'None', '1', 'config (taken)')),
    ({'momentum_config': dict(policy='cyclic')},
     ('momentum_config.policy', 'None', "'cyclic'", 'config (taken), on the momentum in force')),
    ({'fp16': dict(loss_scale=512.)}, ('fp16.loss_scale', 'None', '512.0', 'config (taken)')),
    ({'data.train.pipeline.1.size': (4, 4)},
     ('data.train.pipeline.1.size', '(8, 8)', '(4, 4)', 'config (taken)')),
    ({'data.train.pipeline': [dict(type='Load')]},
     ('data.train.pipeline', "[{'type': 'Load'}, {'type': 'Crop', 'size': (8, 8)}]",
      "[{'type': 'Load'}]", 'config (taken)')),
    ({'model.decode_head.dropout_ratio': 0.5},
     ('model.decode_head.dropout_ratio', '0.1', '0.5', 'config (taken)')),
    ({'custom_hooks': [dict(type='EMAHook')]},
     ('custom_hooks', 'None', "[{'type': 'EMAHook'}]", 'config (taken)')),
])
def test_a_change_is_named(changes, row):
    found = rows(**changes)
    assert row in found
    assert {name for name, *_ in found} <= {row[0], 'images a step'}


def test_what_has_no_part_in_the_training_is_no_news():
    assert rows(work_dir='elsewhere', **{'data.workers_per_gpu': 7, 'log_config.interval': 3}) == []


@pytest.mark.parametrize(('ours', 'changes', 'told'), [
    (dict(world_size=1), {}, ('8', '4')),
    (dict(world_size=2), {'data.samples_per_gpu': 1}, ('8', '2')),
    (dict(world_size=1), {'data.samples_per_gpu': 8}, None),
    (dict(world_size=1), {'data.train_dataloader.samples_per_gpu': 8}, None),
])
def test_images_of_all_processes(ours, changes, told):
    found = [row[1:3] for row in rows(ours=ours, **changes) if row[0] == 'images a step']
    assert found == ([told] if told else [])


def test_lists_of_samples():
    other = dict(number=5, digest='b' * 64)
    shorter = dict(number=4)
    assert rows(dict(samples=dict(train=other, val=LIST))) == [
        ('samples of data.train', '5 (list bbbbbbbb)', '5 (list aaaaaaaa)',
         'config (taken), from the same place in the order of the data')]
    assert rows(dict(samples=dict(train=LIST, val=shorter))) == [
        ('samples of data.val', '4', '5 (list aaaaaaaa)',
         'config (taken); the best score so far is that of other images')]
    assert rows(dict(samples=dict(train=LIST))) == []


def test_classes_that_are_taken_by_number():
    assert rows(dict(CLASSES=('b', 'a'))) == [
        ('classes', "['b', 'a']", "['a', 'b']",
         'config (taken), by their numbers (match_classes=False)')]
    assert rows(dict(CLASSES=('A', 'b'))) == []


@pytest.mark.parametrize(('name', 'version'), [
    ('PyTorch', torch.__version__), ('NumPy', np.__version__), ('OpenCV', cv2.__version__)])
def test_another_version_of_a_library(name, version):
    saved = ENVIRONMENT.replace(f'{name}: {version}', f'{name}: 0.5.1')
    [(setting, theirs, ours, in_force)] = rows(dict(env_info=saved))
    assert (setting, theirs, ours) == (name, '0.5.1', version)
    assert in_force.startswith('config (taken)')
    assert ('RandomRotate gives other pixels' in in_force) == (name == 'OpenCV')
    assert ('opencv-python-headless==0.5.1.*' in in_force) == (name == 'OpenCV')


def test_another_version_of_python_and_of_the_toolkit():
    saved = re.sub('Python: [^ ]+', 'Python: 3.9.2', ENVIRONMENT)
    assert [row[:2] for row in rows(dict(env_info=saved, mmseg_version='0.10.0'))] == [
        ('Python', '3.9.2'), ('mmseg', '0.10.0')]


@pytest.mark.parametrize('meta', [
    dict(config='model = build()'), dict(config=7), dict(config=['a']), dict(config=None)], ids=str)
def test_a_checkpoint_whose_config_cannot_be_read(meta):
    assert rows(meta, **{'runner.max_iters': 200}) == []


@pytest.mark.parametrize('strange', [None, 3, 'x', ['x'], {'train': 3}])
def test_strange_meta_data_are_no_error(strange):
    for key in META:
        rows({key: strange})
