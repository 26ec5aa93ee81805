"""Finds published weights by name or URL: in the cache, or downloaded to it."""
import os
from pathlib import Path
from urllib.parse import unquote, urlparse

import torch

from ...utils.errors import CheckpointError
from ..dist_utils import is_node_leader
from ..heartbeat import run_with_heartbeat
from .download import Watch, download, expected_hash, sha256
from .model_zoo import SCHEMES, find_address

KNOWN_PLACES = ('http', 'https', *SCHEMES)  # what may precede :// in a name


def resolve_checkpoint(name: str | Path, folder: str | Path | None = None,
                       file_name: str | None = None, watch: Watch | None = None) -> Path:
    """Local file of a checkpoint; a URL or a name such as torchvision://resnet50 is downloaded.

    Downloads are kept in `folder`, by default torch's cache, $TORCH_HOME/hub/checkpoints
    (~/.cache/torch/hub/checkpoints), under `file_name` or the name in the address; `watch` gets
    the progress. $MMSEG_MIRROR, an address or a folder, takes the place of https://HOST. In a
    distributed job all processes have to call this: one on each machine downloads, the others wait.
    Raises CheckpointError.
    """
    url = _find_url(str(name))
    if '://' not in url:
        return Path(url)
    target = cache_path(url, folder, file_name)
    outcomes = run_with_heartbeat(
        (lambda: _provide(url, target, watch)) if is_node_leader() else None)
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


def cache_path(url: str, folder: str | Path | None = None, name: str | None = None) -> Path:
    """The file that an address is kept in; see `resolve_checkpoint`."""
    try:
        filename = name or Path(unquote(urlparse(url).path)).name
    except ValueError as error:
        raise CheckpointError(f'{url!r} is not an address: {error}') from error
    # At most 200 bytes, since the name of a temporary file is longer.
    if filename in ('', '..') or not filename.isprintable() or len(filename.encode()) > 200:
        raise CheckpointError(f'{url!r} does not end in the name of a file')
    return Path(os.path.join(torch.hub.get_dir(), 'checkpoints') if folder is None else folder,
                filename)


def _provide(url: str, target: Path, watch: Watch | None) -> None:
    """Download `url` to `target` unless it is there; CheckpointError for wrong content."""
    if not target.is_file():
        download(url, target, watch)
        return
    expected = expected_hash(target)
    if expected:
        with target.open('rb') as file:
            found = sha256(file).hexdigest()
        if not found.startswith(expected):
            raise CheckpointError(f'{target} is not what it should be (SHA-256 {found[:16]}..., '
                                  f'expected {expected}...): delete it, it will be downloaded anew '
                                  f'from {url}')
