"""Segmentors: whole models, each imported when it is first asked for."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import SEGMENTORS

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {**SEGMENTORS.modules, '.base': ['BaseSegmentor']})
