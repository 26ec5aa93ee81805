import copy
import itertools
import json
import pickle
import sys

import pytest
import yaml

from mmcv_replace.utils import Config
from mmcv_replace.utils.config import CONFIG_ROOTS
from mmcv_replace.utils.errors import ConfigError


def test_python_file_gives_its_public_names(write):
    path = write('a.py', 'import os\nfrom math import sqrt\n_private = 1\nimport os.path as osp\n'
                         'def helper():\n    return 3\nclass C:\n    pass\n'
                         'lr = sqrt(4)\nmodel = dict(n=helper(), d=None)\n')
    cfg = Config.fromfile(path)
    assert cfg == {'lr': 2.0, 'model': {'n': 3, 'd': None}}
    assert cfg.filename == str(path)
    assert 'def helper' in cfg.text


def test_future_import_is_no_key(write):
    write('a.py', 'from __future__ import annotations\nlr = 1\n')
    assert Config.fromfile('a.py') == {'lr': 1}


def test_json_and_yaml(write):
    tree = {'lr': 1e-3, 'model': {'depth': 50, 'layers': [1, {'a': None}]}}
    write('a.json', json.dumps(tree))
    write('a.yaml', yaml.safe_dump(tree))
    write('b.yml', 'lr: 1e-3\nmodel: {depth: 50, layers: [1, {a: null}]}\n')
    for name in ('a.json', 'a.yaml', 'b.yml'):
        cfg = Config.fromfile(name)
        assert cfg == tree, name
        assert cfg.model.layers[1].a is None


def test_base_is_relative_to_the_file_and_dicts_merge(write):
    write('configs/_base_/model.py', "model = dict(type='A', backbone=dict(depth=50, style='p'))")
    write('configs/_base_/data.json', '{"data": {"batch": 4}}')
    write('configs/net/leaf.py', "_base_ = ['../_base_/model.py', '../_base_/data.json']\n"
                                 'model = dict(backbone=dict(depth=18))\n')
    write('configs/net/leaf2.py', "_base_ = './leaf.py'\ndata = dict(workers=2)\n")
    assert Config.fromfile('configs/net/leaf2.py') == {
        'model': {'type': 'A', 'backbone': {'depth': 18, 'style': 'p'}},
        'data': {'batch': 4, 'workers': 2}}


def test_text_holds_all_files_bases_first(write):
    write('a.py', 'first = 1\n')
    write('b.py', "_base_ = 'a.py'\nsecond = 2\n")
    text = Config.fromfile('b.py').text
    assert 0 <= text.index('a.py\nfirst = 1') < text.index('b.py\n_base_') < text.index('second')


def test_delete_replaces_and_leaves_no_mark(write):
    write('a.py', 'model = dict(head=dict(a=1, b=2), neck=dict(c=3))')
    write('b.py', "_base_ = 'a.py'\nmodel = dict(head=dict(_delete_=True, b=5),"
                  ' neck=dict(_delete_=False, d=4), new=dict(_delete_=True, sub=dict(_delete_=True,'
                  ' e=1)))')
    assert Config.fromfile('b.py').model == {
        'head': {'b': 5}, 'neck': {'c': 3, 'd': 4}, 'new': {'sub': {'e': 1}}}


def test_delete_in_an_option_of_its_own_comes_first():
    options = {'optimizer.type': 'B', 'optimizer._delete_': True, 'optimizer.lr': 2}
    for order in itertools.permutations(options):
        cfg = Config(dict(optimizer=dict(type='A', lr=1, momentum=0.9)))
        cfg.merge_from_dict({key: options[key] for key in order})
        assert cfg.optimizer == {'type': 'B', 'lr': 2}


def test_dict_over_none_and_none_over_dict(write):
    write('a.py', 'neck = None\nhead = dict(a=1)')
    write('b.py', "_base_ = 'a.py'\nneck = dict(b=1)\nhead = None")
    assert Config.fromfile('b.py') == {'neck': {'b': 1}, 'head': None}


