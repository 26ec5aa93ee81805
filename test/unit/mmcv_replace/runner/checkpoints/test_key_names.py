"""Names of weights in other toolkits, against digests of what those have (foreign_names.json)."""
import hashlib
import json
from pathlib import Path

import pytest
import torch

from mmcv_replace.runner.checkpoints.key_names import OURS, translate
from mmcv_replace.utils.errors import CheckpointError
from mmseg.models import build_backbone

ROOT = Path(__file__).resolve().parents[5]
FOREIGN = json.loads((ROOT / 'test/fixtures/foreign_names.json').read_text())
NEXT = dict(type='ResNeXt', groups=32, base_width=4)
# Our options (or the file that has the keys) -> the same backbone elsewhere.
SAME = [
    (dict(type='ResNet', depth=18), dict(torchvision='resnet18', timm='resnet18')),
    (dict(type='ResNet', depth=50), dict(torchvision='resnet50', timm='resnet50')),
    (dict(type='ResNetV1c', depth=50), dict(timm='resnet50c')),
    (dict(type='ResNetV1c', depth=101), dict(timm='resnet101c')),
    (dict(type='ResNetV1d', depth=18), dict(timm='resnet18d')),
    (dict(type='ResNetV1d', depth=50), dict(timm='resnet50d')),
    (dict(NEXT, depth=50), dict(torchvision='resnext50_32x4d', timm='resnext50_32x4d')),
    (dict(NEXT, depth=101, base_width=8),
     dict(torchvision='resnext101_32x8d', timm='resnext101_32x8d')),
    (dict(type='ResNeSt', depth=50), dict(timm='resnest50d')),
    (dict(type='ResNeSt', depth=101, stem_channels=128), dict(timm='resnest101e')),
    ('mobilenet_v2_pspnet', dict(torchvision='mobilenet_v2', timm='mobilenetv2_100')),
    ('mobilenet_v3_lraspp', dict(torchvision='mobilenet_v3_large', timm='mobilenetv3_large_100')),
    ('ocrnet_hr18_cityscapes', dict(timm='hrnet_w18')),
]
PAIRS = [(ours, toolkit, name) for ours, others in SAME for toolkit, name in others.items()]


def state_of(ours, shared_dir):
    if isinstance(ours, dict):
        with torch.device('meta'):
            return build_backbone(ours).state_dict()
    keys = json.loads((shared_dir / f'reference/keys/{ours}.json').read_text())
    return {key.removeprefix('backbone.'): torch.empty(shape, device='meta')
            for key, shape in keys.items() if key.startswith('backbone.')}


def digest(state):
    text = json.dumps(sorted((key, list(value.shape)) for key, value in state.items()))
    return [len(state), hashlib.sha1(text.encode()).hexdigest()[:12]]


@pytest.mark.parametrize(('ours', 'toolkit', 'name'), PAIRS)
def test_names_of_others(request, ours, toolkit, name):
    shared = None if isinstance(ours, dict) else request.getfixturevalue('shared_dir')
    state = state_of(ours, shared)
    theirs, left = translate(state, toolkit)
    assert left == []
    assert digest(theirs) == FOREIGN[toolkit][name]
    back, left = translate({**theirs, 'fc.weight': torch.zeros(3), 'classifier.weight': 0}, OURS)
    assert left == ['fc.weight', 'classifier.weight']
    assert {key: id(value) for key, value in back.items()} == {
        key: id(value) for key, value in state.items()}


@pytest.mark.parametrize('ours', [ours for ours, _ in SAME])
def test_our_own_names_stay(request, ours):
    shared = None if isinstance(ours, dict) else request.getfixturevalue('shared_dir')
    state = state_of(ours, shared)
    found, left = translate({**state, 'fc.weight': 0}, OURS)
    assert left == ['fc.weight']
    assert list(found) == list(state)


def small_v3():
    """Its keys by the names of torchvision, made of the arrangement in arXiv:1905.02244."""
    shape = torch.zeros(())
    keys = []
    for number, excited in enumerate([True, False, False] + 8 * [True], 1):
        steps = (['expand'] if number > 1 else []) + ['depth'] + ['se'] * excited + ['linear']
        for i, step in enumerate(steps):
            keys += [f'features.{number}.block.{i}.{part}.weight'
                     for part in (('fc1', 'fc2') if step == 'se' else ('0', '1'))]
    for i in (0, 12):
        keys += [f'features.{i}.{j}.weight' for j in (0, 1)]
    return dict.fromkeys(keys, shape)


def test_small_v3():
    state = small_v3()
    ours, left = translate(state, OURS)
    assert left == []
    assert 'layer1.se.conv1.conv.weight' in ours
    assert 'layer2.expand_conv.bn.weight' in ours
    assert 'layer12.conv.weight' in ours
    assert translate(ours, 'torchvision')[0].keys() == state.keys()
    timm, _ = translate(state, 'timm')
    assert len(timm) == len(state)
    assert {'blocks.5.0.conv.weight', 'blocks.4.2.se.conv_expand.weight', 'conv_stem.weight',
            'blocks.0.0.conv_pw.weight'} <= timm.keys()
    assert translate(timm, 'torchvision')[0].keys() == state.keys()


def test_what_cannot_be_translated():
    with pytest.raises(CheckpointError, match=r'no weights of a known backbone \(their keys: a\.b'):
        translate({'a.b': 0}, 'timm')
    with pytest.raises(CheckpointError, match='torchvision has no ResNet, .* deep stem; timm has'):
        translate({'stem.0.weight': 0}, 'torchvision')
