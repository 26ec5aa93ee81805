"""What user code written for mmcv does with a config, beside reading it."""
import importlib
import json
import os
import sys
import warnings

import pytest
import yaml

from mmcv_replace.utils import Config, ConfigDict
from mmcv_replace.utils.errors import ConfigError


def test_private_names_of_mmcv():
    cfg = Config(dict(a=1), cfg_text='text', filename='a.py')
    assert cfg._cfg_dict == {'a': 1}
    assert (cfg._filename, cfg._text) == ('a.py', 'text')
    cfg._cfg_dict['b'] = dict(c=2)
    assert cfg.b.c == 2
    super(Config, cfg).__setattr__('_cfg_dict', ConfigDict(d=3))
    assert cfg == {'d': 3}
    cfg._filename, cfg._text = 'b.py', 'other'
    assert (cfg.filename, cfg.text) == ('b.py', 'other')
    assert cfg == {'d': 3}


def test_values_and_text_of_a_file(write):
    content = "name = '{{ fileBasename }}'\n"
    path = write('a.py', content)
    assert Config._file2dict(str(path)) == ({'name': 'a.py'}, f'{path}\n{content}')

    class Own(Config):
        @staticmethod
        def _file2dict(filename, use_predefined_variables=True):
            return ConfigDict(own=use_predefined_variables), 'text'

    assert Own.fromfile(path, use_predefined_variables=False) == {'own': False}


def test_reserved_words():
    config = importlib.import_module('mmcv_replace.utils.config')
    assert (config.BASE_KEY, config.DELETE_KEY, config.DEPRECATION_KEY) == (
        '_base_', '_delete_', '_deprecation_')
    assert set(config.RESERVED_KEYS) == {'filename', 'text', 'pretty_text'}


def test_text_is_that_of_the_file(write):
    path = write('a.py', 'a = 1\n')
    assert Config(dict(b=2), filename=str(path)).text == 'a = 1\n'
    assert Config(dict(b=2), filename='nowhere.py').text == ''
    assert Config.fromfile('a.py').text == f'{path}\na = 1\n'


def test_text_in_the_format_of_the_file(write):
    tree = dict(a=1, b=dict(c=[1, 'x']))
    for name, text in (('a.json', json.dumps(tree)), ('a.yaml', yaml.safe_dump(tree)),
                       ('a.py', Config(tree).pretty_text), ('a', Config(tree).pretty_text)):
        cfg = Config(tree, filename=name)
        assert cfg.dump() == text
        if name != 'a':
            cfg.dump(name)
            with open(name, encoding='utf-8') as file:
                assert file.read() == text


def test_shown_with_its_file():
    assert str(Config(dict(a=1), filename='a.py')) == "Config (path: a.py): {'a': 1}"


def test_merge_as_a_function():
    base, child = dict(a=dict(x=1), b=[dict(c=1)]), dict(a=dict(y=2))
    assert Config._merge_a_into_b(child, base) == dict(a=dict(x=1, y=2), b=[dict(c=1)])
    assert base == dict(a=dict(x=1), b=[dict(c=1)])
    assert Config._merge_a_into_b(dict(a=dict(y=2, _delete_=True)), base)['a'] == dict(y=2)
    assert Config._merge_a_into_b({'b': {'0': dict(c=5)}}, base, True)['b'] == [dict(c=5)]
    with pytest.raises(TypeError, match="'b' is a dict"):
        Config._merge_a_into_b({'b': {'0': dict(c=5)}}, base)
    assert type(Config._merge_a_into_b(child, ConfigDict(base))) is ConfigDict


@pytest.mark.parametrize(('content', 'kinds'), [
    ('a = 0b = dict()', SyntaxError), ('filename = 1', KeyError), ("_base_ = 'no.py'", OSError),
    ('_base_ = 3', TypeError), ("_base_ = 'one.py'\na = dict(b=1)", TypeError),
    ("_base_ = ['one.py', 'two.py']", KeyError),
    ("custom_imports = dict(imports='no_such_module')", ImportError),
    ("custom_imports = dict(import_='os')", TypeError), ('_deprecation_ = 3', TypeError),
])
def test_types_of_errors_in_files(write, content, kinds):
    write('one.py', 'a = 1')
    write('two.py', 'a = 2')
    write('leaf.py', content)
    with pytest.raises(kinds) as caught:
        Config.fromfile('leaf.py')
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize(('act', 'kind', 'message'), [
    (lambda: Config([1]), TypeError, 'made from a dict'),
    (lambda: Config(dict(text=1)), KeyError, "'text' cannot be a key"),
    (lambda: Config.fromfile('no.py'), FileNotFoundError, 'no.py does not exist'),
    (lambda: Config.fromfile('a.txt'), OSError, "the format of a config is .*, not '.txt'"),
    (lambda: Config.fromfile('a.jpg'), OSError,
     'a.jpg is not a UTF-8 text file: .* A config ends in one of .py, .* before the checkpoint'),
    (lambda: Config.fromstring('a = 1', '.txt'), OSError, "not '.txt'"),
    (lambda: Config.fromstring(3, '.py'), TypeError, 'the text of a config is a str, not 3'),
    (lambda: Config(dict(a=1)).merge_from_dict([1]), TypeError, r'options are a dict, not \[1\]'),
    (lambda: Config(dict(a=1)).merge_from_dict({'a.b': 1}), TypeError, 'has no parts'),
    (lambda: Config(dict(a=[1])).merge_from_dict({'a.0': 1}, False), TypeError, 'has no parts'),
    (lambda: Config(dict(a=[1])).merge_from_dict({'a.1': 1}), KeyError, "from 0 to 0, not '1'"),
    (lambda: Config(dict(a=[1])).merge_from_dict({'a.x': 1}), TypeError, "from 0 to 0, not 'x'"),
])
def test_types_of_errors(write, tmp_path, act, kind, message):
    write('a.txt', 'a = 1')
    (tmp_path / 'a.jpg').write_bytes(b'\xff\xd8\xff')
    with pytest.raises(kind, match=message) as caught:
        act()
    assert isinstance(caught.value, ConfigError)


