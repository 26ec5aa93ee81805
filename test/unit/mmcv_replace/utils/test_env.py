import subprocess

import cv2
import torch

from mmcv_replace.utils import collect_env, env, get_git_hash


def test_collect_env():
    found = collect_env()
    assert list(found)[:2] == ['sys.platform', 'Python']
    assert found['PyTorch'] == torch.__version__
    assert found['OpenCV'] == cv2.__version__
    assert found['Devices of type cpu'] == '1'
    assert 'mmcv_replace' in found['MMCV']


def test_git_hash_of_the_checkout_only(tmp_path, monkeypatch):
    source = tmp_path / 'env.py'
    source.touch()
    monkeypatch.setattr(env, '_HERE', source)

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
    git('add', 'env.py')
    git('commit', '-m', 'y')
    assert get_git_hash() == git('rev-parse', 'HEAD')
    assert get_git_hash(digits=7) == git('rev-parse', 'HEAD')[:7]


def test_git_hash_without_git(monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert get_git_hash() == 'unknown'
