"""The files below a folder, and whether a file is there."""
import os
import stat
from pathlib import Path

from mmcv_replace.utils import scandir
from mmcv_replace.utils.errors import DataError, MissingDataError


def files_below(folder: str | Path, suffix: str | tuple[str, ...] | None = None,
                case_sensitive: bool = True, remedy: str = 'correct its permissions') -> list[str]:
    """Names of all files below a folder that end with `suffix`, relative to it, in order.

    Raises DataError, with the `remedy`, where the folder or one in it cannot be read, and
    MissingDataError where there is none.
    """
    try:
        return list(scandir(folder, suffix, recursive=True, case_sensitive=case_sensitive))
    except OSError as error:
        kind = MissingDataError if isinstance(error, FileNotFoundError) else DataError
        raise kind(f'cannot read the folder {error.filename}: {error.strerror}; {remedy}'
                   ) from error


def file_is_there(path: str | Path) -> bool:
    """Whether a path is that of a file; DataError where permissions hide it.

    False for what can be no path, such as a name that is too long.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except PermissionError as error:
        raise DataError(f'cannot read {path}: {error.strerror}; correct the permissions of its '
                        'folder') from error
    except (OSError, ValueError):
        return False
