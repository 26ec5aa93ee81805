"""`init_cfg`: which layers an initializer reaches, and what it does to them."""
import logging
import re

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import INITIALIZERS, Caffe2XavierInit, KaimingInit, initialize
from mmcv_replace.cnn.utils.initializers import BaseInit
from mmcv_replace.utils.errors import ArgumentError, CheckpointError, ConfigError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.bn = nn.BatchNorm2d(8)
        self.linear = nn.Linear(8, 4)
        self.block = nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8))


def untouched(layer):
    return not layer.weight.eq(7).any()


@pytest.mark.parametrize(('layer', 'reached'), [
    ('Conv2d', {'conv', 'block.0'}), ('_ConvNd', {'conv', 'block.0'}),
    (['Linear', '_BatchNorm'], {'bn', 'linear', 'block.1'}), (None, set())])
def test_layer_names_classes_and_their_bases(layer, reached):
    net = Net()
    initialize(net, dict(type='Constant', val=7, bias=2, layer=layer))
    names = {name for name, module in net.named_modules()
             if hasattr(module, 'weight') and module.weight.eq(7).all()}
    assert names == reached
    assert all(net.get_submodule(name).bias.eq(2).all() for name in reached)


def test_several_initializers_in_turn():
    net = Net()
    initialize(net, [dict(type='Constant', val=7, layer='Conv2d'),
                     dict(type='Constant', val=5, layer='Linear')])
    assert net.conv.weight.eq(7).all()
    assert net.linear.weight.eq(5).all()


def test_override_treats_all_of_one_attribute():
    net = Net()
    initialize(net, dict(type='Constant', val=7, layer='Conv2d',
                         override=dict(name='block', type='Constant', val=3, bias=1)))
    assert net.conv.weight.eq(7).all()
    assert net.block[0].weight.eq(3).all()
    assert net.block[1].weight.eq(3).all()
    assert net.block[1].bias.eq(1).all()


def test_override_by_name_alone_uses_the_outer_initializer():
    net = Net()
    initialize(net, dict(type='Constant', val=7, override=[dict(name='linear'),
                                                           dict(name='bn')]))
    assert net.linear.weight.eq(7).all()
    assert net.bn.weight.eq(7).all()
    assert untouched(net.conv)


@pytest.mark.parametrize('kind', ['Xavier', 'Kaiming', 'Caffe2Xavier'])
def test_schemes_with_a_fan_leave_vectors_of_an_override_alone(kind):
    net = Net()
    initialize(net, dict(type=kind, override=[dict(name='block'), dict(name='linear')]))
    assert net.block[0].bias.eq(0).all()
    assert net.linear.bias.eq(0).all()
    assert net.block[1].weight.eq(1).all()


def test_config_is_not_changed():
    cfg = dict(type='Constant', val=7, layer='Conv2d', override=dict(name='linear'))
    initialize(Net(), cfg)
    assert cfg == dict(type='Constant', val=7, layer='Conv2d', override=dict(name='linear'))


@pytest.mark.parametrize(('cfg', 'low', 'high', 'std'), [
    (dict(type='Normal', mean=3, std=0.1), 2, 4, 0.1),
    (dict(type='TruncNormal', mean=0, std=1, a=-0.1, b=0.2), -0.1, 0.2, None),
    (dict(type='Uniform', a=4, b=5), 4, 5, 12**-0.5),
    (dict(type='Xavier', gain=2, distribution='uniform'), -0.25, 0.25, 2 * 192**-0.5),
    (dict(type='Kaiming', a=1, mode='fan_in', nonlinearity='leaky_relu',
          distribution='uniform'), -0.18, 0.18, 96**-0.5),
    (dict(type='Caffe2Xavier'), -0.18, 0.18, 96**-0.5)])
def test_options_reach_the_drawing(cfg, low, high, std):
    layer = nn.Linear(96, 288)
    initialize(layer, dict(cfg, layer='Linear', bias_prob=0.01))
    assert low <= layer.weight.min()
    assert layer.weight.max() <= high
    if std is not None:
        assert layer.weight.std().item() == pytest.approx(std, rel=0.03)
    assert layer.bias.sigmoid().sub(0.01).abs().max() < 1e-6


@pytest.mark.parametrize(('override', 'message', 'error'), [
    (dict(type='Constant', val=1), "lacks 'name'", ValueError),
    (dict(name='conv', val=1), "lacks 'type'", ValueError),
    (dict(name='head'), "Net has no attribute 'head'", RuntimeError),
    ('conv', "'override' of an init_cfg must be a dict or a list", TypeError)])
def test_overrides_that_cannot_be_followed(override, message, error):
    with pytest.raises(error, match=message) as caught:
        initialize(Net(), dict(type='Constant', val=0, override=override))
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize('init_cfg', ['Constant', ['Constant'], 3])
def test_a_config_is_a_dict_or_a_list(init_cfg):
    with pytest.raises(TypeError, match='init_cfg must be a dict or a list of dicts'):
        initialize(Net(), init_cfg)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(bias='1'), "bias='1' must be a number"),
    (dict(bias_prob='1'), "bias_prob='1' must be a number between 0 and 1"),
    (dict(layer=1), 'layer=1 must be the name of a class or a list')])
@pytest.mark.parametrize('cls', [KaimingInit, Caffe2XavierInit])
def test_options_of_other_types(cls, options, message):
    with pytest.raises(TypeError, match=f'{cls.__name__}: {message}'):
        cls(**options)


