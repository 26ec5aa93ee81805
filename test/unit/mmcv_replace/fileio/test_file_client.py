import copy
import pickle
from pathlib import Path

import pytest

from mmcv_replace import BaseStorageBackend, FileClient
from mmcv_replace.fileio import HardDiskBackend, HTTPBackend, is_remote
from mmcv_replace.utils.errors import ArgumentError, ConfigError, ConfigKeyError, ConfigTypeError


class Memory(BaseStorageBackend):
    """In the style of early plug-ins: get_text without an encoding."""

    def __init__(self, content=None):
        self.content = content or {'a': b'x'}

    def get(self, filepath):
        return self.content[filepath]

    def get_text(self, filepath):
        return self.get(filepath).decode()


class Other(Memory):
    pass


def test_default_is_the_disk():
    assert type(FileClient().client) is HardDiskBackend
    assert FileClient() is FileClient('disk')


def test_own_backend():
    @FileClient.register_backend('memory')
    class Own(Memory):
        pass

    assert FileClient('memory', content={'a': b'y'}).get_text('a') == 'y'
    assert FileClient.register_backend('other', Other) is None
    assert FileClient('other').get('a') == b'x'
    assert FileClient('other').name == 'Other'
    assert not FileClient('other').allow_symlink
    assert FileClient._backends['other'] is Other
    with pytest.raises(ConfigKeyError, match=r"'memory' exists already \(.*Own\).*force=True"):
        FileClient.register_backend('memory', Other)
    FileClient.register_backend('memory', Other, force=True)
    assert type(FileClient('memory').client) is Other


@pytest.mark.parametrize(('args', 'message'), [
    ((1, Memory), 'a string, not 1'), (('x', 1), 'no subclass of BaseStorageBackend'),
    (('x', int), 'no subclass of BaseStorageBackend'), (('x', Memory, False, 3), 'prefixes is a')])
def test_register_what_is_no_backend(args, message):
    with pytest.raises(TypeError, match=message) as error:
        FileClient.register_backend(*args)
    assert isinstance(error.value, AssertionError)


def test_prefixes():
    FileClient.register_backend('one', Memory, prefixes='one')
    FileClient.register_backend('two', Other, prefixes=['two', 'deux'])
    assert type(FileClient(prefix='one').client) is Memory
    assert type(FileClient(prefix='deux').client) is Other
    assert type(FileClient('one', prefix='two').client) is Memory  # the name counts first
    assert type(FileClient.infer_client(uri='cluster:two://x').client) is Other
    with pytest.raises(KeyError, match="prefix 'one' exists already"):
        FileClient.register_backend('three', Other, prefixes=('one',))
    assert 'three' not in FileClient.backends
    FileClient.register_backend('three', Other, force=True, prefixes='one')
    assert type(FileClient(prefix='one').client) is Other


def test_parse_uri_prefix():
    parse = FileClient.parse_uri_prefix
    assert parse('s3://a/b') == parse('cluster:s3://a/b') == 's3'
    assert parse('a/b:c') is parse(Path('a/b')) is None
    with pytest.raises(ConfigTypeError, match='not None'):
        parse(None)


def test_infer_client():
    assert FileClient.infer_client({'backend': 'http'}, 'a.txt').client.timeout == 60
    assert type(FileClient.infer_client(uri='https://a').client) is HTTPBackend
    assert FileClient.infer_client(uri=Path('a')) is FileClient()


def test_same_arguments_share_a_client():
    assert FileClient('http', timeout=3) is FileClient('http', timeout=3)
    assert FileClient('http', timeout=3) is not FileClient('http', timeout=4)
    client = FileClient('http', timeout=3)
    assert copy.deepcopy(client) is pickle.loads(pickle.dumps(client)) is client
    assert type(FileClient().client) is HardDiskBackend  # not what was unpickled


def test_encoding_reaches_the_backend(tmp_path):
    (tmp_path / 'a').write_bytes('ü'.encode('latin-1'))
    assert FileClient().get_text(tmp_path / 'a', encoding='latin-1') == 'ü'


def test_unknown_backend():
    with pytest.raises(ConfigError, match="unknown file backend 'hadoop': choose disk, http, lmdb, "
                       ".*or register"):
        FileClient('hadoop')
    with pytest.raises(ArgumentError, match="file backend 'disk' does not take 'path'"):
        FileClient(path='x')


@pytest.mark.parametrize(('path', 'options', 'remote'), [
    ('data/a.png', {}, False), (Path('a.png'), {}, False), ('s3://bucket/a.png', {}, True),
    ('a.png', dict(file_client_args=dict(backend='disk')), True)])
def test_which_paths_need_a_client(path, options, remote):
    assert is_remote(path, **options) == remote
