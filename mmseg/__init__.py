"""Config-driven semantic segmentation on Ascend NPU, CUDA and CPU."""
import mmcv_replace  # first of all: it decides how torch loads its plug-ins
from mmcv_replace.utils.checks.type_check import ANNOTATED
from mmcv_replace.utils.version_utils import digit_version

from .version import __version__, version_info

__all__ = ['__version__', 'digit_version', 'mmcv_version', 'version_info']

mmcv_version = digit_version(mmcv_replace.__version__)

mmcv_replace.install_alias(over_installed=False)
ANNOTATED.append('mmseg')
