import copy
import pickle

import pytest

from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.config.config_dict import MissingKeyError, assign, history_of
from mmcv_replace.utils.errors import ConfigError


@pytest.fixture
def cfg():
    result = ConfigDict()
    assign(result, 'model', dict(depth=50, stages=[dict(dilation=2)], pair=(dict(a=1), 2)), 'a.py')
    return result


def test_keys_are_attributes_at_every_depth(cfg):
    assert cfg.model.depth == 50
    assert cfg.model.stages[0].dilation == 2
    assert cfg.model.pair[0].a == 1
    cfg.model.extra = dict(b=[dict(c=3)])
    assert cfg['model']['extra']['b'][0].c == 3
    del cfg.model.extra
    assert 'extra' not in cfg.model


def test_equals_the_plain_dict_and_converts_back(cfg):
    plain = {'model': {'depth': 50, 'stages': [{'dilation': 2}], 'pair': ({'a': 1}, 2)}}
    assert cfg == plain
    assert cfg.to_dict() == plain
    assert type(cfg.to_dict()['model']['stages'][0]) is dict
    assert type(cfg.to_dict()['model']['pair'][0]) is dict


@pytest.mark.parametrize('put', [
    lambda cfg, value: cfg.update(x=value),
    lambda cfg, value: cfg.update({'x': value}),
    lambda cfg, value: cfg.setdefault('x', value),
    lambda cfg, value: cfg.__ior__({'x': value}),
    lambda cfg, value: cfg.__setitem__('x', value),
])
def test_every_way_in_converts_dicts(put):
    cfg = ConfigDict()
    put(cfg, {'y': 1})
    assert cfg.x.y == 1


def test_or_makes_a_new_config_dict(cfg):
    merged = cfg | {'x': {'y': 1}}
    assert merged.x.y == 1
    assert merged.model.depth == 50
    assert 'x' not in cfg


def test_update_merges_dicts_as_in_mmcv():
    cfg = ConfigDict(a=dict(x=1, y=dict(z=2)), b=dict(c=3), d=[1])
    cfg.update({'a': {'x': 5, 'y': {'w': 6}}}, b=4, d=[2], e=dict(f=7))
    assert cfg == dict(a=dict(x=5, y=dict(z=2, w=6)), b=4, d=[2], e=dict(f=7))
    assert cfg.e.f == 7
    merged = cfg | dict(a=dict(x=8))
    assert merged.a == dict(x=8, y=dict(z=2, w=6))
    assert cfg.a.x == 5


def test_update_is_recorded_where_it_changes():
    cfg = ConfigDict()
    assign(cfg, 'a', dict(x=1, y=2), 'a.py')
    cfg.update(a=dict(x=3))
    assert cfg.a.origin('x') == 'program code'
    assert cfg.a.origin('y') == 'a.py'


def test_made_of_several_dicts_or_none():
    assert ConfigDict({'a': 1}, {'b': 2}, c=3) == dict(a=1, b=2, c=3)
    assert ConfigDict(None) == {}


def test_setdefault_keeps_what_is_there():
    cfg = ConfigDict(x=1)
    assert cfg.setdefault('x', 2) == 1
    assert cfg.setdefault('y') is None


def test_missing_key_suggests_as_item_and_as_attribute(cfg):
    for ask in (lambda: cfg.model.detph, lambda: cfg.model['detph']):
        with pytest.raises(MissingKeyError) as caught:
            ask()
        assert str(caught.value) == ("this config has no key 'detph'; did you mean 'depth'? "
                                     '(its keys: depth, stages, pair)')
    with pytest.raises(MissingKeyError, match="the config of 'ResNet' has no key 'x'"):
        _ = ConfigDict(type='ResNet').x


def test_missing_key_behaves_as_python_expects(cfg):
    assert not hasattr(cfg, 'absent')
    assert getattr(cfg, 'absent', 3) == 3
    assert cfg.get('absent') is None
    assert cfg.pop('absent', 4) == 4
    with pytest.raises(KeyError):
        cfg['absent']
    with pytest.raises(AttributeError):
        _ = cfg.__array__


def test_attribute_cannot_hide_a_method(cfg):
    with pytest.raises(ConfigError, match=r"'items' is a method .* write cfg\['items'\]"):
        cfg.items = 1
    with pytest.raises(AttributeError):
        cfg.items = 1
    cfg['items'] = 1
    assert dict(cfg.items())['items'] == 1


def test_origin_of_keys_at_every_depth(cfg):
    assert cfg.origin('model') == 'a.py'
    assert cfg.model.origin('depth') == 'a.py'
    assert cfg.model.stages[0].origin('dilation') == 'a.py'
    assert cfg.model.pair[0].origin('a') == 'a.py'
    assert cfg.origin('absent') is None
    assign(cfg.model, 'depth', 18, 'b.py')
    cfg.model.depth = 101
    assert history_of(cfg.model, 'depth') == ('a.py', 'b.py', 'program code')
    cfg.model.fresh = 1
    assert cfg.model.origin('fresh') is None


@pytest.mark.parametrize('clone', [
    copy.deepcopy, copy.copy, ConfigDict.copy, ConfigDict,
    lambda cfg: pickle.loads(pickle.dumps(cfg)),
])
def test_copies_keep_values_and_origins(cfg, clone):
    twin = clone(cfg)
    assert type(twin) is ConfigDict
    assert twin == cfg
    assert twin.origin('model') == 'a.py'
    assert twin.model.stages[0].origin('dilation') == 'a.py'
    twin.x = 1
    assign(twin, 'model', 1, 'b.py')
    assert 'x' not in cfg
    assert cfg.origin('model') == 'a.py'


def test_deepcopy_shares_nothing(cfg):
    twin = copy.deepcopy(cfg)
    twin.model.stages[0].dilation = 9
    assert cfg.model.stages[0].dilation == 2
