"""Batches of samples, and the model wrappers that move them to the device."""
from mmcv_replace.utils.lazy_names import lazy_names

# A function named like its module: imported at once, or Python would hand out the module.
from .collate import collate

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.data_container': ['DataContainer'],
    '.data_parallel': ['MMDataParallel'],
    '.distributed': ['MMDistributedDataParallel'],
    '.prefetch': ['DevicePrefetcher'],
    '.registry': ['MODULE_WRAPPERS'],
    '.scatter_gather': ['scatter', 'scatter_kwargs'],
    '.utils': ['is_module_wrapper'],
})
__all__ += ['collate']