def test_syntax_error_names_file_line_and_text(write):
    path = write('a.py', 'x = 1\na=0b=dict(c=1)')
    with pytest.raises(SyntaxError) as caught:
        Config.fromfile('a.py')
    assert str(caught.value).startswith(f'There are syntax errors in config file {path}, line 2: ')
    assert str(caught.value).endswith(': a=0b=dict(c=1)')


def test_variables_may_be_left_as_they_are(write):
    write('a.py', "a = '{{fileBasename}}'")
    write('a.json', '{"a": "{{ fileBasename }}"}')
    write('a.yaml', "a: '{{ fileBasename }}'")
    for name, text in (('a.py', '{{fileBasename}}'), ('a.json', '{{ fileBasename }}'),
                       ('a.yaml', '{{ fileBasename }}')):
        assert Config.fromfile(name, use_predefined_variables=False).a == text
        assert Config.fromfile(name).a == name


@pytest.fixture
def module(write, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    write('module_of_a_config.py', "import os\nos.environ['IMPORTED_BY_CONFIG'] = 'yes'\n")
    monkeypatch.setenv('IMPORTED_BY_CONFIG', 'no')
    yield 'module_of_a_config'
    sys.modules.pop('module_of_a_config', None)


@pytest.mark.parametrize('imports', ["dict(imports=['{}'], allow_failed_imports=False)",
                                     "dict(imports='{}')", "['{}']", "'{}'"])
def test_custom_imports_are_imported(write, module, imports):
    write('a.py', f'custom_imports = {imports.format(module)}')
    Config.fromfile('a.py', import_custom_modules=False)
    assert os.environ['IMPORTED_BY_CONFIG'] == 'no'
    Config.fromfile('a.py')
    assert os.environ['IMPORTED_BY_CONFIG'] == 'yes'


def test_custom_imports_of_a_text(module):
    Config.fromstring(f"custom_imports = '{module}'", import_custom_modules=False)
    assert os.environ['IMPORTED_BY_CONFIG'] == 'no'
    Config.fromstring(f"custom_imports = '{module}'")
    assert os.environ['IMPORTED_BY_CONFIG'] == 'yes'


def test_custom_imports_may_fail(write):
    write('a.py', "custom_imports = dict(imports='no_such_module', allow_failed_imports=True)")
    with pytest.warns(UserWarning, match="cannot import 'no_such_module'"):
        Config.fromfile('a.py')


@pytest.mark.parametrize(('entry', 'told'), [
    ("dict(expected='new.py', reference='http://x')", 'deprecated; use new.py instead; see http'),
    ("dict(expected='new.py')", 'deprecated; use new.py instead$'),
    ("dict(reference='http://x')", 'deprecated; see http://x$'), ('{}', 'deprecated$')])
def test_deprecated_file(write, caplog, entry, told):
    path = write('old.py', f'_deprecation_ = {entry}\na = 1\n')
    write('leaf.py', "_base_ = 'old.py'\n")
    with pytest.warns(DeprecationWarning, match=f'the config file {path} is {told}'):
        assert Config.fromfile('leaf.py') == {'a': 1}
    assert f'the config file {path} is deprecated' in caplog.text


def test_deprecated_data_file(write):
    write('old.json', '{"_deprecation_": {"expected": "new.json"}, "a": 1}')
    with pytest.warns(DeprecationWarning, match='use new.json'):
        assert Config.fromfile('old.json') == {'a': 1}


def test_parser_of_a_config(write, monkeypatch):
    write('a.py', "a = 1\nb = 2.5\nc = 'x'\nd = True\ne = dict(f=3, g=dict(h='q'))\nl = [1, 2]\n"
                  "n = None\nempty = []\ndicts = [dict(x=1)]\n")
    monkeypatch.setattr(sys, 'argv', ['program', 'a.py', '--e.g.h', 'z'])
    parser, cfg = Config.auto_argparser('what it does')
    assert cfg == Config.fromfile('a.py')
    assert parser.description == 'what it does'
    args = vars(parser.parse_args(['a.py', '--a', '7', '--b', '1', '--d', '0', '--e.g.h', 'z',
                                   '--l', '4', '5']))
    assert args == {'config': 'a.py', 'a': 7, 'b': 1.0, 'c': None, 'd': 0, 'e.f': None,
                    'e.g.h': 'z', 'l': [4, 5]}


def test_nothing_warns_without_a_reason(write):
    write('a.py', 'a = 1')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        Config.fromfile('a.py')
