"""`{{ _base_.key }}`: values of the inherited files inside a config."""
import json

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, ConfigKeyError, ConfigTypeError

BASE = {'lr': 4, 'name': 'net', 'model': {'head': {'width': 2.5}}, 'stages': [1, {'depth': 3}],
        'copy': 7}


@pytest.fixture
def base(write):
    write('base.py', ''.join(f'{key} = {value!r}\n' for key, value in BASE.items()))
    write('base.json', json.dumps(BASE))
    return write


@pytest.mark.parametrize(('code', 'value'), [
    ('{{_base_.lr}}', 4), ('{{ _base_.model }}', BASE['model']),
    ('{{ _base_.model.head.width }}', 2.5), ("{{ _base_.model }}['head']", {'width': 2.5}),
    ('{{ _base_.lr }} / 8', 0.5), ('{{ _base_.lr / 8 }}', 0.5), ('_base_.lr / 8', 0.5),
    ('[{{ _base_.lr }}, 2 * _base_.lr]', [4, 8]), ('dict(a={{ _base_.stages }})', dict(
        a=BASE['stages'])), ('{ {{_base_.name}}: 1 }', {'net': 1}), ('_base_.stages[1].depth', 3),
    ('_base_.model.head.width', 2.5), ('{{ _base_.copy }}', 7), ('len(_base_)', 1),
    ('[stage for stage in _base_.stages[:1]]', [1]),
    ("'{{ _base_.lr }}'", 4), ("'{{ _base_.name }}'", 'net'), ("'x/{{_base_.name}}/y'", 'x/net/y'),
    ("'{{ _base_.stages.1.depth }}'", 3), ("'{{ _base_.lr / 8 }}'", 0.5),
    ("['{{ _base_.lr }}', {'{{ _base_.name }}': 1}]", [4, {'net': 1}]),
    ("'_base_.lr'", '_base_.lr'), ("f'{{_base_.lr}} {_base_.lr}'", '{_base_.lr} 4'),
    ('_base_ .lr', 4), ('(_base_  # first\n    .lr)', 4), ('{ {_base_.lr} }', 4),
    ("'{{ 2*_base_.lr}}'", 8), ('8/_base_.lr', 2.0), ("['_base_/a.py', '../_base_/b.py']", [
        '_base_/a.py', '../_base_/b.py']),
])
def test_python(base, code, value):
    base('leaf.py', f"_base_ = ['base.py']\nfound = {code}\n")
    assert Config.fromfile('leaf.py').found == value


@pytest.mark.parametrize(('code', 'value'), [
    ('{{_base_.lr}}', 4), ('{{ _base_.model }}', BASE['model']), ('{{ _base_.name }}', 'net'),
    ('{{ _base_.stages.1.depth }}', 3), ('{{ _base_.lr / 8 }}', 0.5),
    ('{{ -(_base_.lr + 1) * 2 % 7 }}', 4), ('{{ 9 // _base_.lr - 1 }}', 1),
    ('{{ _base_.stages[1].depth * 2 }}', 6), ('{{ _base_.model["head"]["width"] * 2 }}', 5),
])
def test_data(base, code, value):
    quoted = code.replace('"', '\\"')
    base('leaf.json', f'{{"_base_": "base.json", "bare": {code}, "quoted": "{quoted}", '
                      f'"list": [0, {code}], "part": "{{{{_base_.name}}}}.pth"}}')
    assert Config.fromfile('leaf.json') == {
        **BASE, 'bare': value, 'quoted': value, 'list': [0, value], 'part': 'net.pth'}
    base('leaf.yaml', f"_base_: [base.json]\nbare: {code}\nquoted: '{code}'\nlist:\n- 0\n- {code}\n"
                      "part: {{ _base_.name }}.pth\n'{{_base_.name}}': 1\n")
    assert Config.fromfile('leaf.yaml') == {
        **BASE, 'bare': value, 'quoted': value, 'list': [0, value], 'part': 'net.pth', 'net': 1}


def test_variables_of_the_path_beside_them(base):
    text = '{{ fileBasenameNoExtension }}-{{ _base_.name }}'
    for name, content in (('leaf.py', f"_base_ = '{{{{fileDirname}}}}/base.py'\nx = '{text}'\n"),
                          ('leaf.json', f'{{"_base_": "base.json", "x": "{text}"}}'),
                          ('leaf.yaml', f"_base_: base.json\nx: '{text}'\n")):
        base(name, content)
        assert Config.fromfile(name).x == 'leaf-net'
        if name != 'leaf.py':
            assert Config.fromfile(name, use_predefined_variables=False).x == (
                '{{ fileBasenameNoExtension }}-net')


def test_bases_are_not_changed(base):
    base('leaf.py', "_base_ = 'base.py'\nmine = {{ _base_.model }}\nmine.head.width = 9\n"
                    'mine2 = _base_.stages\nmine2.append(5)\n')
    cfg = Config.fromfile('leaf.py')
    assert cfg.model == BASE['model']
    assert cfg.mine == {'head': {'width': 9}}
    assert cfg.mine2 == [*BASE['stages'], 5]


