"""The steps from file names to a sample, each imported when it is first asked for.

`mmseg/datasets/builder.py` lists them.
"""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import PIPELINES

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    **PIPELINES.modules, '.base': ['Transform'], '.formating': ['to_tensor'], '.transforms': []})
