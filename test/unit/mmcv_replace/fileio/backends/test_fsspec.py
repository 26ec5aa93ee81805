import os
import sys
from pathlib import Path

import pytest

from mmcv_replace import FileClient, dict_from_file, dump, list_from_file, load
from mmcv_replace.fileio import FsspecBackend, HardDiskBackend
from mmcv_replace.utils.errors import ConfigError, DataError, MissingModuleError

fsspec = pytest.importorskip('fsspec')


@pytest.fixture
def store():
    """The memory as an object store, empty."""
    system = fsspec.filesystem('memory')
    system.rm('/', recursive=True)
    yield 'memory://bucket'
    system.rm('/', recursive=True)


@pytest.fixture
def client(store):
    return FileClient(prefix='memory')


def test_write_read_and_remove(client, store):
    path = f'{store}/a/b.txt'
    client.put_text('grün', path)
    assert fsspec.filesystem('memory').cat('/bucket/a/b.txt') == 'grün'.encode()
    assert client.get_text(path) == 'grün'
    assert client.get(path) == 'grün'.encode()
    assert client.isfile(path)
    assert client.isdir(f'{store}/a')
    assert client.exists(path)
    with client.get_local_path(path) as local:
        assert local.endswith('.txt')
        assert Path(local).read_text(encoding='utf-8') == 'grün'
    assert not HardDiskBackend().exists(local)
    client.remove(path)
    assert not client.exists(path)
    with pytest.raises(FileNotFoundError, match=r'cannot read memory://bucket/a/b\.txt: there is no'
                       ) as error:
        client.get(path)
    assert isinstance(error.value, DataError)


def test_listing(client, store):
    for name in ('b/c/e.txt', 'b/d.png', 'a.txt', '.hidden'):
        client.put(b'', f'{store}/{name}')
    assert list(client.list_dir_or_file(store)) == ['a.txt', 'b']
    assert list(client.list_dir_or_file(f'{store}/', recursive=True)) == [
        'a.txt', 'b', 'b/c', 'b/c/e.txt', 'b/d.png']
    assert list(client.list_dir_or_file(store, list_dir=False, suffix='.txt', recursive=True)) == [
        'a.txt', 'b/c/e.txt']


def test_disk_needs_folders(tmp_path):
    client = FileClient('fsspec')
    client.put(b'x', f'{tmp_path}/new/folder/a')
    assert (tmp_path / 'new/folder/a').read_bytes() == b'x'
    assert client.get(tmp_path / 'new/folder/a') == b'x'
    with pytest.raises(DataError, match='IsADirectoryError'):
        client.get(tmp_path)


def test_paths(store):
    FileClient(prefix='memory').put(b'x', f'{store}/a.txt')
    mapped = FileClient('fsspec', path_mapping={'/data': store})
    assert mapped.get('/data/a.txt') == b'x'
    assert mapped.join_path('/data/b/', 'c/', '/d') == f'{store}/b/c/d'
    assert FileClient('fsspec', protocol='memory').get('/bucket/a.txt') == b'x'
    assert FileClient('fsspec').get(f'cluster:{store}/a.txt') == b'x'


def test_options_reach_the_file_system(monkeypatch):
    asked = {}
    monkeypatch.setattr(fsspec.core, 'url_to_fs', lambda path, **options: asked.update(
        options, path=path) or (fsspec.filesystem('memory'), '/x'))
    FileClient('fsspec', endpoint_url='http://store').exists('memory://x')
    assert asked == {'endpoint_url': 'http://store', 'path': 'memory://x'}


def test_what_is_absent(monkeypatch):
    with pytest.raises(ConfigError, match='fsspec does not know nowhere://'):
        FileClient(prefix='nowhere')
    with pytest.raises(ConfigError, match='fsspec does not know nowhere://'):
        FileClient('fsspec').get('nowhere://a')

    def lacks(protocol):
        raise ImportError('Install s3fs')

    monkeypatch.setattr(fsspec, 'get_filesystem_class', lacks)
    with pytest.raises(MissingModuleError, match='s3:// needs a further package: Install s3fs'):
        FileClient(prefix='s3')
    monkeypatch.setitem(sys.modules, 'fsspec', None)
    with pytest.raises(ImportError, match=r"needs fsspec.*pip install 'mmseg-ascend"):
        FsspecBackend()


def test_all_that_reads_and_writes_reaches_it(store):
    dump({'a': 1}, f'{store}/a.json')
    assert load(f'{store}/a.json') == {'a': 1}
    dump({'a': 1}, '/data/b.pkl', file_client_args=dict(
        backend='fsspec', path_mapping={'/data': store}))
    assert load(f'{store}/b.pkl', trusted=True) == {'a': 1}
    FileClient(prefix='memory').put_text('1 x\n2 y z\n', f'{store}/list.txt')
    assert list_from_file(f'{store}/list.txt') == ['1 x', '2 y z']
    assert dict_from_file(f'{store}/list.txt', int) == {1: 'x', 2: ['y', 'z']}


def test_stamps_change_with_the_file(client, store, tmp_path):
    path = f'{store}/a'
    client.put(b'x', path)
    first = client.stamp(path)
    assert client.has_stamps
    assert client.stamp(path) == first
    client.put(b'y', path)
    assert client.stamp(path) != first
    with pytest.raises(FileNotFoundError, match='cannot read memory://bucket/b: there is no such'):
        client.stamp(f'{store}/b')
    (tmp_path / 'a').write_bytes(b'x')
    first = FileClient('fsspec').stamp(tmp_path / 'a')
    os.utime(tmp_path / 'a', (1, 1))
    assert FileClient('fsspec').stamp(tmp_path / 'a') != first


def test_places_without_times_and_errors_of_a_package(client, store, monkeypatch):
    system = type(fsspec.filesystem('memory'))
    monkeypatch.setattr(system, 'info', lambda *args, **kwargs: {'name': 'a', 'size': 3})
    with pytest.raises(DataError, match=r'bucket/a: the file system tells no time.*name, size'):
        client.stamp(f'{store}/a')

    def fail(*args, **kwargs):
        raise RuntimeError('token expired')

    monkeypatch.setattr(system, 'info', fail)
    with pytest.raises(DataError, match='cannot read .*: RuntimeError: token expired'):
        client.stamp(f'{store}/a')
