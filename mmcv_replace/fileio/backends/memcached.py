"""Files in a cluster's memory, by its memcached client."""
import sys
from pathlib import Path
from typing import Any

from ...utils.misc.optional import import_optional
from .base import BaseStorageBackend


class MemcachedBackend(BaseStorageBackend):
    """Files by the package `mc`, which a cluster brings, perhaps in the folder `sys_path`."""

    def __init__(self, server_list_cfg: str, client_cfg: str, sys_path: str | None = None) -> None:
        if sys_path is not None and sys_path not in sys.path:
            sys.path.append(sys_path)
        self._mc = import_optional('mc', 'the file backend memcached', 'install the client of '
                                   'your cluster, or give its folder as sys_path')
        self.server_list_cfg = server_list_cfg
        self.client_cfg = client_cfg
        self._client = self._mc.MemcachedClient.GetInstance(server_list_cfg, client_cfg)

    def get(self, filepath: str | Path) -> Any:
        """Content of a file."""
        buffer = self._mc.pyvector()
        self._client.Get(str(filepath), buffer)
        return self._mc.ConvertBuffer(buffer)

    def get_text(self, filepath: str | Path, encoding: str | None = None) -> str:
        """NotImplementedError, as in mmcv."""
        raise NotImplementedError('the memcached backend reads bytes: decode what get() returns')
