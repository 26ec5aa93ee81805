import os
from pathlib import Path

import pytest

from mmcv_replace.utils import (
    check_file_exist,
    fopen,
    is_filepath,
    mkdir_or_exist,
    scandir,
    symlink,
)
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.path import find_vcs_root, matching_files


def test_is_filepath():
    assert is_filepath('a')
    assert is_filepath(Path('a'))
    assert not is_filepath(3)


def test_fopen(tmp_path):
    with fopen(tmp_path / 'a', 'w', encoding='utf-16') as file:
        file.write('ä')
    assert (tmp_path / 'a').read_text(encoding='utf-16') == 'ä'
    with pytest.raises(ValueError, match='filepath is a str or a Path, not 3'):
        fopen(3)


def test_vcs_root(tmp_path):
    (tmp_path / 'a' / 'b').mkdir(parents=True)
    (tmp_path / 'a' / '.mark').touch()
    (tmp_path / 'a' / 'b' / 'file').touch()
    for place in ('a', 'a/b', 'a/b/file'):
        assert find_vcs_root(tmp_path / place, ('.other', '.mark')) == str(tmp_path / 'a')
    assert find_vcs_root(tmp_path, ('.no-such-mark',)) is None


def test_check_file_exist(tmp_path):
    check_file_exist(__file__)
    with pytest.raises(FileNotFoundError):
        check_file_exist(tmp_path / 'none.txt')
    with pytest.raises(DataError, match='file ".*/none.txt" does not exist'):
        check_file_exist(tmp_path / 'none.txt')
    with pytest.raises(DataError, match='give me a file, not'):
        check_file_exist(tmp_path, 'give me a file, not {}')


def test_mkdir_or_exist(tmp_path):
    for _ in range(2):
        mkdir_or_exist(tmp_path / 'a' / 'b')
    assert (tmp_path / 'a' / 'b').is_dir()
    mkdir_or_exist('')


def test_symlink_replaces_a_link_or_a_file(tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name).write_text(name)
    link = tmp_path / 'latest'
    symlink('one', link)
    symlink('two', link)
    assert os.readlink(link) == 'two'
    assert link.read_text() == 'two'
    with pytest.raises(FileExistsError):
        symlink('one', link, overwrite=False)
    (tmp_path / 'folder').mkdir()
    symlink('folder', link, target_is_directory=True)
    assert link.is_dir()
    with pytest.raises(OSError, match='folder'):
        symlink('one', tmp_path / 'folder')
    assert sorted(p.name for p in tmp_path.iterdir()) == ['folder', 'latest', 'one', 'two']


@pytest.fixture
def folder(tmp_path):
    for name in ('b.png', 'a.PNG', 'c.jpg', '.hidden.png', 'sub/d.png', 'sub/deep/e.jpg',
                 '.git/f.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(('arguments', 'names'), [
    ({}, ['a.PNG', 'b.png', 'c.jpg']),
    ({'suffix': '.png'}, ['b.png']),
    ({'suffix': '.PNG', 'case_sensitive': False}, ['a.PNG', 'b.png']),
    ({'suffix': ('.png', '.jpg'), 'recursive': True},
     ['b.png', 'c.jpg', 'sub/d.png', 'sub/deep/e.jpg']),
])
def test_scandir(folder, arguments, names):
    assert list(scandir(folder, **arguments)) == names


def test_broken_links_in_a_folder(tmp_path):
    (tmp_path / 'a.jpg').touch()
    (tmp_path / 'broken.jpg').symlink_to('none.jpg')
    (tmp_path / 'folder').symlink_to('.')
    assert list(scandir(tmp_path, recursive=True)) == ['a.jpg']
    assert list(scandir(tmp_path, recursive=True, broken_links=True)) == ['a.jpg', 'broken.jpg']


@pytest.mark.parametrize(('arguments', 'message'), [
    ((3,), 'dir_path is a str or a Path, not 3'),
    (('.', 3), 'suffix is a str or a tuple of them, not 3'),
])
def test_wrong_arguments_of_scandir(arguments, message):
    with pytest.raises(TypeError, match=message):
        scandir(*arguments)


def test_files_of_a_pattern(tmp_path, monkeypatch):
    for name in ('b.json', 'a.json', 'a.txt'):
        (tmp_path / name).touch()
    assert matching_files(tmp_path, '*.json') == [tmp_path / 'a.json', tmp_path / 'b.json']
    assert matching_files(tmp_path / 'none', '*') == matching_files(tmp_path / 'a.txt', '*') == []

    def closed(folder):  # the tests may run as root, for whom no folder is
        raise PermissionError(13, 'Permission denied', str(folder))
    monkeypatch.setattr(os, 'listdir', closed)
    with pytest.raises(DataError, match='cannot read the folder .*: Permission denied'):
        matching_files(tmp_path, '*')
