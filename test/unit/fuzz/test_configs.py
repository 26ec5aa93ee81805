"""Config files with changed text, odd values and twisted inheritance: read or refused."""
import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

MANY, FEW = settings.get_profile('many'), settings.get_profile('few')
ROOT = Path(__file__).resolve().parents[3]
PIECES = ('(', ')', '[', '{', '}', ',', '=', ':', "'", '"', '\\', '\n', '\t', ' ', '#', '\x00', '-',
          '*', '&a', '*a', '<<: ', '!!python/object:os.system', '!!binary ', '{{ fileDirname }}',
          '_base_', '_delete_', 'None', 'null', 'NaN', '-Infinity', '1e999', '9**9**9', '0x',
          '\ufeff', 'é', '\u2028', '\ud83d\ude00', '---\n', '...\n', '|\n', '? ', '@', '`',
          '%YAML 9.9\n')


@pytest.fixture(scope='session')
def sources(repo_dir):
    """`sources(suffix)`: the same real config as a text of each format."""
    cfg = Config.fromfile(repo_dir / 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py')
    tree = json.loads(json.dumps(cfg.to_dict()))
    texts = {'.py': cfg.pretty_text,
             '.json': json.dumps(tree, indent=1), '.yaml': yaml.safe_dump(tree)}
    return texts.get  # a report of a failure does not show what a function holds


@st.composite
def edits(draw):
    """Up to five changes of a text: (place as a fraction, characters to cut, text to put in)."""
    piece = st.one_of(st.sampled_from(PIECES), st.text(max_size=4))
    return draw(st.lists(st.tuples(st.floats(0, 1), st.sampled_from((0, 1, 3, 50)), piece),
                         min_size=1, max_size=5))


def apply(edits, text):
    for place, cut, piece in edits:
        start = int(place * len(text))
        text = text[:start] + piece + text[start + cut:]
    return text


def check_use(attempt, cfg):
    """What has been read can be shown, looked up, written and read again."""
    if isinstance(cfg, Exception):
        assert isinstance(cfg, ConfigError)
        return
    again = attempt(Config.fromstring, cfg.pretty_text, '.py')
    assert sorted(map(repr, again.items())) == sorted(map(repr, cfg.items()))  # not ==, for NaN
    for key in cfg:
        attempt(cfg.explain, key)


@pytest.mark.parametrize('suffix', ['.py', '.json', '.yaml'])
@MANY
@given(edits=edits())
def test_changed_text(attempt, folder, sources, suffix, edits):
    file, text = folder / f'changed{suffix}', apply(edits, sources(suffix))
    if suffix == '.py':
        text = text.replace('9**9**9', '9')  # a program may take its time
    file.write_bytes(text.encode('utf-8', 'surrogatepass'))
    check_use(attempt, attempt(Config.fromfile, file))


@FEW
@given(content=st.binary(max_size=60), suffix=st.sampled_from(('.py', '.json', '.yaml', '.yml')))
def test_noise(attempt, folder, content, suffix):
    (folder / f'noise{suffix}').write_bytes(content)
    check_use(attempt, attempt(Config.fromfile, folder / f'noise{suffix}'))


KEYS = st.one_of(st.text(max_size=5), st.sampled_from(
    ('model', 'type', '_delete_', '_base_', '__class__', '__init__', '_origins', 'filename',
     'items', 'a.b', '0', 'keys', 'self', 'cfg')))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
              st.just(10**400), st.just('{{ fileDirname }}')),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8)
TREES = st.dictionaries(KEYS, VALUES, max_size=4)


@MANY
@given(base=TREES, leaf=TREES, suffix=st.sampled_from(('.json', '.yaml', '.py')))
def test_odd_trees_over_each_other(attempt, folder, base, leaf, suffix):
    """`_delete_` and `_base_` with any value, keys that are methods, dicts over numbers."""
    (folder / 'base.json').write_text(json.dumps(base))
    leaf.setdefault('_base_', 'base.json')
    text = {'.json': json.dumps, '.yaml': yaml.safe_dump,
            '.py': lambda tree: f'globals().update({tree!r})'}[suffix](leaf)
    if suffix == '.py':
        text = text.replace('nan', "float('nan')").replace('inf', "float('inf')")
    (folder / f'odd{suffix}').write_bytes(text.encode('utf-8', 'surrogatepass'))
    check_use(attempt, attempt(Config.fromfile, folder / f'odd{suffix}'))


