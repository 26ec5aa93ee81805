"""Downloads published weights by name or URL: once, with a check of the content."""
import hashlib
import logging
import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import torch

from ...fileio import atomic_write
from ...utils.errors import CheckpointError
from ..dist_utils import is_node_leader
from ..heartbeat import run_with_heartbeat
from .model_zoo import SCHEMES, find_address

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import Request

TIMEOUT = 60  # seconds without an answer
CHUNK = 2**20  # bytes read at once
KNOWN_PLACES = ('http', 'https', *SCHEMES)  # what may precede :// in a name


def resolve_checkpoint(name: str | Path, folder: str | Path | None = None,
                       file_name: str | None = None) -> Path:
    """Local file of a checkpoint; a URL or a name such as torchvision://resnet50 is downloaded.

    Downloads are kept in `folder`, by default torch's cache, $TORCH_HOME/hub/checkpoints
    (~/.cache/torch/hub/checkpoints), under `file_name` or the name in the address. In a distributed
    job all processes have to call this: one on each machine downloads, the others wait. Raises
    CheckpointError.
    """
    url = _find_url(str(name))
    if '://' not in url:
        return Path(url)
    target = _cache_path(url, folder, file_name)
    outcomes = run_with_heartbeat((lambda: _provide(url, target)) if is_node_leader() else None)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    for rank, outcome in enumerate(outcomes):
        if outcome.failure is not None:
            raise CheckpointError(f'rank {rank} could not provide {url}: {outcome.failure}')
    if not target.is_file():
        raise CheckpointError(f'{url} was downloaded by another process, but {target} does not '
                              'exist here: set TORCH_HOME to the same folder for all processes of '
                              'a machine')
    return target


def _find_url(name: str) -> str:
    """URL of a name, or its local path."""
    scheme, separator, rest = name.partition('://')
    if not separator or scheme in ('http', 'https'):
        return name
    if scheme not in SCHEMES:
        raise CheckpointError(f'cannot read {name!r}: use a path, http://, https://, or a name '
                              f'after {", ".join(f"{known}://" for known in SCHEMES)}')
    return find_address(scheme, rest)


def _cache_path(url: str, folder: str | Path | None = None, name: str | None = None) -> Path:
    try:
        filename = name or Path(unquote(urlparse(url).path)).name
    except ValueError as error:
        raise CheckpointError(f'{url!r} is not an address: {error}') from error
    # At most 200 bytes, since the name of a temporary file is longer.
    if filename in ('', '..') or not filename.isprintable() or len(filename.encode()) > 200:
        raise CheckpointError(f'{url!r} does not end in the name of a file')
    return Path(os.path.join(torch.hub.get_dir(), 'checkpoints') if folder is None else folder,
                filename)


def _provide(url: str, target: Path) -> None:
    """Download `url` to `target` unless it is there; CheckpointError for wrong content."""
    if not target.is_file():
        _download(url, target)
        return
    expected = _expected_hash(target)
    if expected:
        with target.open('rb') as file:
            found = _copy_and_hash(file)
        if not found.startswith(expected):
            raise CheckpointError(f'{target} is not what it should be (SHA-256 {found[:16]}..., '
                                  f'expected {expected}...): delete it, it will be downloaded anew '
                                  f'from {url}')


def _download(url: str, target: Path) -> None:
    from http.client import HTTPException
    logging.getLogger('mmseg').info('downloading %s to %s', url, target)
    expected = _expected_hash(target)
    try:
        with atomic_write(target) as file, _open_url(url) as answer:
            announced = answer.length  # what is left to read; None where the server does not say
            found = _copy_and_hash(answer, file)
            if announced is not None and file.tell() != announced:
                raise OSError(f'it broke off after {file.tell()} of {announced} bytes')
            if not found.startswith(expected):
                raise CheckpointError(f'{url} gave a file with the SHA-256 {found[:16]}..., '
                                      f'expected {expected}...: it was changed there or on the '
                                      'way; look for another source')
    except (OSError, HTTPException, UnicodeError) as error:  # those of urllib are OSErrors
        raise CheckpointError(
            f'cannot download {url}: {error}. Get the file on another machine and put it at '
            f'{target}; or train without it: --cfg-options model.pretrained=None') from error


def _open_url(url: str) -> 'HTTPResponse':
    """The response to a request; a redirect must not lead from https to anything else."""
    from urllib.error import URLError
    from urllib.request import HTTPRedirectHandler, build_opener

    class Redirects(HTTPRedirectHandler):
        """Refuses other protocols."""

        def redirect_request(self, req: 'Request', *args: Any) -> 'Request | None':
            new = super().redirect_request(req, *args)
            if new is not None and new.type not in ('https', req.type):
                raise URLError(f'it leads to {new.full_url}, which is not https')
            return new

    return build_opener(Redirects).open(url, timeout=TIMEOUT)


def _expected_hash(target: Path) -> str:
    """Start of the SHA-256 in a name such as resnet50-0676ba61.pth; empty if it has none."""
    # Eight digits may be a date.
    match = re.search(r'-(?!(?:19|20)\d\d[01]\d[0-3]\d\.)([0-9a-f]{8,64})\.', target.name)
    return match[1] if match else ''


def _copy_and_hash(source: IO[bytes], target: IO[bytes] | None = None) -> str:
    """SHA-256 of a stream, whose content is also written to `target`."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest()
