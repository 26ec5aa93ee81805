import multiprocessing
import pickle
import sys
from unittest.mock import MagicMock, call

import pytest

from mmcv_replace import FileClient
from mmcv_replace.utils.errors import DataError


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
