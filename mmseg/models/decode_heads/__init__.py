"""Decode heads, each imported when it is first asked for; `mmseg/models/builder.py` lists them."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import HEADS

_MODULES = {**HEADS.modules, 'BaseDecodeHead': '.decode_head'}
__getattr__, __dir__ = lazy_names(__name__, _MODULES)
__all__ = list(_MODULES)
