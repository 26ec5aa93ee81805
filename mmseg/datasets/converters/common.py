"""What every converter needs."""
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils import track_parallel_progress, track_progress
from mmcv_replace.utils.errors import ConfigError


def need_scipy() -> None:
    """Raise ConfigError where scipy, an optional dependency, cannot be imported."""
    try:
        import scipy.io  # noqa: F401
    except ImportError as error:
        raise ConfigError("SBD's annotations are MATLAB files, and scipy, which reads and writes "
                          f"them, does not load ({error}): pip install 'mmseg-ascend[sbd]'"
                          ) from error


def for_each(func: Callable[[Any], Any], items: Sequence[Any], nproc: int) -> list[Any]:
    """Call `func` for each item with a progress bar, in `nproc` processes where more than one."""
    if nproc > 1:
        return track_parallel_progress(func, items, nproc)
    return track_progress(func, items)


def write_names(path: str | Path, names: Iterable[str]) -> None:
    """Write a list file of image names, sorted."""
    with atomic_write(path) as file:
        file.write(''.join(f'{name}\n' for name in sorted(names)).encode())