def test_the_base_of_a_base(base):
    base('middle.py', "_base_ = 'base.py'\nhalf = {{ _base_.lr }} / 2\n")
    base('leaf.py', "_base_ = ['middle.py']\nquarter = {{ _base_.half }} / 2\nsame = _base_.lr\n")
    cfg = Config.fromfile('leaf.py')
    assert (cfg.half, cfg.quarter, cfg.same) == (2, 1, 4)


def test_several_bases_and_files_added_later(base):
    base('other.py', 'batch = 8\n')
    base('leaf.py', "first = {{ _base_.lr }}\n_base_ = ['base.py']\n_base_.append('other.py')\n"
                    'rate = _base_.lr / _base_.batch\n')
    assert Config.fromfile('leaf.py').rate == 0.5
    assert Config.fromfile('leaf.py').first == 4


def test_texts_of_the_files_once(base):
    base('leaf.py', "_base_ = 'base.py'\na = _base_.lr\nb = _base_.lr\n")
    text = Config.fromfile('leaf.py').text
    assert text.count('lr = 4') == 1
    assert text.index('lr = 4') < text.index('a = _base_.lr')


def test_explain_names_the_file_that_uses_the_value(base):
    base('leaf.py', "_base_ = 'base.py'\nmodel = dict(head=dict(width=_base_.lr))\n"
                    'mine = {{ _base_.model }}\n')
    cfg = Config.fromfile('leaf.py')
    cfg.merge_from_dict({'mine.head.width': 1})
    assert cfg.explain('model.head.width') == (
        'model.head.width = 4  # set by base.py, overridden by leaf.py')
    assert cfg.explain('mine.head.width') == (
        'mine.head.width = 1  # set by leaf.py, overridden by command line')


def test_a_dumped_text_that_looks_alike_stays_a_text(base):
    cfg = Config(dict(x='{{ _base_.lr }}'))
    assert Config.fromstring(cfg.pretty_text) == cfg


def test_docstrings_and_comments_are_not_read(base):
    base('leaf.py', '"""Takes {{ _base_.nothing }}."""\n# {{ _base_.nothing }}\nx = 1\n')
    assert Config.fromfile('leaf.py') == {'x': 1}


@pytest.mark.parametrize(('code', 'message'), [
    ('{{ _base_.lrr }}', r"leaf.py, line 2: the files of _base_ have no key 'lrr'; did you mean "
                         r"'lr'\? \(their keys: lr, name.*\)\n    x = \{\{ _base_.lrr \}\}"),
    ('_base_.model.haed', r"leaf.py, line 2: this config has no key 'haed'; did you mean 'head'"),
    ("'{{ _base_.model.haed }}'", "leaf.py, line 2: key 'model.haed': model has no 'haed'; did"),
])
def test_unknown_key_in_python(base, code, message):
    base('leaf.py', f"_base_ = 'base.py'\nx = {code}\n")
    with pytest.raises(ConfigKeyError, match=message):
        Config.fromfile('leaf.py')


@pytest.mark.parametrize(('code', 'error', 'message'), [
    ('{{ _base_.lrr }}', ConfigKeyError, "the config has no 'lrr'; did you mean 'lr'"),
    ('{{ _base_.model["x"] }}', ConfigKeyError, "has no key 'x'"),
    ('{{ _base_.lr / 0 }}', ConfigError, 'cannot be computed: division by zero'),
    ('{{ _base_.stages[5] }}', ConfigError, 'cannot be computed: list index out of range'),
    ('{{ _base_.lr + }}', ConfigError, 'cannot be computed: invalid syntax'),
    ('{{ _base_.name * 9 }}', ConfigTypeError, "'net' is no number"),
    ('{{ open(_base_.name) }}', ConfigError, r'open\(_base_.name\) is neither a value of _base_'),
    ('{{ _base_.lr ** 9 }}', ConfigError, 'is neither a value of _base_ nor arithmetic'),
    ('a {{ _base_.model }}', ConfigTypeError, 'cannot be a part of a text: let it stand alone'),
])
def test_what_cannot_be_had_in_data(base, code, error, message):
    base('leaf.yaml', f"_base_: base.json\nx: '{code}'\n")
    with pytest.raises(error, match=message) as caught:
        Config.fromfile('leaf.yaml')
    assert 'leaf.yaml: ' in str(caught.value)


def test_without_a_base(base):
    base('leaf.py', 'x = {{ _base_.lr }}\n')
    with pytest.raises(KeyError, match=r"no key 'lr' \(their keys: none\)"):
        Config.fromfile('leaf.py')
    base('leaf.py', "_base_ = 'nowhere.py'\nx = {{ _base_.lr }}\n")
    with pytest.raises(FileNotFoundError, match='nowhere.py does not exist'):
        Config.fromfile('leaf.py')
