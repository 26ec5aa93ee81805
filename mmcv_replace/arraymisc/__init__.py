"""Arrays as levels, and levels as arrays."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.quantization': ['dequantize', 'quantize'],
})