def test_dict_over_a_list_is_refused(write):
    write('a.py', 'data = dict(train=[1, 2])')
    write('b.py', "_base_ = 'a.py'\ndata = dict(train=dict(b=1))")
    with pytest.raises(ConfigError, match=r"'data\.train' is a dict in b\.py, but \[1, 2\] in "
                                          r'a\.py: add _delete_=True'):
        Config.fromfile('b.py')


@pytest.mark.parametrize('index', ['1', "'1'"])
def test_entries_of_a_list_are_for_options(write, index):
    write('a.py', 'model = dict(head=[dict(classes=2), dict(classes=2)])')
    write('b.py', f"_base_ = 'a.py'\nmodel = dict(head={{{index}: dict(classes=3)}})")
    with pytest.raises(ConfigError, match='a list is replaced as a whole here: write all its '
                                          r'entries, .* --cfg-options model\.head\.1\.KEY=VALUE'):
        Config.fromfile('b.py')


def test_bases_may_repeat_a_key_only_with_the_same_value(write):
    write('a.py', 'norm = dict(type="BN")\nx = 1')
    write('b.py', 'norm = dict(type="BN")\ny = 2')
    write('c.py', 'norm = dict(type="GN")')
    write('same.py', "_base_ = ['a.py', 'b.py']")
    write('differ.py', "_base_ = ['a.py', 'c.py']")
    assert Config.fromfile('same.py') == {'norm': {'type': 'BN'}, 'x': 1, 'y': 2}
    with pytest.raises(ConfigError, match=r"disagree about 'norm': \{'type': 'BN'\} in a\.py, "
                                          r"\{'type': 'GN'\} in c\.py"):
        Config.fromfile('differ.py')


def test_circular_bases(write):
    write('a.py', "_base_ = 'b.py'")
    write('b.py', "_base_ = './a.py'")
    with pytest.raises(ConfigError, match=r'circle: .*a\.py -> .*b\.py -> .*a\.py'):
        Config.fromfile('a.py')


def test_same_base_twice_is_no_circle(write):
    write('a.py', 'x = 1')
    write('b.py', "_base_ = 'a.py'\ny = 1")
    write('c.py', "_base_ = ['a.py', 'b.py']")
    assert Config.fromfile('c.py') == {'x': 1, 'y': 1}


@pytest.mark.parametrize('base', ['3', "['a.py', 3]", 'dict(a=1)'])
def test_bad_base(write, base):
    write('a.py', 'x = 1')
    write('b.py', f'_base_ = {base}')
    with pytest.raises(ConfigError, match='b.py: _base_ is a file name or a list of them'):
        Config.fromfile('b.py')


def test_missing_base_names_both_files(write):
    write('_base_/model.py', 'x = 1')
    write('b.py', "_base_ = '_base_/modle.py'")
    with pytest.raises(ConfigError, match=r'b\.py: the _base_ file _base_/modle\.py does not '
                                          r'exist; .*_base_ has model\.py'):
        Config.fromfile('b.py')


def test_variables_of_the_file_name(write):
    path = write("it's/leaf.v2.py", "name = '{{ fileBasenameNoExtension }}'\n"
                                    "all = ['{{fileDirname}}', '{{ fileBasename }}', "
                                    "'{{ fileExtname }}']\nother = '{{ unknown }}'\n")
    cfg = Config.fromfile(path)
    assert cfg.name == 'leaf.v2'
    assert cfg['all'] == [str(path.parent), 'leaf.v2.py', '.py']
    assert cfg.other == '{{ unknown }}'


def test_variables_in_json_yaml_and_base(write):
    write('q"/a.json', '{"name": "{{ fileDirname }}"}')
    write('a.yaml', 'name: run_{{ fileBasenameNoExtension }}')
    write('sub/leaf.py', "_base_ = '{{ fileDirname }}/../a.yaml'")
    assert Config.fromfile('q"/a.json').name.endswith('/q"')
    assert Config.fromfile('sub/leaf.py').name == 'run_a'


