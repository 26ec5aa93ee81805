import os

import pytest

from mmcv_replace import FileClient
from mmcv_replace.utils.errors import ConfigTypeError, DataError, MissingDataError


@pytest.fixture
def tree(tmp_path):
    """A folder with files, hidden ones, and a folder that is hidden."""
    for name in ('b/c/e.txt', 'b/d.png', 'a.txt', '.hidden', '.h/z.txt'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def client():
    return FileClient('disk')


def test_write_read_and_remove(client, tmp_path):
    path = tmp_path / 'new/folder/a'
    client.put(b'\0x', path)
    assert client.get(str(path)) == b'\0x'
    client.put_text('grün\r\nb\rc\n', path)
    assert path.read_bytes() == 'grün\r\nb\rc\n'.encode()
    assert client.get_text(path) == 'grün\nb\nc\n'
    path.write_bytes('grün'.encode('latin-1'))
    assert client.get_text(path, 'latin-1') == 'grün'
    with pytest.raises(DataError, match='is not a UTF-8 text file'):
        client.get_text(path)
    assert client.exists(path)
    assert client.isfile(path)
    assert not client.isdir(path)
    client.remove(path)
    assert not client.exists(path)
    assert client.exists(path.parent)
    assert client.isdir(path.parent)
    assert not client.isfile(path.parent)


def test_a_missing_file_is_also_the_error_of_the_system(client, tmp_path):
    with pytest.raises(FileNotFoundError, match='cannot read .*none: No such file') as error:
        client.get(tmp_path / 'none')
    assert isinstance(error.value, DataError)
    with pytest.raises(FileNotFoundError):
        client.remove(tmp_path / 'none')


def test_paths(client, tmp_path):
    assert client.join_path('a', 'b', 'c.txt') == 'a/b/c.txt'
    with client.get_local_path(tmp_path / 'x') as path:
        assert path == tmp_path / 'x'
    assert client.allow_symlink
    assert client.name == 'HardDiskBackend'


@pytest.mark.parametrize(('options', 'expected'), [
    ({}, ['.h', 'a.txt', 'b']),
    (dict(list_file=False), ['.h', 'b']),
    (dict(list_dir=False), ['a.txt']),
    (dict(recursive=True), ['.h', '.h/z.txt', 'a.txt', 'b', 'b/c', 'b/c/e.txt', 'b/d.png']),
    (dict(recursive=True, list_dir=False, suffix='.txt'), ['.h/z.txt', 'a.txt', 'b/c/e.txt']),
    (dict(recursive=True, list_dir=False, suffix=('.png', '.jpg')), ['b/d.png']),
])
def test_listing(client, tree, options, expected):
    assert list(client.list_dir_or_file(tree, **options)) == expected


def test_listing_that_cannot_be(client, tree):
    with pytest.raises(ConfigTypeError, match='list_dir=False'):
        client.list_dir_or_file(tree, suffix='.txt')
    with pytest.raises(ConfigTypeError, match=r"a tuple of strings, not \['.txt'\]"):
        client.list_dir_or_file(tree, list_dir=False, suffix=['.txt'])
    with pytest.raises(FileNotFoundError):
        list(client.list_dir_or_file(tree / 'none'))


def test_stamps_change_with_size_and_time(client, tmp_path):
    path = tmp_path / 'a'
    stamps = []
    for content, time in ((b'x', 1), (b'xy', 1), (b'xy', 1 + 1e-6), (b'xz', 1 + 1e-6)):
        path.write_bytes(content)
        os.utime(path, ns=(0, int(time * 1e9)))
        assert client.stamp(path) == client.stamp(str(path))
        stamps.append(client.stamp(path))
    assert client.has_stamps
    assert len(set(stamps)) == 4  # though the last has the size and the time of another one
    with pytest.raises(MissingDataError, match='cannot read .*b: No such file'):
        client.stamp(tmp_path / 'b')
    with pytest.raises(DataError, match='null'):
        client.stamp('a\0b')
