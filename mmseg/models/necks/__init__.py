"""Necks, each imported when it is first asked for; `mmseg/models/builder.py` lists them."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import NECKS

__getattr__, __dir__, __all__ = lazy_names(__name__, NECKS.modules)
