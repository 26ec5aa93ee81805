"""Versions and devices of this machine, for logs and bug reports."""
import platform
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import torch

_HERE = Path(__file__).resolve()


def collect_env() -> OrderedDict[str, str]:
    """Versions and devices by name, in the order of printing."""
    import cv2
    import numpy

    from .. import __version__
    from ..device import KINDS  # late: the device table imports this package
    return OrderedDict({
        'sys.platform': f'{sys.platform} ({platform.platform()})',
        'Python': sys.version.replace('\n', ''),
        'PyTorch': torch.__version__,
        'NumPy': numpy.__version__,
        'OpenCV': cv2.__version__,
        **{f'Devices of type {kind.type}': f'{kind.count()}' if kind.available() else 'none usable'
           for kind in KINDS},
        'CPU threads': str(torch.get_num_threads()),
        'MMCV': f'mmcv_replace, with the interface of {__version__}'})


def get_git_hash(fallback: str = 'unknown', digits: int | None = None) -> str:
    """The commit of this checkout, `fallback` if the package is installed."""
    try:
        # An installed copy may be inside a repository of the user, which does not track it.
        _git('ls-files', '--error-unmatch', _HERE.name)
        return _git('rev-parse', 'HEAD')[:digits]
    except (OSError, subprocess.CalledProcessError):
        return fallback


def _git(*arguments: str) -> str:
    return subprocess.run(['git', *arguments], cwd=_HERE.parent, check=True, text=True,
                          capture_output=True).stdout.strip()
