"""Backbones, each imported when it is first asked for; `mmseg/models/builder.py` lists them."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import BACKBONES

__getattr__, __dir__ = lazy_names(__name__, BACKBONES.modules)
__all__ = list(BACKBONES.modules)