def test_helper_module_beside_the_config_leaves_no_trace(write, tmp_path):
    write('one/size_helper.py', 'def size():\n    return 512')
    write('one/a.py', 'from size_helper import size\ncrop = size()')
    write('two/size_helper.py', 'def size():\n    return 769')
    write('two/a.py', 'from size_helper import size\ncrop = size()')
    path = list(sys.path)
    assert Config.fromfile('one/a.py').crop == 512
    assert Config.fromfile('two/a.py').crop == 769
    assert 'size_helper' not in sys.modules
    assert sys.path == path
    assert sorted(p.name for p in (tmp_path / 'one').iterdir()) == ['a.py', 'size_helper.py']


def test_importable_module_below_the_config_folder_stays_imported(write, monkeypatch):
    write('my_own_package/__init__.py', 'table = {}')
    write('a.py', 'import my_own_package\nx = len(my_own_package.table)')
    monkeypatch.syspath_prepend('.')
    monkeypatch.delitem(sys.modules, 'my_own_package', raising=False)
    Config.fromfile('a.py')
    assert sys.modules.pop('my_own_package').table == {}


def test_configs_folder_of_a_package_is_found(write, tmp_path, monkeypatch):
    write('package/configs/_base_/a.py', 'x = 1')
    write('package/configs/net/leaf.py', "_base_ = '../_base_/a.py'")
    monkeypatch.setattr('mmcv_replace.utils.config.file.CONFIG_ROOTS', [tmp_path / 'package'])
    assert Config.fromfile('configs/net/leaf.py').x == 1
    inherits = write('data/own.yaml', '_base_: configs/net/leaf.py\ny: 2')
    assert Config.fromfile(inherits) == {'x': 1, 'y': 2}
    write('data/configs/net/leaf.yaml', 'x: 3')
    assert Config.fromfile(write('data/b.yaml', '_base_: configs/net/leaf.yaml')).x == 3
    write('configs/net/leaf.py', 'x = 2')
    assert Config.fromfile('configs/net/leaf.py').x == 2
    assert isinstance(CONFIG_ROOTS, list)


def test_fromstring(write):
    write('a.py', 'x = 1\ny = dict(a=1)')
    assert Config.fromstring("_base_ = 'a.py'\ny = dict(b=2)") == {'x': 1, 'y': {'a': 1, 'b': 2}}
    assert Config.fromstring('{"x": [1]}', '.json') == {'x': [1]}
    assert Config.fromstring('x: 1e-4', 'yaml') == {'x': 1e-4}
    with pytest.raises(ConfigError, match=r'<string>, line 1: ZeroDivisionError'):
        Config.fromstring('x = 1 / 0')
    with pytest.raises(ConfigError, match=r"<string>: the format of a config .* not '\.pkl'"):
        Config.fromstring('x = 1', 'pkl')


def test_made_from_a_dict():
    cfg = Config(dict(model=dict(depth=50)), filename='a.py')
    assert cfg.model.depth == 50
    assert cfg.filename == 'a.py'
    assert cfg.text == ''
    assert Config() == {}
    assert Config().filename is None
    with pytest.raises(ConfigError, match=r"made from a dict, not from 'a\.py'.*Config\.fromfile"):
        Config('a.py')


def test_behaves_as_a_dict():
    cfg = Config(dict(a=1, b=dict(c=2)))
    assert list(cfg) == ['a', 'b']
    assert len(cfg) == 2
    assert cfg.get('x', 3) == 3
    assert cfg.pop('a') == 1
    assert 'a' not in cfg
    cfg.d = dict(e=4)
    cfg['f'] = 5
    assert (cfg.d.e, cfg.f) == (4, 5)


