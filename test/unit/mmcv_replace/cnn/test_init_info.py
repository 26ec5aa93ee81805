"""What gave each parameter its first value."""
import logging

import pytest
import torch
from torch import nn

from mmcv_replace.cnn.utils.init_info import recorded_init
from mmcv_replace.cnn.utils.weight_init import update_init_info
from mmcv_replace.runner import BaseModule
from mmcv_replace.utils.errors import ConfigError


class Own(BaseModule):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.records = []

    def init_weights(self):
        self.records.append(getattr(self, '_params_init_info', None))
        nn.init.ones_(self.weight)


class Net(BaseModule):
    def __init__(self):
        super().__init__([dict(type='Constant', val=3., layer='Conv2d'),
                          dict(type='Normal', std=2., layer='Linear', bias=5,
                               override=dict(name='special', type='Uniform', a=7., b=9.))])
        self.conv = nn.Conv2d(1, 1, 1)
        self.linear = nn.Linear(3, 3)
        self.special = nn.Linear(3, 3)
        self.own = Own()
        self.norm = nn.BatchNorm2d(2)


def test_each_parameter_is_told_at_level_debug(caplog):
    net = Net()
    with caplog.at_level(logging.DEBUG, 'mmseg.cnn'):
        net.init_weights()
    lines = caplog.messages[-1].splitlines()
    assert lines[0] == 'initial weights:'
    assert lines[1:] == [
        'conv.weight (1, 1, 1, 1): ConstantInit: bias=0, val=3.0',
        'conv.bias (1,): ConstantInit: bias=0, val=3.0',
        'linear.weight (3, 3): NormalInit: bias=5, mean=0, std=2.0',
        'linear.bias (3,): NormalInit: bias=5, mean=0, std=2.0',
        'special.weight (3, 3): UniformInit: bias=0, a=7.0, b=9.0',
        'special.bias (3,): UniformInit: bias=0, a=7.0, b=9.0',
        'own.weight (2,): `init_weights` of Own',
        'norm.weight (2,): not changed by `init_weights` of Net',
        'norm.bias (2,): not changed by `init_weights` of Net']
    assert net.own.records[0] is not None
    assert not any(hasattr(part, '_params_init_info') for part in net.modules())


def test_otherwise_nothing_is_recorded(caplog):
    net = Net()
    with caplog.at_level(logging.INFO, 'mmseg.cnn'):
        net.init_weights()
    assert net.own.records == [None]
    assert not caplog.messages
    update_init_info(net, 'anything')


def test_pretrained_weights_are_told(tmp_path, caplog):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / 'weights.pth')
    layer = nn.Sequential(nn.Linear(2, 2))
    net = BaseModule(dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth')))
    net.weight, net.bias = layer[0].weight, layer[0].bias
    with caplog.at_level(logging.DEBUG, 'mmseg.cnn'):
        net.init_weights()
    assert f'weight (2, 2): PretrainedInit: load from {tmp_path}' in caplog.text


def test_only_what_has_changed_is_updated():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net._params_init_info = {
        p: dict(init_info='before', tmp_mean_value=p.detach().mean()) for p in net.parameters()}
    nn.init.ones_(net[0].weight)
    update_init_info(net, 'ones')
    infos = [net._params_init_info[p] for p in net.parameters()]
    assert [info['init_info'] for info in infos] == ['ones', 'before', 'before', 'before']
    assert infos[0]['tmp_mean_value'] == 1
    net[1].bias = nn.Parameter(torch.ones(2))
    with pytest.raises(ConfigError, match="Sequential: parameter '1.bias' was replaced"):
        update_init_info(net, 'ones')


def test_the_record_is_taken_away_after_an_error(caplog):
    net = Net()
    with caplog.at_level(logging.DEBUG, 'mmseg.cnn'), pytest.raises(KeyError), recorded_init(net):
        raise KeyError
    assert not hasattr(net, '_params_init_info')
