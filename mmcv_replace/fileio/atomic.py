"""Write a file so that readers see its old or its new content, never a part."""
import contextlib
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Names of unfinished files: those of `atomic_write`, and links.
_UNFINISHED = re.compile(r'.+\.[0-9a-f]{32}\.tmp')


@contextmanager
def atomic_write(path: str | Path, mode: str = 'wb',
                 check: Callable[[Path], None] | None = None, sync: bool = True) -> Iterator[IO]:
    """Open a temporary file that replaces `path` when the block ends without an error.

    `mode` is 'wb' or 'w' (UTF-8). The folder is created if necessary; after an error the temporary
    file is deleted. `check` gets the path of the complete file, and raises to keep the old one.
    Without `sync` nobody waits for the disk: after a power cut the file may lack parts, which its
    readers must be able to notice.
    """
    assert mode in ('wb', 'w'), mode
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name[:50]}.{uuid.uuid4().hex}.tmp')
    try:
        # 'x' rather than tempfile, so that the file has the usual permissions of a new file.
        with open(temporary, mode.replace('w', 'x'),
                  encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if check is not None:
            check(temporary)
        os.replace(temporary, path)
    except BaseException:
        # An error here, as on a disk that was removed, must not hide the first one.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: str | Path) -> None:
    """Make the names in a folder survive a power cut, if the system supports it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_unfinished(folder: str | Path, age: float = 0) -> list[Path]:
    """Delete and return the files in a folder that killed writers have left unfinished.

    Only those that nobody has written to for `age` seconds, where others may be writing.
    """
    found = [path for path in Path(folder).glob('*.tmp') if _UNFINISHED.fullmatch(path.name)]
    if age > 0:
        found = [path for path in found if _seconds_since_written(path) >= age]
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _seconds_since_written(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # another process was faster
        return 0
