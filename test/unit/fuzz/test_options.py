"""Options of the command line: any key path, any value; nothing is evaluated."""
import argparse
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import Config, DictAction
from mmcv_replace.utils.config.options import parse_option_value
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config

MANY = settings.get_profile('many')
LEAF = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'
STEPS = ('model', 'data', 'train', 'pipeline', '0', '2', '99', '-1', '²', 'img_scale', 'type', '',
         '_delete_', '_base_', '__class__', '__dict__', 'filename', 'items', 'model.backbone', ' ',
         'custom_imports', 'imports', 'optimizer', 'a' * 500, 'é', '\x00', '\n', 'workflow')
TEXTS = st.one_of(
    st.text(max_size=20), st.text('()[]{}\'",:= \\x0b9eE+-.', max_size=20),
    st.sampled_from(('9**9**9', '__import__("os").system("true")', '{' * 80, '(' * 5000, '[1,' * 99,
                     "{'a': " * 60, '1' * 9999, '1e9999', 'nan', '-inf', "{'_delete_': True}", '{}',
                     '{1: 2}', "{'0': {}}", '[[],()]', "f'{1}'", 'b"x"', '0xff', '1_000', '{1, 2}',
                     "{'a': 0x" + 'f' * 999 + '}', "{[]: 1}", '\\', "'\\N{bullet}'", "'\\x'")))
PATHS = st.lists(st.sampled_from(STEPS), min_size=1, max_size=5).map('.'.join)


@pytest.fixture(scope='session')
def parse():
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return lambda *pairs: parser.parse_args(['--cfg-options', *pairs]).cfg_options


@pytest.fixture(scope='session')
def config(repo_dir):
    cfg = Config.fromfile(repo_dir / LEAF)
    return cfg.to_dict


@MANY
@given(text=TEXTS)
def test_values(attempt, text):
    """Plain data or a ConfigError; read again, its own text means the same."""
    value = attempt(parse_option_value, text)
    if isinstance(value, ConfigError):
        return
    kinds = (str, int, float, bool, list, tuple, dict, bytes, set, type(None), complex)
    assert isinstance(value, kinds)
    if isinstance(value, float):
        assert math.isnan(value) or parse_option_value(repr(value)) == value


@MANY
@given(pairs=st.lists(st.tuples(PATHS, TEXTS), min_size=1, max_size=4))
def test_options_over_a_real_config(attempt, parse, config, pairs):
    try:
        options = parse(*(f'{key}={text}' for key, text in pairs))
    except (ConfigError, SystemExit):
        return  # DictAction or argparse say so
    cfg = Config(config())
    if not isinstance(attempt(cfg.merge_from_dict, options), ConfigError):
        again = Config.fromstring(cfg.pretty_text, import_custom_modules=False)
        assert sorted(map(repr, again.items())) == sorted(map(repr, cfg.items()))


@MANY
@given(key=st.one_of(PATHS, st.text(max_size=10)))
def test_explaining_any_key(attempt, config, key):
    answer = attempt(Config(config()).explain, key)
    assert isinstance(answer, str | ConfigError)


@MANY
@given(value=st.recursive(st.one_of(st.none(), st.integers(-2, 2), st.sampled_from((
    '', '.', '..a', '.a', 'a..b', 'os.nothing', 'a b', 'no\x00where', '-c', '1', 'os;x', 'é' * 300,
    '__main__.x', 'imports', 'allow_failed_imports'))), lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(
            ('imports', 'allow_failed_imports', 'x')), inner, max_size=2)), max_leaves=4))
def test_custom_imports(attempt, repo_dir, value):
    attempt(load_config, repo_dir / LEAF, {'custom_imports': value})


@MANY
@given(data=st.recursive(
    st.one_of(st.none(), st.integers(0, 2), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(
        st.sampled_from(('train', 'val', 'dataset', 'datasets', 'type')), inner, max_size=3)),
    max_leaves=5))
def test_data_root_of_any_data(attempt, folder, data):
    (folder / 'root.py').write_text(f'data = {data!r}\n')
    attempt(load_config, folder / 'root.py', None, os.curdir)