NAMES = ('a.py', 'b.json', 'c.yaml', './a.py', '../x/b.json', 'sub/../c.yaml', 'loop/a.py',
         'none.py', '', '.', '/etc/passwd', 'http://127.0.0.1:9/a.py', 'file:///etc/passwd',
         'a\x00b.py',         'x' * 300 + '.py', '~/a.py', '-rf.py')


@FEW
@given(bases=st.lists(
    st.one_of(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3), st.none(),
              st.integers(), st.dictionaries(st.text(), st.none())), min_size=3, max_size=3))
def test_inheritance(attempt, folder, bases):
    """Circles, bases that are no files, and a link that makes the way down endless."""
    place = folder / 'x'
    (place / 'sub').mkdir(parents=True, exist_ok=True)
    if not (place / 'loop').exists():
        os.symlink('.', place / 'loop')
    (place / 'a.py').write_text(f'_base_ = {bases[0]!r}\na = 1\n')
    (place / 'b.json').write_text(json.dumps({'_base_': bases[1], 'b': 1}))
    (place / 'c.yaml').write_text(yaml.safe_dump({'_base_': bases[2], 'c': 1}))
    for name in NAMES[:3]:
        check_use(attempt, attempt(Config.fromfile, place / name))


def test_a_tree_of_bases_that_doubles_at_each_step(attempt, folder):
    for level in range(25):
        (folder / f'level{level}.json').write_text(json.dumps(
            {'_base_': [f'{prefix}level{level - 1}.json' for prefix in ('', './')
                        if level > 0], 'x': 1}))
    error = attempt(Config.fromfile, folder / 'level24.json')
    assert 'inherits from at most 500 files' in str(error)


def test_a_long_chain_of_bases(attempt, folder):
    for level in range(400):
        (folder / f'chain{level}.py').write_text(f"_base_ = 'chain{level + 1}.py'\n")
    assert '30 one after the other' in str(attempt(Config.fromfile, folder / 'chain0.py'))


LAUGHS = '\n'.join(['a0: &a0 [x, x, x, x, x, x, x, x, x]']
                   + [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]' for i in range(1, 12)])


@pytest.mark.parametrize('text', [
    LAUGHS, f'{LAUGHS}\n_base_: *a11', f'- &a {LAUGHS.splitlines()[0]}\n- *a',
    LAUGHS + "\nname: '{{ fileDirname }}'", 'a: &a [*a]', 'a: &a {b: *a}', '&a {_base_: *a}',
    'a: &a ' + '9' * 10_000 + '\nb: [' + '*a, ' * 50 + ']', 'a: 0x' + 'f' * 50_000,
    'a: ' + '1:' * 3000 + '1', 'a: &a ' + 'x' * 10**6 + '\nb: [' + '*a, ' * 2000 + ']',
    'a: ' + '{b: ' * 3000 + '}' * 3000, '[' + ', '.join(['*a0'] * 9) + ']', '- ' * 5000,
    '? ' * 5000, '!!python/object/apply:os.system ["true"]: 1', 'a: !!python/name:os.system',
    'a: 1\nb: 2\na: 3', 'a: {b: 1, "b": 2}'])
def test_yaml_bombs_and_tags(attempt, folder, text):
    (folder / 'bomb.yaml').write_text(text)
    assert isinstance(attempt(Config.fromfile, folder / 'bomb.yaml'), ConfigError)


@pytest.mark.parametrize('text', [
    '{"a": ' + '9' * 10_000 + '}', '{"a": 1, "b": {"c": 1, "c": 2}}', '{"a": ' * 5000 + '1',
    '[' * 200_000, '{"a": 9**9**9}', '{"a": 1e}', '{"a": "\\ud800', 'NaN', '{"\\u0000": 1} x'])
def test_json_bombs(attempt, folder, text):
    (folder / 'bomb.json').write_text(text)
    assert isinstance(attempt(Config.fromfile, folder / 'bomb.json'), ConfigError)
