"""What every converter needs."""
from collections.abc import Iterable
from pathlib import Path

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import ConfigError


def need_scipy() -> None:
    """Raise ConfigError where scipy, an optional dependency, cannot be imported."""
    try:
        import scipy.io  # noqa: F401
    except ImportError as error:
        raise ConfigError("SBD's annotations are MATLAB files, and scipy, which reads and writes "
                          f"them, does not load ({error}): pip install 'mmseg-ascend[sbd]'"
                          ) from error


def write_names(path: str | Path, names: Iterable[str]) -> None:
    """Write a list file of image names, sorted."""
    with atomic_write(path) as file:
        file.write(''.join(f'{name}\n' for name in sorted(names)).encode())
