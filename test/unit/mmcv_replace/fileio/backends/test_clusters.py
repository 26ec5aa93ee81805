"""Backends of clusters, whose clients cannot be installed: stand-ins record what they are asked."""
import multiprocessing
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock, call

import pytest

from mmcv_replace import FileClient
from mmcv_replace.utils.errors import ConfigTypeError, DataError, MissingPackageError


@pytest.fixture
def petrel(monkeypatch):
    """The class petrel_client.client.Client."""
    module = MagicMock()
    monkeypatch.setitem(sys.modules, 'petrel_client', module)
    monkeypatch.setitem(sys.modules, 'petrel_client.client', module.client)
    monkeypatch.setattr(FileClient, '_instances', {})
    module.client.Client.return_value.Get.return_value = 'grün'.encode()
    return module.client.Client


def test_petrel_calls(petrel):
    client = FileClient('petrel', path_mapping={'/data': 's3://x'}, enable_mc=False, conf_path='c')
    FileClient('petrel')
    assert petrel.mock_calls == [call(conf_path='c', enable_mc=False), call(enable_mc=True)]
    made = petrel.return_value
    assert client.get_text('/data/a\\b') == 'grün'
    assert isinstance(client.get('/data/a'), memoryview)
    client.put(b'x', '/data/a')
    client.put_text('ü', '/data/a')
    client.remove('/data/a')
    made.contains.return_value = False
    made.isdir.return_value = True
    assert client.exists('/data/a')
    assert client.isdir('/data/a')
    assert not client.isfile('/data/a')
    assert made.mock_calls == [
        call.Get('s3://x/a/b'), call.Get('s3://x/a'), call.put('s3://x/a', b'x'),
        call.put('s3://x/a', 'ü'.encode()), call.delete('s3://x/a'), call.contains('s3://x/a'),
        call.isdir('s3://x/a'), call.isdir('s3://x/a'), call.contains('s3://x/a')]
    assert client.join_path('/data/a/', 'b/', '/c') == 's3://x/a/b/c'
    with client.get_local_path('/data/a.txt') as path:
        assert Path(path).read_text(encoding='utf-8') == 'grün'
    made.Get.return_value = None
    with pytest.raises(FileNotFoundError, match='the object store has no such file'):
        client.get('s3://x/none')


def test_petrel_listing(petrel):
    folders = {'s3://x/': ['a.txt', 'b/', '/'], 's3://x/b/': ['c.png', 'd.txt']}
    petrel.return_value.list.side_effect = folders.get
    client = FileClient(prefix='s3')
    assert client.name == 'PetrelBackend'
    assert list(client.list_dir_or_file('s3://x')) == ['a.txt', 'b']
    assert list(client.list_dir_or_file('s3://x', list_dir=False, suffix='.txt', recursive=True)
                ) == ['a.txt', 'b/d.txt']


def test_petrel_of_an_old_version(petrel):
    petrel.return_value = SimpleNamespace(Get=None)
    with pytest.raises(NotImplementedError, match='lacks Client.list'):
        list(FileClient('petrel').list_dir_or_file('s3://x'))


def test_mapping_is_a_dict(petrel):
    with pytest.raises(ConfigTypeError, match='path_mapping is a dict .*not 1'):
        FileClient('petrel', path_mapping=1)


def test_ceph(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ceph', ceph := MagicMock())
    ceph.S3Client.return_value.Get.return_value = b'x'
    client = FileClient('ceph', path_mapping={'/data': 's3://x'})
    assert bytes(client.get('/data/a')) == b'x'
    assert ceph.mock_calls == [call.S3Client(), call.S3Client().Get('s3://x/a')]
    with pytest.raises(NotImplementedError, match='reads bytes'):
        client.get_text('a')


def test_memcached(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'mc', mc := MagicMock())
    monkeypatch.setattr(sys, 'path', sys.path[:])
    client = FileClient('memcached', server_list_cfg='s', client_cfg='c', sys_path=str(tmp_path))
    assert sys.path[-1] == str(tmp_path)
    assert client.get('a') is mc.ConvertBuffer.return_value
    assert mc.mock_calls == [
        call.MemcachedClient.GetInstance('s', 'c'), call.pyvector(),
        call.MemcachedClient.GetInstance().Get('a', mc.pyvector.return_value),
        call.ConvertBuffer(mc.pyvector.return_value)]
    with pytest.raises(NotImplementedError, match='reads bytes'):
        client.get_text('a')


@pytest.fixture
def lmdb(monkeypatch):
    """The module lmdb with one database of one key."""
    monkeypatch.setitem(sys.modules, 'lmdb', module := MagicMock())
    monkeypatch.setattr(FileClient, '_instances', {})
    transaction = module.open.return_value.begin.return_value.__enter__.return_value
    transaction.get.side_effect = {b'a': b'x'}.get
    return module


def test_lmdb(lmdb, monkeypatch, tmp_path):
    client = FileClient('lmdb', db_path=tmp_path, map_size=9)
    assert not lmdb.open.called
    assert client.get('a') == client.get('a') == b'x'
    options = dict(readonly=True, lock=False, readahead=False, map_size=9)
    assert lmdb.open.mock_calls[0] == call(str(tmp_path), **options)
    assert lmdb.open.call_count == 1
    with pytest.raises(DataError, match='cannot read b: the LMDB database .* has no such key'):
        client.get('b')
    with pytest.raises(NotImplementedError, match='holds bytes'):
        client.get_text('a')
    monkeypatch.setattr('os.getpid', lambda: -1)  # as in a data worker
    assert client.get('a') == b'x'
    assert lmdb.open.call_count == 2
    assert lmdb.open.return_value.close.call_count == 1
    # Opened databases cannot be sent to a worker.
    assert pickle.loads(pickle.dumps(client.client)).options == options


def test_real_lmdb_in_forked_processes(tmp_path):
    lmdb = pytest.importorskip('lmdb')
    with lmdb.open(str(tmp_path), map_size=2**20) as database, database.begin(write=True) as write:
        write.put(b'a', b'x')
    client = FileClient('lmdb', db_path=tmp_path)
    assert client.get('a') == b'x'
    with multiprocessing.get_context('fork').Pool(2) as pool:
        assert pool.map(client.get, ['a'] * 4) == [b'x'] * 4
    assert client.get('a') == b'x'


@pytest.mark.parametrize(('backend', 'options', 'package'), [
    ('petrel', {}, 'petrel_client'), ('ceph', {}, 'ceph'), ('lmdb', dict(db_path='x'), 'lmdb'),
    ('memcached', dict(server_list_cfg='', client_cfg=''), 'mc')])
def test_packages_that_are_absent(monkeypatch, backend, options, package):
    monkeypatch.setattr(FileClient, '_instances', {})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f'{backend} needs the package {package}.*install'
                       ) as error:
        FileClient(backend, **options)
    assert isinstance(error.value, MissingPackageError)
