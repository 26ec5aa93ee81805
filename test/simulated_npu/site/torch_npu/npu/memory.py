"""Memory figures of the allocator, in bytes; it keeps no free blocks in reserve."""
import torch

from .devices import index_of

_C = torch.ops.simulated_npu


def memory_allocated(device=None):
    return _C.memory_allocated(index_of(device))


def max_memory_allocated(device=None):
    return _C.max_memory_allocated(index_of(device))


memory_reserved = memory_allocated
max_memory_reserved = max_memory_allocated


def reset_peak_memory_stats(device=None):
    _C.reset_peak_memory_stats(index_of(device))


def empty_cache():
    pass
