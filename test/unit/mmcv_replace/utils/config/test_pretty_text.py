import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text(max_size=12).filter(lambda key: key != '_delete_') | st.sampled_from(
    ['type', 'a b', 'class', 'None', 'dict', 'float', 'globals', 'self', 'lr', "it's"])
VALUES = st.recursive(SCALARS, lambda inner: (
    st.lists(inner) | st.lists(inner).map(tuple)
    | st.dictionaries(KEYS | st.integers() | st.booleans() | st.none(), inner)), max_leaves=20)
TOP_KEYS = KEYS.filter(
    lambda key: not key.startswith('_') and key not in ('filename', 'text', 'pretty_text'))


def same(left, right):
    """Equality that also compares types and the sign of zero."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same(*keys) and same(left[keys[0]], right[keys[1]])
            for keys in zip(sorted(left, key=repr), sorted(right, key=repr), strict=True))
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return repr(left) == repr(right)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TOP_KEYS, VALUES, max_size=5))
def test_loads_back_to_an_equal_config(tree):
    cfg = Config(tree)
    back = Config.fromstring(cfg.pretty_text)
    assert same(back.to_dict(), cfg.to_dict())


@pytest.mark.parametrize('value', [
    (), (1,), [], {}, {'a': ()}, [(1, 2), [3]], -0.0, 1e300, math.inf, -math.inf, True, None,
    'quote\'s "both"', 'new\nline\ttab\\', '模型', '\ud800', '{{ fileDirname }}', '{{{',
    {1: 'a', None: 2},
    {'a-b': 1}, {'lambda': 1}, {'a': {'class': {'b': [dict(c=1)]}}}, {(1, 'x'): 2}, 10**40,
    list(range(200)), [0.1] * 60, [[1] * 50, ['x'] * 50], ('a' * 120, 'b'), [{}] * 60,
])
def test_special_values(value):
    cfg = Config(dict(key=value))
    assert same(Config.fromstring(cfg.pretty_text).to_dict(), {'key': value})


def test_nan():
    assert math.isnan(Config.fromstring(Config(dict(x=math.nan)).pretty_text).x)


@pytest.mark.parametrize('key', ['a-b', 'class', 'dict', 'float', 'globals', '1x', '', 'ﬁ'])
def test_top_level_keys_that_are_no_names(key):
    cfg = Config({key: dict(a=math.inf), 'x': dict(b=[1.5, -math.inf])})
    assert Config.fromstring(cfg.pretty_text) == cfg


def test_layout():
    cfg = Config(dict(
        lr=0.01,
        model=dict(type='EncoderDecoder', backbone=dict(type='ResNetV1c', depth=50,
                                                        out_indices=(0, 1, 2, 3)),
                   test_cfg=dict(mode='whole')),
        weight=[0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023,
                0.9539, 0.9843, 1.1116, 0.9037, 1.0865],
        keys={'a.b': 1}))
    assert cfg.pretty_text == '''\
lr = 0.01
model = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=50, out_indices=(0, 1, 2, 3)),
    test_cfg=dict(mode='whole'),
)
weight = [
    0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539, 0.9843,
    1.1116, 0.9037, 1.0865,
]
keys = {'a.b': 1}
'''


def test_lines_stay_within_100_columns():
    tree = {f'key{i}': {f'sub{j}': [{'name': 'x' * j, 'value': (i, j)}] * 3 for j in range(20)}
            for i in range(3)}
    assert max(map(len, Config(tree).pretty_text.splitlines())) <= 100


def test_deepest_config_that_is_allowed_loads_back():
    tree = value = {}
    for _ in range(48):
        value['x'] = value = {}
    assert Config.fromstring(Config(tree).pretty_text) == tree
    value['x'] = {'x': {'x': {}}}
    with pytest.raises(ConfigError, match='nested too deeply'):
        _ = Config(tree).pretty_text


def test_value_that_is_not_plain_is_named():
    with pytest.raises(ConfigError, match=r"pretty_text: 'model\.head\.0\.act' is a type"):
        _ = Config(dict(model=dict(head=[dict(act=int)]))).pretty_text
