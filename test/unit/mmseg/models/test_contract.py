"""Keys and figures of the reference implementation."""
import hashlib
import importlib.util
import json
import re

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.utils import Config
from mmseg.models import build_segmentor

# Head and auxiliary head: input and inner channels by depth.
WIDTHS = {18: ((512, 128), (256, 64)), 50: ((2048, 512), (1024, 256)),
          101: ((2048, 512), (1024, 256))}
CLASSES = dict(cityscapes=19, voc12aug=21, ade20k=150, pascal_context=60)


def build(repo_dir, method, depth, num_classes, backbone='ResNetV1c'):
    cfg = Config.fromfile(repo_dir / f'configs/_base_/models/{method}_r50-d8.py').model
    cfg.pretrained = None
    cfg.backbone.update(type=backbone, depth=depth)
    for head, widths in zip((cfg.decode_head, cfg.auxiliary_head), WIDTHS[depth], strict=True):
        head.update(in_channels=widths[0], channels=widths[1], num_classes=num_classes)
    return build_segmentor(cfg)


def shapes(model):
    return {key: list(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize(('name', 'method', 'depth', 'num_classes'), [
    ('pspnet_r50_voc', 'pspnet', 50, 21), ('pspnet_r50_cityscapes', 'pspnet', 50, 19),
    ('pspnet_r101_cityscapes', 'pspnet', 101, 19), ('fcn_r50_cityscapes', 'fcn', 50, 19)])
def test_keys_shapes_and_their_order(shared_dir, repo_dir, name, method, depth, num_classes):
    with torch.device('meta'):
        model = build(repo_dir, method, depth, num_classes)
    expected = json.loads((shared_dir / f'reference/keys/{name}.json').read_text())
    assert list(shapes(model).items()) == list(expected.items())


def test_keys_of_every_pspnet_and_fcn_of_the_reference(shared_dir, repo_dir):
    index = json.loads((shared_dir / 'reference/keys/index_0.10.0.json').read_text())['models']
    pattern = re.compile(r'(pspnet|fcn)/\1_r(\d+)(b?)-d8_\w+?_\d+k_(\w+)')
    seen = {}
    for name, entry in index.items():
        match = pattern.fullmatch(name)
        if match is None:
            continue
        method, depth, plain, dataset = match.groups()
        key = (method, int(depth), plain, dataset)
        if key not in seen:
            with torch.device('meta'):
                model = build(repo_dir, method, int(depth), CLASSES[dataset],
                              'ResNet' if plain else 'ResNetV1c')
                if (method, dataset) == ('fcn', 'pascal_context'):
                    # These configs forgot the auxiliary head.
                    model.auxiliary_head.conv_seg = nn.Conv2d(256, 19, 1)
            text = json.dumps(shapes(model))
            seen[key] = (hashlib.sha1(text.encode()).hexdigest()[:12],
                         sum(p.numel() for p in model.parameters()))
        assert seen[key] == (entry['ordered'], entry['params']), name
    assert len(seen) == 24


@pytest.fixture(scope='module')
def golden(shared_dir):
    path = shared_dir / 'reference/golden_tools/golden.py'
    spec = importlib.util.spec_from_file_location('golden', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def close(found, expected):
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64),
                               torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-12)


@pytest.mark.filterwarnings('ignore:Converting a tensor with requires_grad')
@pytest.mark.parametrize(('name', 'method', 'depth', 'num_classes'), [
    ('pspnet__pspnet_r18-d8_512x1024_80k_cityscapes', 'pspnet', 18, 19),
    ('pspnet__pspnet_r50-d8_512x512_20k_voc12aug', 'pspnet', 50, 21),
    ('pspnet__pspnet_r101-d8_512x512_20k_voc12aug', 'pspnet', 101, 21),
    ('fcn__fcn_r50-d8_512x512_20k_voc12aug', 'fcn', 50, 21)])
def test_logits_losses_and_gradients(shared_dir, repo_dir, golden, name, method, depth,
                                     num_classes):
    model = golden.fill(revert_sync_batchnorm(build(repo_dir, method, depth, num_classes)))
    found = golden.measure(model, num_classes)
    expected = json.loads((shared_dir / f'reference/golden/{name}.json').read_text())
    assert found['logits_shape'] == expected['logits_shape']
    for figure in ('logits_norm', 'logits_sample', 'loss'):
        close(found[figure], expected[figure])
    for figure in ('losses', 'grad_norms'):
        assert found[figure].keys() == expected[figure].keys()
        for key, value in expected[figure].items():
            close(found[figure][key], value)
