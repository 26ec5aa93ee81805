"""The client of a cluster cannot be installed: a stand-in records what it is asked."""
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock, call

import pytest

from mmcv_replace import FileClient
from mmcv_replace.utils.errors import ConfigTypeError


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
