import argparse
import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import DictAction
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.options import parse_option_value


@pytest.mark.parametrize(('text', 'value'), [
    ('1', 1), ('-2', -2), ('+3', 3), ('007', 7), ('1.5', 1.5), ('1e-3', 1e-3), ('.5', 0.5),
    ('5.', 5.0), ('inf', math.inf), ('-INF', -math.inf),
    ('True', True), ('true', True), ('FALSE', False), ('None', None), ('none', None),
    ('word', 'word'), ('', ''), ("'5'", '5'), ('"a,b"', 'a,b'), ("it's", "it's"), ("'abc", "'abc"),
    ('a,b', ['a', 'b']), ('1,2.5,x', [1, 2.5, 'x']), ('a,', ['a']), (' 1 , 2 ', [1, 2]),
    ('[1,2]', [1, 2]), ('[a]', ['a']), ('[]', []), ('()', ()), ('(512,128)', (512, 128)),
    ('(512)', (512,)), ('(512,)', (512,)), ('[[1,2],[3]]', [[1, 2], [3]]),
    ('[(a,b),(c,d)]', [('a', 'b'), ('c', 'd')]), ('(1,[2,(3)])', (1, [2, (3,)])),
    ('["x, y",\'z)\']', ['x, y', 'z)']), ("{'a': (1, 2)}", {'a': (1, 2)}),
    ("[{'type': 'A(1'}, {'type': 'B'}]", [{'type': 'A(1'}, {'type': 'B'}]),
    ('[none,true,[false]]', [None, True, [False]]),
    ('2012_08', '2012_08'), ('0x10', '0x10'), ('1e', '1e'), ('--', '--'), ('a=b', 'a=b'),
    ('(a)(b)', '(a)(b)'), ('img (1).png', 'img (1).png'), ('epoch_{}.pth', 'epoch_{}.pth'),
    ('a)b', 'a)b'), ('__import__("os").getcwd()', '__import__("os").getcwd()'),
    ('dict(a=1)', 'dict(a=1)'), ('1+1', '1+1'), ('१', '१'), ('9' * 5000, '9' * 5000),
])
def test_value(text, value):
    parsed = parse_option_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_nan():
    assert math.isnan(parse_option_value('nan'))


@pytest.mark.parametrize(('text', 'message'), [
    ('(512,128', r"'\(512,128': a bracket or quote is not closed"),
    ('[1,2)', 'not closed'),
    ("['a]", 'not closed'),
    ('{a: 1}', 'a dict is written as in Python'),
    ('{"a": len("x")}', 'a dict is written as in Python'),
    ('[' * 60 + ']' * 60, 'nested more than 50 deep'),
    ('{' * 300 + '}' * 300, 'a dict is written as in Python'),
])
def test_bad_value(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_option_value(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-10**9, 10**9)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, min_size=2) | st.lists(inner, min_size=2).map(tuple)
    | st.dictionaries(st.text(), inner), max_leaves=10)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_repr_of_a_plain_value_is_read_back(value):
    assert parse_option_value(repr(value)) == value


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='abc01.,()[]{}\'"\\ :-e', max_size=30) | st.text())
def test_any_text_is_a_value_or_a_config_error(text):
    with contextlib.suppress(ConfigError):  # any other error fails
        parse_option_value(text)


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--options', '--cfg-options', nargs='+', action=DictAction)
    return parser


def test_action_collects_dotted_keys(parser):
    args = parser.parse_args(
        ['--options', 'a.b=1', 'c=(1,2)', 'd=x=y', '--cfg-options', 'e=', 'a.b=2'])
    assert args.options == {'a.b': 2, 'c': (1, 2), 'd': 'x=y', 'e': ''}
    assert parser.parse_args([]).options is None


def test_action_leaves_its_default_alone():
    default = {'x': 1}
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', action=DictAction, default=default)
    assert parser.parse_args(['--options', 'y=2']).options == {'x': 1, 'y': 2}
    assert default == {'x': 1}


@pytest.mark.parametrize(('pair', 'message'), [
    ('depth', "'depth' is not of the form key=value"),
    ('=3', "'=3' is not of the form key=value"),
    ('a=(1', 'a: option value'),
])
def test_action_refuses(parser, pair, message):
    with pytest.raises(argparse.ArgumentError, match=message):
        parser.parse_args(['--options', pair])
