"""Writing a file so that readers see the old content or the new, never a part."""
import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Names of files under way: here, and of the links of `symlink`.
_UNFINISHED = re.compile(r'.+\.[0-9a-f]{32}\.tmp')


@contextmanager
def atomic_write(path: str | Path, mode: str = 'wb',
                 check: Callable[[Path], None] | None = None) -> Iterator[IO]:
    """Open a temporary file beside `path` that takes its place when the block ends without error.

    `mode` is 'wb' or 'w' (UTF-8). The folder is made if need be; after an error nothing is left.
    `check` is called with the complete temporary file, and may raise to keep the old one.
    """
    assert mode in ('wb', 'w'), mode
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name[:50]}.{uuid.uuid4().hex}.tmp')
    try:
        # 'x' rather than tempfile: the file gets the permissions that any new file would get.
        with open(temporary, mode.replace('w', 'x'),
                  encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check(temporary)
        os.replace(temporary, path)
    except BaseException:
        # An error here, as on a disk that went away, must not hide the first one.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: str | Path) -> None:
    """Let the names in a folder survive a power cut, where the system has a call for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_unfinished(folder: str | Path) -> list[Path]:
    """Delete what writers that were killed left in a folder; returns it."""
    found = [path for path in Path(folder).glob('*.tmp') if _UNFINISHED.fullmatch(path.name)]
    for path in found:
        path.unlink(missing_ok=True)
    return found