def test_a_config_that_reaches_nothing_is_said_once(monkeypatch):
    told = []
    monkeypatch.setattr('mmcv_replace.cnn.utils.init_cfg.warn_once',
                        lambda message, logger: told.append(message))
    for cfg in (dict(type='Constant', val=7, layer='Conv2d'),
                dict(type='Constant', val=7, override=dict(name='bn'))):
        initialize(Net(), cfg)
    assert not told
    net = Net()
    initialize(net, dict(type='Constant', val=7))
    assert untouched(net.conv)
    assert len(told) == 1
    assert "{'type': 'Constant', 'val': 7} of Net changes nothing" in told[0]
    assert "'layer', or attributes in 'override'" in told[0]


def test_an_initializer_of_a_user():
    @INITIALIZERS.register_module(name='Diagonal')
    class DiagonalInit(BaseInit):
        def __init__(self, value, **kwargs):
            super().__init__(**kwargs)
            self.value = value

        def __call__(self, module):
            def draw(layer):
                if self.wholemodule or type(layer).__name__ in self.layer:
                    nn.init.eye_(layer.weight).data.mul_(self.value)
                    nn.init.constant_(layer.bias, self.bias)
            module.apply(draw)

    try:
        for cfg in (dict(layer='Linear'), dict(override=dict(name='linear'))):
            net = Net()
            initialize(net, dict(type='Diagonal', value=3, bias_prob=0.5, **cfg))
            assert torch.equal(net.linear.weight, 3 * torch.eye(4, 8))
            assert net.linear.bias.eq(0).all()
    finally:
        del INITIALIZERS.module_dict['Diagonal']


def test_everything_has_the_path_of_mmcv():
    from mmcv_replace.cnn.utils import weight_init

    assert weight_init.initialize is initialize
    weight = weight_init.trunc_normal_(torch.empty(200, 200), std=0.5)
    assert weight.std().item() == pytest.approx(0.5, rel=0.03)
    assert all(hasattr(weight_init, name) for name in weight_init.__all__)


def test_misspelt_option():
    with pytest.raises(ArgumentError, match="'stdd'.*did you mean 'std'"):
        initialize(Net(), dict(type='Normal', stdd=1))


@pytest.mark.parametrize(('options', 'place'), [({}, 'cpu'), (dict(map_location='meta'), 'meta')])
def test_pretrained_reads_the_file_to_a_place(tmp_path, monkeypatch, options, place):
    path, places = tmp_path / 'net.pth', []
    torch.save(Net().state_dict(), path)
    monkeypatch.setattr('mmcv_replace.runner.checkpoint._load_checkpoint',
                        lambda file, place: places.append(place) or torch.load(file))
    initialize(Net(), dict(type='Pretrained', checkpoint=str(path), **options))
    assert places == [place]


def test_pretrained_loads_a_file(tmp_path):
    source, target = Net(), Net()
    path = tmp_path / 'net.pth'
    torch.save(dict(state_dict={f'module.{k}': v for k, v in source.state_dict().items()}), path)
    initialize(target, dict(type='Pretrained', checkpoint=str(path)))
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value)


@pytest.mark.parametrize('prefix', ['part', 'part.'])
def test_pretrained_takes_a_part(tmp_path, prefix):
    source, target = Net(), Net()
    path = tmp_path / 'net.pth'
    state = {f'part.{key}': value for key, value in source.state_dict().items()}
    torch.save({**state, 'other.conv.weight': torch.zeros(1)}, path)
    initialize(target, dict(type='Pretrained', checkpoint=str(path), prefix=prefix))
    assert torch.equal(target.conv.weight, source.conv.weight)


def test_pretrained_asks_the_module_to_adapt_the_keys(tmp_path):
    class Renaming(Net):
        def adapt_state_dict(self, state_dict):
            return {key.removeprefix('old_'): value for key, value in state_dict.items()}

    source, target = Net(), Renaming()
    path = tmp_path / 'net.pth'
    torch.save({f'old_{key}': value for key, value in source.state_dict().items()}, path)
    initialize(target, dict(type='Pretrained', checkpoint=str(path)))
    assert torch.equal(target.conv.weight, source.conv.weight)


def test_pretrained_reports_what_does_not_fit(tmp_path, caplog):
    target = Net()
    path = tmp_path / 'net.pth'
    state = dict(Net().state_dict(), **{'linear.weight': torch.zeros(2, 2)})
    torch.save(state, path)
    before = target.linear.weight.clone()
    with caplog.at_level(logging.INFO):
        initialize(target, dict(type='Pretrained', checkpoint=str(path)))
    assert torch.equal(target.linear.weight, before)
    assert torch.equal(target.conv.weight, state['conv.weight'])
    assert 'linear.weight' in caplog.text


def test_pretrained_refuses_weights_of_something_else(tmp_path):
    path = tmp_path / 'net.pth'
    torch.save({'encoder.weight': torch.zeros(1)}, path)
    message = f'{re.escape(str(path))} has no weights for this model'
    with pytest.raises(CheckpointError, match=message):
        initialize(Net(), dict(type='Pretrained', checkpoint=str(path)))
    with pytest.raises(CheckpointError, match="no key begins with prefix 'decoder.'"):
        initialize(Net(), dict(type='Pretrained', checkpoint=str(path), prefix='decoder'))


def test_every_initializer_is_tested_here():
    assert set(INITIALIZERS) == {'Constant', 'Xavier', 'Normal', 'TruncNormal', 'Uniform',
                                 'Kaiming', 'Caffe2Xavier', 'Pretrained'}
