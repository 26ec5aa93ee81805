"""The steps from file names to a sample; `@PIPELINES.register_module()` registers another one."""
from mmcv_replace.utils.lazy_names import lazy_names

from ..builder import PIPELINES

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {**PIPELINES.modules, '.base': ['Transform'], '.formating': ['to_tensor']})
