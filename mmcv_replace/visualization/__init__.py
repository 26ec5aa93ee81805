"""Images in windows, with boxes and labels drawn on them."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {})
