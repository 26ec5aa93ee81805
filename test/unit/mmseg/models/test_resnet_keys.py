"""Weights under other toolkits' names load into our ResNet."""
import logging
import re

import pytest
import torch
from torch import nn

from mmseg.models import ResNet, ResNetV1c, ResNetV1d

SMALL = dict(depth=18, stem_channels=8, base_channels=4)


def torchvision(key):
    """Our names without a deep stem are torchvision's."""
    return key


def timm_deep_stem(key):
    """In timm the stem is conv1 (six layers) and bn1."""
    key = re.sub(r'^stem\.7\.', 'bn1.', key)
    return re.sub(r'^stem\.', 'conv1.', key)


SOURCES = [
    (ResNet, torchvision, 'fc.'), (ResNetV1c, timm_deep_stem, 'fc.'),
    (ResNetV1d, timm_deep_stem, 'fc.'), (ResNetV1c, lambda key: key, 'head.fc.'),
    (ResNetV1c, lambda key: f'backbone.{key}', 'decode_head.conv_seg.'),
    (ResNet, lambda key: f'backbone.{key}', 'head.fc.'),
    (ResNetV1c, lambda key: f'module.backbone.{key}', 'module.auxiliary_head.'),
]


@pytest.mark.parametrize(('cls', 'rename', 'classifier'), SOURCES)
def test_names(tmp_path, caplog, cls, rename, classifier):
    source = cls(**SMALL)
    state = {rename(key): value for key, value in source.state_dict().items()}
    state[f'{classifier}weight'] = torch.zeros(7, 32)
    state[f'{classifier}bias'] = torch.zeros(7)
    torch.save(state, tmp_path / 'weights.pth')
    target = cls(**SMALL, pretrained=str(tmp_path / 'weights.pth'))
    with caplog.at_level(logging.WARNING):
        target.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value), key
    assert caplog.text == ''


def test_names_written_down():
    names = {'conv1.0.weight': 'stem.0.weight', 'conv1.1.bias': 'stem.1.bias',
             'conv1.6.weight': 'stem.6.weight', 'bn1.running_var': 'stem.7.running_var',
             'layer1.0.conv1.weight': 'layer1.0.conv1.weight',
             'layer1.0.bn1.weight': 'layer1.0.bn1.weight',
             'layer1.0.downsample.1.weight': 'layer1.0.downsample.1.weight'}
    state = {name: torch.zeros(1, 3) for name in names}
    adapted = ResNetV1c(**SMALL).adapt_state_dict({**state, 'fc.weight': torch.zeros(1)})
    assert list(adapted) == list(names.values())
    assert list(state) == list(names)


@pytest.mark.parametrize('cls', [ResNet, ResNetV1c])
@pytest.mark.parametrize('in_channels', [1, 3, 4, 6])
def test_other_numbers_of_input_channels(tmp_path, caplog, cls, in_channels):
    source = cls(**SMALL)
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    target = cls(**SMALL, in_channels=in_channels, pretrained=str(tmp_path / 'weights.pth'))
    with caplog.at_level(logging.INFO, logger='mmseg'):
        target.init_weights()
    assert ('fitted to' in caplog.text) is (in_channels != 3)
    first, ours = (next(module for module in model.modules() if isinstance(module, nn.Conv2d))
                   for model in (source, target))
    gray = torch.randn(1, 1, 16, 16)
    if in_channels in (1, 3, 6):  # all channels equal: the same output
        torch.testing.assert_close(ours(gray.expand(1, in_channels, 16, 16)),
                                   first(gray.expand(1, 3, 16, 16)), rtol=1e-4, atol=1e-5)
    else:
        expected = first.weight[:, [0, 1, 2, 0]] * 3 / 4
        torch.testing.assert_close(ours.weight, expected)


def test_first_convolution_of_another_kind_is_left_to_the_report(tmp_path, caplog):
    source = ResNet(**SMALL, in_channels=5)
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    target = ResNet(**SMALL, pretrained=str(tmp_path / 'weights.pth'))
    with caplog.at_level(logging.WARNING):
        target.init_weights()
    assert 'conv1.weight' in caplog.text
