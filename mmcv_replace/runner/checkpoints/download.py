"""Get a file from the network: checked by the hash in its name, continued after a break."""
import contextlib
import errno
import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlparse, urlsplit

from ...fileio.atomic import sync_folder
from ...utils.errors import CheckpointError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import Request

# An address or a folder that takes the place of https://HOST in every address.
ENV_MIRROR = 'MMSEG_MIRROR'
TIMEOUT = 60  # seconds without an answer
CHUNK = 2**20  # bytes read at once
# Told how many bytes there are so far, and how many there will be, None where that is unknown.
Watch = Callable[[int, int | None], None]


def download(url: str, target: Path, watch: Watch | None = None) -> None:
    """Get `url`, or its copy in the mirror, as `target`, which appears when it is complete.

    What a broken download has left, .NAME.part beside it, is continued where the name has a hash
    that tells whether the parts fit. Processes that want the same file wait for each other. Raises
    CheckpointError, which says where else to put the file.
    """
    from http.client import HTTPException
    source = mirrored(url)
    part_file = target.with_name(f'.{target.name}.part')
    logging.getLogger('mmseg').info('downloading %s to %s', source, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _part_of(target, part_file) as part:
            if target.is_file():  # another process was faster
                return
            digest = _fill(part, source, expected_hash(target), watch)
            _check(digest, source, target)
            os.fsync(part.fileno())
            os.replace(part.name, target)
        sync_folder(target.parent)
    except (OSError, HTTPException, UnicodeError) as error:  # those of urllib are OSErrors
        if _is_about(error, target, part_file):
            raise CheckpointError(
                f'cannot write {target}: {error}; make the folder writable, free some space, or '
                'choose another folder (the variable TORCH_HOME is that of the cache)') from error
        raise CheckpointError(
            f'cannot download {source}: {error}. Get the file on another machine and put it at '
            f'{target}, or set {ENV_MIRROR} to an address or a folder that has {_place(url)} '
            '(a training can do without weights to begin with: --cfg-options '
            'model.pretrained=None)') from error


def _is_about(error: Exception, target: Path, part_file: Path) -> bool:
    """Whether the target cannot be written, rather than that the source cannot be read."""
    name = getattr(error, 'filename', None)
    return (getattr(error, 'errno', None) in (errno.ENOSPC, errno.EDQUOT)
            or isinstance(name, str | bytes)
            and Path(os.fsdecode(name)) in (part_file, target, *target.parents))


def mirrored(url: str) -> str:
    """The address in the mirror of the environment's ENV_MIRROR, if there is one."""
    mirror = os.environ.get(ENV_MIRROR, '').strip()
    if not mirror:
        return url
    if '://' in mirror:
        parts = urlsplit(mirror)
        usable = parts.scheme in ('http', 'https') and parts.netloc
        # A blank, which an address cannot have, is meant as the %20 that stands for it.
        folder = mirror.replace(' ', '%20')
    else:
        folder = os.path.expanduser(mirror)
        usable = os.path.isdir(folder)
    if not usable:
        raise CheckpointError(f'{ENV_MIRROR}={mirror} must be an address that begins with http:// '
                              'or https://, or a folder that exists')
    return f'{folder.rstrip("/")}/{_place(url)}'


def expected_hash(target: Path) -> str:
    """Start of the SHA-256 in a name such as resnet50-0676ba61.pth; empty if it has none."""
    # Eight digits may be a date.
    match = re.search(r'-(?!(?:19|20)\d\d[01]\d[0-3]\d\.)([0-9a-f]{8,64})\.', target.name)
    return match[1] if match else ''


def sha256(source: IO[bytes]) -> 'hashlib._Hash':
    """Digest of the rest of a stream."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
    return digest


def _place(url: str) -> str:
    return urlparse(url).path.lstrip('/')


@contextmanager
def _part_of(target: Path, path: Path) -> Iterator[IO[bytes]]:
    """`path`, the unfinished `target`, locked; after an error it stays if it can be continued."""
    with _locked(path) as file:
        try:
            yield file
        except BaseException as error:
            wrong = isinstance(error, CheckpointError)
            if wrong or not expected_hash(target) or not file.tell():
                path.unlink(missing_ok=True)
            raise
        # It is still there where another process has made the target.
        path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """Open for reading and appending, when no other process has it."""
    while True:
        with path.open('a+b') as file:
            with contextlib.suppress(ImportError, OSError):  # Windows and some networks have none
                import fcntl
                fcntl.lockf(file, fcntl.LOCK_EX)
            # While this process waited, another may have finished or deleted the file.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield file
                return


def _fill(part: IO[bytes], source: str, expected: str, watch: Watch | None) -> 'hashlib._Hash':
    """Append what is missing to the unfinished file; returns the digest of the whole."""
    if not expected:
        part.truncate(0)
    part.seek(0)
    digest = sha256(part)
    begin = part.tell()
    if '://' not in source:
        with open(source, 'rb') as file:
            part.truncate(0)
            shutil.copyfileobj(file, part, CHUNK)
        part.seek(0)
        return sha256(part)
    if expected and digest.hexdigest().startswith(expected):
        return digest
    with _answer(source, begin) as answer:
        if begin and answer.status != 206:  # the server sends all of it
            part.seek(0)
            part.truncate()
            digest, begin = hashlib.sha256(), 0
        left = answer.length  # None where the server does not say
        total = None if left is None else begin + left
        while chunk := answer.read(CHUNK):
            part.write(chunk)
            digest.update(chunk)
            if watch is not None:
                watch(part.tell(), total)
        if total is not None and part.tell() != total:
            raise OSError(f'it broke off after {part.tell()} of {total} bytes'
                          + (' (the next attempt continues there)' if expected else ''))
    return digest


def _answer(url: str, begin: int) -> 'HTTPResponse':
    """The response to a request for the file from byte `begin` on, or for all of it."""
    from urllib.error import HTTPError
    from urllib.request import Request
    try:
        return _open(Request(url, headers={'Range': f'bytes={begin}-'} if begin else {}))
    except HTTPError as error:
        if not begin or error.code != 416:  # 416: nothing is missing, or it is another file
            raise
        error.close()
        return _open(Request(url))


def _open(request: 'Request') -> 'HTTPResponse':
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

    return build_opener(Redirects).open(request, timeout=TIMEOUT)


def _check(digest: 'hashlib._Hash', source: str, target: Path) -> None:
    found, expected = digest.hexdigest(), expected_hash(target)
    if not found.startswith(expected):
        raise CheckpointError(f'{source} gave a file with the SHA-256 {found[:16]}..., expected '
                              f'{expected}...: it was changed there or on the way; look for '
                              'another source')
