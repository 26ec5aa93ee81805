"""Files in Ceph, by the client that was before petrel's."""
from collections.abc import Mapping
from pathlib import Path

from ...utils.misc.optional import import_optional
from .base import BaseStorageBackend
from .mapping import check_mapping, map_path


class CephBackend(BaseStorageBackend):
    """Files by the package `ceph`; `path_mapping` turns local paths into addresses."""

    def __init__(self, path_mapping: Mapping[str, str] | None = None) -> None:
        self.path_mapping = check_mapping(path_mapping)
        ceph = import_optional('ceph', 'the file backend ceph', 'install the client of your '
                               'cluster, or choose the backend petrel or fsspec')
        self._client = ceph.S3Client()

    def get(self, filepath: str | Path) -> memoryview:
        """Content of a file."""
        return memoryview(self._client.Get(map_path(filepath, self.path_mapping)))

    def get_text(self, filepath: str | Path, encoding: str | None = None) -> str:
        """NotImplementedError, as in mmcv."""
        raise NotImplementedError('the ceph backend reads bytes: decode what get() returns')
