import sys

import pytest

from mmcv_replace import FileClient
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
