import sys

import pytest

from mmcv_replace import FileClient
from mmcv_replace.fileio import BaseStorageBackend
from mmcv_replace.utils.errors import MissingModuleError


@pytest.mark.parametrize(('backend', 'options', 'package'), [
    ('petrel', {}, 'petrel_client.client'), ('ceph', {}, 'ceph'),
    ('lmdb', dict(db_path='x'), 'lmdb'),
    ('memcached', dict(server_list_cfg='', client_cfg=''), 'mc')])
def test_packages_that_are_absent(monkeypatch, backend, options, package):
    monkeypatch.setattr(FileClient, '_instances', {})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f'{backend} needs {package}, .*install'
                       ) as error:
        FileClient(backend, **options)
    assert isinstance(error.value, MissingModuleError)


def test_a_backend_tells_whether_it_has_stamps(monkeypatch):
    class Plain(BaseStorageBackend):
        def get(self, filepath):
            return b''

    monkeypatch.setitem(FileClient.backends, 'plain', Plain)
    client = FileClient('plain')
    assert not client.has_stamps
    with pytest.raises(NotImplementedError, match='Plain tells no time of change'):
        client.stamp('a')
