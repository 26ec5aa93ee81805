"""The foundation below the segmentation code: mmcv's interface in pure Python."""
import os

from . import interrupts  # noqa: F401  first, for Ctrl-C during the imports that follow

# torch would import an installed plug-in itself and fail where that fails; mmcv_replace.device
# imports it when its device is used, and reports what is missing.
os.environ.setdefault('TORCH_DEVICE_BACKEND_AUTOLOAD', '0')
# Threads that wait by spinning would take cores from data workers and other programs. OpenMP reads
# the variable when torch is imported.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

from . import torch_import  # noqa: F401  before anything else imports torch

# isort: split
from . import arraymisc, fileio, image, utils, visualization
from .alias import install_alias
from .utils.lazy_names import lazy_names
from .version import __version__, parse_version_info, version_info

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    package.__name__: package.__all__
    for package in (arraymisc, fileio, image, utils, visualization)})
__all__ += ['__version__', 'install_alias', 'parse_version_info', 'version_info']
