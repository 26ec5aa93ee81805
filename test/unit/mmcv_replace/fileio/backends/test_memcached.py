import sys
from unittest.mock import MagicMock, call

import pytest

from mmcv_replace import FileClient


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
