"""The foundation below the segmentation code; it answers to mmcv's names and needs no compiler."""
import os

from . import interrupts  # noqa: F401  for the time in which the rest is imported

# A plug-in that cannot load must not keep torch from being imported: mmcv_replace.device imports it
# when it is asked for, and says what is missing.
os.environ.setdefault('TORCH_DEVICE_BACKEND_AUTOLOAD', '0')
# Threads that wait by spinning take the cores from data workers and from other programs. OpenMP
# reads this when torch is imported.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

# ruff: noqa: F403 - what the three packages export is decided there, once.
from . import torch_import  # noqa: F401  before anything else imports torch

# isort: split
from . import fileio, image, utils
from .alias import install_alias
from .fileio import *
from .image import *
from .utils import *

# The version of mmcv's interface that these names stand for: user code asks for it.
__version__ = '1.2.7'

__all__ = ['__version__', 'install_alias', *fileio.__all__, *image.__all__, *utils.__all__]
