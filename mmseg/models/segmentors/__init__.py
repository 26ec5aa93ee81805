"""Segmentors: whole models, each imported when it is first asked for."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import SEGMENTORS

_MODULES = {**SEGMENTORS.modules, 'BaseSegmentor': '.base'}
__getattr__, __dir__ = lazy_names(__name__, _MODULES)
__all__ = list(_MODULES)
