"""Config-driven semantic segmentation on Ascend NPU, CUDA and CPU."""
from .version import __version__

__all__ = ['__version__']
