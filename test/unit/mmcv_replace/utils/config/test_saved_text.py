"""Saved configs are read back without being run."""
import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.saved_text import read_literal_config
from mmcv_replace.utils.errors import ConfigError

VALUES = {
    'model': {'type': 'A', 'depth': -3, 'sizes': (1, 2), 'one': (4,), 'none': None, 'empty': {},
              'deep': [{'x': [1.5, -2e-9, True]}, []]},
    'ratios': [float('inf'), float('-inf')],
    'words': 'a {{ fileDirname }} "b" \'c\' \n ü',
    'numbers': {1: 'a', 'key with spaces': 2, 'class': 3},
    'dict': 1,  # a name that the text itself uses
}


def test_equals_what_was_saved():
    cfg = Config(VALUES)
    text = cfg.pretty_text
    assert 'globals()' in text
    assert Config(read_literal_config(text, 'x')).to_dict() == cfg.to_dict()


def test_ranges_of_mmcv():
    assert read_literal_config('gpu_ids = range(0, 2)\na = dict(b=range(5, 0, -2))', 'x') == {
        'gpu_ids': [0, 1], 'a': {'b': [5, 3, 1]}}


def test_a_config_of_each_folder_of_the_project(repo_dir):
    files = [min(folder.glob('*.py')) for folder in (repo_dir / 'configs').glob('[!_]*/')]
    assert files
    for file in files:
        cfg = Config.fromfile(file)
        assert read_literal_config(cfg.pretty_text, file.name) == cfg.to_dict(), file


@pytest.mark.parametrize('text', [
    "a = __import__('os').system('touch CANARY')",
    "import os",
    "a = [x for x in (1, 2)]",
    "a = dict(**{'b': 1})",
    "a = dict([('b', 1)])",
    "a = open('CANARY', 'w')",
    "a, b = 1, 2",
    "a.b = 1",
    "a = float('x')",
    "a = {[]: 1}",
    "globals().update(dict(a=1))",
    "globals().clear()",
    "def f():\n    pass",
    "a = f'{1}'",
    "a = {**{}}",
    "a = range(10**9)",
    "a = range(10001)",
    "a = range()",
    "a = range(1, 2, 0)",
    "a = range('x')",
])
def test_anything_else_is_refused_and_not_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r'(?s)file\.pth, line 2: .* not executed'):
        read_literal_config(f'ok = 1\n{text}', 'file.pth')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('text', ['a = (', 'a = "\0"', '(' * 1000 + ')' * 1000])
def test_text_that_is_not_python(text):
    with pytest.raises(ConfigError, match=r'file\.pth'):
        read_literal_config(text, 'file.pth')
