"""Search for the dilations of convolutions during training (RF-Next, arXiv:2206.06637)."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.operator': ['BaseConvRFSearchOp', 'Conv2dRFSearchOp'],
    '.search': ['RFSearchHook'],
})
