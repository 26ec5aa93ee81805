"""Batches of samples, and the model wrappers that move them to the device."""
from .collate import collate
from .data_container import DataContainer
from .data_parallel import MMDataParallel
from .distributed import MMDistributedDataParallel
from .prefetch import DevicePrefetcher
from .scatter import scatter
from .utils import MODULE_WRAPPERS, is_module_wrapper

__all__ = [
    'MODULE_WRAPPERS', 'DataContainer', 'DevicePrefetcher', 'MMDataParallel',
    'MMDistributedDataParallel', 'collate', 'is_module_wrapper', 'scatter',
]
