"""Versions and devices of this machine, for logs and bug reports."""
import platform
import sys
from collections import OrderedDict

import torch

from .version_utils import get_git_hash

__all__ = ['collect_env', 'get_git_hash']


def collect_env() -> OrderedDict[str, str]:
    """Versions and devices by name, in the order of printing."""
    import cv2
    import numpy

    from .. import __version__
    from ..device import KINDS, former_environment  # late: the device table imports this package
    return OrderedDict({
        'sys.platform': sys.platform,
        'Platform': platform.platform(),
        'Python': sys.version.replace('\n', ''),
        'PyTorch': torch.__version__,
        'NumPy': numpy.__version__,
        'OpenCV': cv2.__version__,
        **{f'Devices of type {kind.type}': f'{kind.count()}' if kind.available() else 'none usable'
           for kind in KINDS},
        'CPU threads': str(torch.get_num_threads()),
        'PyTorch compiling details': torch.__config__.show(),
        'MMCV': __version__,
        **former_environment()})