@pytest.mark.parametrize('key', ['_private', 'filename', 'text', 'pretty_text', 3])
def test_reserved_keys(key):
    with pytest.raises(ConfigError, match='cannot be a key at the top'):
        Config({key: 1})
    with pytest.raises(ConfigError, match='cannot be a key at the top'):
        Config()[key] = 1


@pytest.mark.parametrize('clone', [
    copy.deepcopy, copy.copy, Config.copy, lambda cfg: pickle.loads(pickle.dumps(cfg))])
def test_copies_keep_everything(write, clone):
    write('a.py', 'model = dict(depth=50)')
    cfg = Config.fromfile('a.py')
    twin = clone(cfg)
    assert type(twin) is Config
    assert (twin, twin.filename, twin.text) == (cfg, cfg.filename, cfg.text)
    assert twin.model.origin('depth') == 'a.py'


@pytest.mark.parametrize('name', ['out.py', 'out.json', 'sub/out.yaml'])
def test_dump_loads_back(tmp_path, name):
    cfg = Config(dict(lr=1e-5, model=dict(layers=[1, None, dict(a='ü')])))
    assert cfg.dump(tmp_path / name) is None
    assert Config.fromfile(tmp_path / name) == cfg


def test_dump_without_a_path_returns_the_text():
    assert Config(dict(a=1)).dump() == 'a = 1\n'


@pytest.mark.parametrize('suffix', ['.py', '.json', '.yaml'])
@pytest.mark.parametrize('key', ['_bases_', '_Base_', '_BASE_', '_base', '__base__', '_bsae_'])
@pytest.mark.parametrize('value', ['base.py', ['base.py']])
def test_bases_under_another_key_are_not_ignored(tmp_path, suffix, key, value):
    (tmp_path / 'base.py').write_text('a = 1\n')
    file = tmp_path / f'leaf{suffix}'
    file.write_text(f'{key} = {value!r}\n' if suffix == '.py' else json.dumps({key: value}))
    with pytest.raises(ConfigError, match=rf'leaf{suffix}: {key} = .*inherit from are _base_'):
        Config.fromfile(file)


def test_private_names_may_help_to_name_the_bases(tmp_path):
    (tmp_path / 'base.py').write_text('a = 1\n')
    (tmp_path / 'leaf.py').write_text(
        "_base = 'base.py'\n_base_ = [_base]\n_bases = 3\n_file = 'x.py'\n")
    assert Config.fromfile(tmp_path / 'leaf.py') == {'a': 1}


def test_a_range_becomes_a_list(tmp_path):
    """mmcv leaves `gpu_ids = range(0, 1)` in the config of a run, which may be run again."""
    (tmp_path / 'dumped.py').write_text('gpu_ids = range(0, 2)\n')
    cfg = Config.fromfile(tmp_path / 'dumped.py')
    assert type(cfg.gpu_ids) is list
    assert cfg.gpu_ids == [0, 1]
    assert Config.fromstring(cfg.pretty_text, '.py').gpu_ids == [0, 1]


@pytest.mark.parametrize('suffix', ['.py', '.json', '.yaml'])
def test_a_range_set_by_a_program_is_saved(tmp_path, suffix):
    """Scripts for mmsegmentation 0.x write cfg.gpu_ids = range(1)."""
    cfg = Config(dict(a=1, inner=dict(ids=range(2))))
    cfg.gpu_ids = range(1)
    cfg.merge_from_dict({'b': [range(1, 3)]})
    expected = dict(a=1, inner=dict(ids=[0, 1]), gpu_ids=[0], b=[[1, 2]])
    assert cfg == expected
    cfg.dump(tmp_path / f'saved{suffix}')
    assert Config.fromfile(tmp_path / f'saved{suffix}') == expected


def test_a_range_put_into_a_list_later():
    cfg = Config(dict(a=[]))
    cfg.a.append(range(2))
    assert cfg.pretty_text == 'a = [[0, 1]]\n'
