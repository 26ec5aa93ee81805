import argparse
import contextlib
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import Config, DictAction
from mmcv_replace.utils.config.options import parse_option_value
from mmcv_replace.utils.config.pretty_text import format_config
from mmcv_replace.utils.errors import ConfigError


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
    ('1+1', '1+1'), ('१', '१'), ('9' * 5000, '9' * 5000),
])
def test_value(text, value):
    parsed = parse_option_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(('text', 'value'), [
    ('dict()', {}), (' dict( a = 1 ) ', {'a': 1}), ('dict(a=1,)', {'a': 1}),
    ("[dict(type='EMAHook')]", [{'type': 'EMAHook'}]),
    ("[dict(type='A, )b', x=[1, (2,)]), foo, dict()]",
     [{'type': 'A, )b', 'x': [1, (2,)]}, 'foo', {}]),
    ("(dict(a='it\\'s'),)", ({'a': "it's"},)), ('dict(a=1),dict(b=-2)', [{'a': 1}, {'b': -2}]),
    ("{'a': dict(b=')')}", {'a': {'b': ')'}}),
    ("dict(a=dict(b=[dict(c=None, d=(True, -1.5e-3))]))",
     {'a': {'b': [{'c': None, 'd': (True, -1.5e-3)}]}}),
    ("dict(a=float('-inf'))", {'a': -math.inf}),
    ("dict(ü='ä',\n b={1: 2})", {'ü': 'ä', 'b': {1: 2}}),
    ("dict(_delete_=True, type='AdamW', lr=6e-5)", {'_delete_': True, 'type': 'AdamW', 'lr': 6e-5}),
    # Names of files and regular expressions are texts; so is what is in quotes.
    ('dict(1).jpg', 'dict(1).jpg'), ('dict(old)/a.png', 'dict(old)/a.png'),
    ('dict(.*)', 'dict(.*)'), (r'dict(\w+)', r'dict(\w+)'), ('a/dict(b=1)', 'a/dict(b=1)'),
    ('mydict(a=1)', 'mydict(a=1)'), ('Dict(a=1)', 'Dict(a=1)'), ('dict', 'dict'),
    ('[foo(a=1)]', ['foo(a=1)']), ("'dict(a=1)'", 'dict(a=1)'), ('["dict(a=b)"]', ['dict(a=b)']),
])
def test_dict_calls(text, value):
    parsed = parse_option_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize('name', ['README.md', 'README.zh-CN.md'])
def test_options_in_the_readme_mean_dicts(repo_dir, name):
    """What a user copies from there changes a config to dicts, not to texts."""
    forms = re.findall(r'([a-z_.]+)="(dict\(.*?\))"', (repo_dir / name).read_text(encoding='utf-8'))
    assert len(forms) >= 5
    cfg = Config(dict(data=dict(cache=None)))
    cfg.merge_from_dict({key: parse_option_value(text) for key, text in forms})
    assert cfg.cpu == {'keep_memory': False, 'threads': 4}
    assert cfg.compile == {'mode': 'max-autotune'}
    assert cfg.data == {'cache': {'level': 'disk', 'dir': 'decoded'},
                        'on_error': {'action': 'skip', 'max_skipped': 100},
                        'test_dataloader': {'samples_per_gpu': 8}}


@pytest.mark.parametrize(('text', 'message'), [
    ('dict(type=EMAHook)', r"no literal.* \(character 11, at 'EMAHook\)'\); a dict is written as"),
    ("[dict(type='A'), dict(type=B)]", r"character 11, at 'B\)'\) in 'dict\(type=B\)'"),
    ("{'a': dict(b=c)}", r"character 14, at 'c\)}'"),
    ('dict(ü=1,\n b=c)', r"character 14, at 'c\)'"),
    ('dict(a=1, **x)', r'\*\* is not read \(character 13'), ('dict(**{})', r'\*\* is not read'),
    ('dict(*x)', r'dict\(\.\.\.\) takes name=value alone'),
    ("dict([('a', 1)])", r'dict\(\.\.\.\) takes name=value alone \(character 6'),
    ('dict(a=1, a=2)', "the key 'a' is there twice"), ("{'a': 1, 'a': 2}", 'there twice'),
    ('{[]: 1}', 'this cannot be a key'), ("dict(a=float('x'))", 'could not convert'),
    ('dict(a=1', r"never closed \(character 5, at '\(a=1'"), ('dict(a=1))', r"unmatched '\)'"),
    ("dict(a='x)", 'unterminated string'), ('[dict(a=1)', 'not closed'),
    ('dict(a=1) dict(b=2)', "invalid syntax.*character 11"), ('dict(lambda=1)', 'invalid syntax'),
    ("dict(a=open('x', 'w'))", "no literal.*character 8"), ('dict(a=true)', 'no literal'),
    ('dict(a=[x for x in (1,)])', 'no literal'), ("dict(a=f'{1}')", 'no literal'),
    ('dict(a=-x)', 'no literal'), ('dict(a=9**9)', 'no literal'),
    ('dict(a=' + '[' * 60 + ']' * 60 + ')', 'nested more than 50 deep'),
    ('dict(a=' * 1000 + '1' + ')' * 1000, 'nested'),
    ('dict(a=' + '-' * 9999 + '1)', '(nest|recursion|too complex)'),  # by Python's version
])
def test_dict_calls_that_are_no_literals(text, message):
    with pytest.raises(ConfigError, match=f'(?s)option value .*{message}'):
        parse_option_value(text)


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
@given(PLAIN)
def test_the_text_of_a_config_is_read_back(value):
    text = format_config({'key': value}).removeprefix('key = ')
    assert parse_option_value(f'[{text}, 1]') == [value, 1]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='abc01.,()[]{}\'"\\ :-e', max_size=30) | st.text())
def test_any_text_is_a_value_or_a_config_error(text):
    with contextlib.suppress(ConfigError):  # any other error fails
        parse_option_value(text)


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', '--cfg-options', nargs='+', action=DictAction)
    return parser


def test_action_collects_dotted_keys(parser):
    args = parser.parse_args(
        ['--options', 'a.b=1', 'c=(1,2)', 'd=x=y', '--cfg-options', 'e=', 'a.b=2'])
    assert args.options == {'a.b': 2, 'c': (1, 2), 'd': 'x=y', 'e': ''}
    assert parser.parse_args([]).options is None


def test_parsers_of_mmcv():
    assert DictAction._parse_iterable('[1,(a,2.5)]') == [1, ('a', 2.5)]
    assert DictAction._parse_int_float_bool('true') is True

    class Words(DictAction):
        _parse_iterable = staticmethod(str.split)

    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=Words)
    assert parser.parse_args(['--options', 'a=x y']).options == {'a': ['x', 'y']}


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
    with pytest.raises(ConfigError, match=f'^--options: {message}'):
        parser.parse_args(['--options', pair])
