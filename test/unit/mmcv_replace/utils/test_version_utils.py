import subprocess

import pytest
import torch

from mmcv_replace.utils import TORCH_VERSION, digit_version, get_git_hash, version_utils
from mmcv_replace.utils.errors import ArgumentError, ConfigError


def test_versions_sort_as_released():
    released = ['0.9', '1.3.0.dev20200101', '1.3.0a1', '1.3.0b2', '1.3.0rc1', '1.3.0rc2', '1.3',
                '1.3.0.post1', '1.3.1', '1.10.0', '2.0']
    assert sorted(released, key=digit_version) == released


@pytest.mark.parametrize(('text', 'digits'), [
    ('1.2.7', (1, 2, 7, 0, 0, 0)), ('2.13.0+cpu', (2, 13, 0, 0, 0, 0)),
    ('1.3.0rc1', (1, 3, 0, 0, -1, 1)), ('v1.4', (1, 4, 0, 0, 0, 0)),
])
def test_digits(text, digits):
    assert digit_version(text) == digits


def test_length():
    assert digit_version('1.2.3.4.5', length=2) == (1, 2, 0, 0)


def test_torch_version():
    assert torch.__version__ == TORCH_VERSION
    assert digit_version(TORCH_VERSION) >= digit_version('2.6')


@pytest.mark.parametrize('text', ['unknown', '1x', '1.x', '', '1.0.0-final'])
def test_no_version(text):
    with pytest.raises(ConfigError, match=f"'{text}' is not a version"):
        digit_version(text)


@pytest.mark.parametrize('text', ['1.0.0rc1.post2', '1.0.0.rc-1', '1.0.0_rc1+local.x'])
def test_further_parts_of_a_version(text):
    assert digit_version(text) == (1, 0, 0, 0, -1, 1)


def test_git_hash_of_the_checkout_only(tmp_path, monkeypatch):
    source = tmp_path / 'version_utils.py'
    source.touch()
    monkeypatch.setattr(version_utils, '__file__', str(source))

    def git(*arguments):
        done = subprocess.run(
            ['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *arguments], cwd=tmp_path,
            check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert get_git_hash() == 'unknown'
    git('init')
    (tmp_path / 'other').touch()
    git('add', 'other')
    git('commit', '-m', 'x')
    assert get_git_hash(fallback='none') == 'none'  # a repository that does not track the file
    git('add', 'version_utils.py')
    git('commit', '-m', 'y')
    assert get_git_hash() == git('rev-parse', 'HEAD')
    assert get_git_hash(digits=7) == git('rev-parse', 'HEAD')[:7]


def test_git_hash_without_git(monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert get_git_hash() == 'unknown'


def test_git_hash_takes_a_number_of_digits():
    with pytest.raises(ArgumentError, match="digits is an int or None, not 'a'"):
        get_git_hash(digits='a')
