"""Files at http:// and https:// addresses."""
from pathlib import Path

from ...utils.errors import DataError
from .base import RemoteBackend


class HTTPBackend(RemoteBackend):
    """Files at http:// and https:// addresses."""

    def __init__(self, timeout: float = 60) -> None:
        self.timeout = timeout  # seconds without an answer

    def get(self, filepath: str | Path) -> bytes:
        """Content of a URL; DataError where it cannot be fetched."""
        from http.client import HTTPException
        from urllib.request import urlopen
        url = str(filepath)
        if not url.startswith(('http://', 'https://')):
            raise DataError(f'the http backend reads http:// and https:// addresses, not {url!r}')
        try:
            with urlopen(url, timeout=self.timeout) as answer:
                return answer.read()
        except (OSError, HTTPException, ValueError) as error:  # the last for a malformed address
            raise DataError(f'cannot fetch {url}: {error}') from error
