import sys
from unittest.mock import MagicMock, call

import pytest

from mmcv_replace import FileClient


def test_ceph(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ceph', ceph := MagicMock())
    ceph.S3Client.return_value.Get.return_value = b'x'
    client = FileClient('ceph', path_mapping={'/data': 's3://x'})
    assert bytes(client.get('/data/a')) == b'x'
    assert ceph.mock_calls == [call.S3Client(), call.S3Client().Get('s3://x/a')]
    with pytest.raises(NotImplementedError, match='reads bytes'):
        client.get_text('a')
