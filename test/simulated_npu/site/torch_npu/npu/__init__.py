"""What torch reaches as `torch.npu`."""
from . import amp
from .amp import get_amp_supported_dtype, is_bf16_supported
from .devices import (
    _is_in_bad_fork,
    _lazy_init,
    current_device,
    device,
    device_count,
    get_device_name,
    init,
    is_available,
    is_initialized,
    set_device,
    synchronize,
)
from .memory import (
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    reset_peak_memory_stats,
)
from .options import config, conv, is_jit_compile_false, matmul, set_compile_mode
from .random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from .streams import Event, Stream, current_stream, default_stream, set_stream, stream

__all__ = [
    'Event', 'Stream', '_is_in_bad_fork', '_lazy_init', 'amp', 'config', 'conv', 'current_device',
    'current_stream', 'default_stream', 'device', 'device_count', 'empty_cache',
    'get_amp_supported_dtype', 'get_device_name', 'get_rng_state', 'get_rng_state_all', 'init',
    'initial_seed', 'is_available', 'is_bf16_supported', 'is_initialized', 'is_jit_compile_false',
    'manual_seed', 'manual_seed_all', 'matmul', 'max_memory_allocated', 'max_memory_reserved',
    'memory_allocated', 'memory_reserved', 'reset_peak_memory_stats', 'seed', 'seed_all',
    'set_compile_mode', 'set_device', 'set_rng_state', 'set_rng_state_all', 'set_stream', 'stream',
    'synchronize',
]
