"""Writing a file so that readers see the old content or the new, never a part."""
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_write(path: str | Path, mode: str = 'wb') -> Iterator[IO]:
    """Open a temporary file beside `path` that takes its place when the block ends without error.

    `mode` is 'wb' or 'w' (UTF-8). The folder is made if need be; after an error nothing is left.
    """
    assert mode in ('wb', 'w'), mode
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name[:100]}.{uuid.uuid4().hex}.tmp')
    try:
        # 'x' rather than tempfile: the file gets the permissions that any new file would get.
        with open(temporary, mode.replace('w', 'x'),
                  encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
