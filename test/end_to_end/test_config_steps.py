"""Every shipped config trains a step and tests an image, with a narrow backbone on a small image.

A config of each folder does so in any run, and with --run-slow all of them do.
"""
import copy

import numpy as np
import pytest
import torch

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.runner import build_optimizer
from mmseg.models import build_segmentor

from .shipped_configs import FOLDERS, HASHES, NAMES, config_of, heads_of, names_in

FACTOR = 8  # by which backbones become narrower
# Heads whose smallest map is larger than others': LR-ASPP averages 49 x 49 values at stride 8.
SIZES = {'LRASPPHead': 400}


def smallest_of(folder):
    """The config of a folder whose model has fewest weights."""
    names = names_in(folder)
    return min(names, key=lambda name: HASHES.get(name, dict(params=float('inf')))['params'])


FIRST = {smallest_of(folder) for folder in FOLDERS}


def make_small(model):
    """Take away width and depth from a model's config, but none of its parts."""
    model['pretrained'] = None
    backbone = model['backbone']
    if backbone['type'] == 'HRNet':
        for stage in backbone['extra'].values():
            stage.update(num_modules=1, num_blocks=(1,) * stage['num_branches'])
    elif backbone['type'].startswith('ResN'):
        backbone.update(base_channels=64 // FACTOR, depth=min(backbone['depth'], 50),
                        stem_channels=backbone.get('stem_channels', 64) // FACTOR)
    elif backbone['type'] == 'UNet':
        backbone.update(base_channels=64 // FACTOR)
    if backbone['type'].startswith(('ResN', 'UNet')):
        for part in [model['neck']] if 'neck' in model else heads_of(model):
            for key in {'in_channels', 'c1_in_channels'} & set(part):
                part[key] = narrower(part[key])


def narrower(channels):
    return channels // FACTOR if isinstance(channels, int) else [c // FACTOR for c in channels]


def small_size(model, crop_size):
    """Height and width of a crop: odd where the config's is."""
    size = max(SIZES.get(head['type'], 64) for head in heads_of(model))
    return size + crop_size[0] % 2


def each_config():
    slow = pytest.mark.slow
    return [pytest.param(name, marks=() if name in FIRST else slow) for name in NAMES]


@pytest.mark.parametrize('name', each_config())
def test_a_step_and_an_image(name):
    cfg = copy.deepcopy(config_of(name))
    size = small_size(cfg.model, cfg.crop_size)
    make_small(cfg.model)
    if cfg.model.test_cfg.mode == 'slide':
        cfg.model.test_cfg.update(crop_size=(size, size), stride=(size * 2 // 3, size * 2 // 3))
    model = revert_sync_batchnorm(build_segmentor(cfg.model))
    model.init_weights()
    classes = {head['num_classes'] for head in heads_of(cfg.model)}

    train_a_step(model, cfg.optimizer, size, min(classes))
    predicted = predict(model, (size + 9, size + 32))

    assert predicted.shape == (size + 9, size + 32)
    assert 0 <= predicted.min() <= predicted.max() < max(classes)


def meta(height, width):
    return dict(filename='image.png', ori_filename='image.png', ori_shape=(height, width, 3),
                img_shape=(height, width, 3), pad_shape=(height, width, 3), scale_factor=1.0,
                flip=False, flip_direction=None)


def images(model, number, height, width):
    return torch.randn(number, model.backbone.in_channels, height, width)


def train_a_step(model, optimizer_cfg, size, classes):
    optimizer = build_optimizer(model, copy.deepcopy(optimizer_cfg))
    labels = torch.randint(classes, (2, 1, size, size))
    labels[:, :, :9] = 255
    batch = dict(img=images(model, 2, size, size), img_metas=[meta(size, size)] * 2,
                 gt_semantic_seg=labels)

    loss = model.train().train_step(batch, optimizer)['loss']
    loss.backward()

    # DDP would wait for the gradient of a weight that no loss depends on.
    without = [name for name, each in model.named_parameters()
               if each.requires_grad and each.grad is None]
    assert without == []
    assert loss.isfinite()
    before = [each.detach().clone() for each in model.parameters()]
    optimizer.step()
    assert all(each.isfinite().all() for each in model.parameters())
    changed = [not torch.equal(old, new) for old, new in
               zip(before, model.parameters(), strict=True)]
    assert np.mean(changed) > 0.5  # the residual branches start at zero


def predict(model, size):
    with torch.no_grad():
        map_, = model.eval()(img=[images(model, 1, *size)], img_metas=[[meta(*size)]],
                             return_loss=False)
    return map_
