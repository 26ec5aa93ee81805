"""Use of the host's cores and memory by this process."""
import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch

from .utils.rank import get_local_size
from .utils.section import Range, Section, read_section

# Files of Linux with the share of the cores of a container (cgroups): version 2, version 1.
_QUOTA_V2 = Path('/sys/fs/cgroup/cpu.max')
_QUOTA_V1 = tuple(Path('/sys/fs/cgroup/cpu') / f'cpu.cfs_{name}_us' for name in ('quota', 'period'))
# Files with the limit of a container's memory and its use: version 2, version 1.
_MEMORY = (('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current'),
           ('/sys/fs/cgroup/memory/memory.limit_in_bytes',
            '/sys/fs/cgroup/memory/memory.usage_in_bytes'))
# Numbers of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


@dataclass(frozen=True)
class HostSettings(Section):
    """`cpu = dict(...)` of a config.

    By default torch's operators use this process's share of the cores that it may run on. Freed
    memory is kept since a step that gets each large tensor from the kernel anew spends a fifth of
    its time there; the process holds its peak from then on.
    """

    threads: Annotated[int | None, Range(1), "threads of torch's operators"] = None
    keep_memory: Annotated[bool, 'keep freed memory in the process'] = True


def start_host(settings: Mapping[str, Any] | None = None) -> None:
    """Choose threads and memory for computing on the host; call it before the first large tensor.

    `settings`: those of HostSettings.
    """
    chosen = read_section(HostSettings, settings, 'cpu') or HostSettings()
    _set_threads(chosen.threads)
    if chosen.keep_memory:
        keep_freed_memory()


def usable_cores() -> int:
    """Number of cores that this process may use, by its affinity and the container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no such mask
        cores = os.cpu_count() or 1
    quota = _container_quota()
    return cores if quota is None else max(1, min(cores, int(quota + 0.5)))


def _container_quota() -> float | None:
    """Limit of the container's CPU time per time, in cores; None without a limit."""
    try:
        if _QUOTA_V2.is_file():
            quota, period = _QUOTA_V2.read_text().split()
        else:
            quota, period = (file.read_text().strip() for file in _QUOTA_V1)
        return None if quota in ('max', '-1') else int(quota) / int(period)
    except (OSError, ValueError):  # no container, or an unknown format
        return None


def host_channels_last(dtype: torch.dtype) -> str | None:
    """Why the host convolves `dtype` faster on channels_last tensors; None where it does not."""
    # Private functions, since torch 2.6 has no public ones (later: torch.cpu.get_capabilities).
    names = {torch.bfloat16: '_is_amx_tile_supported', torch.float16: '_is_amx_fp16_supported'}
    ask = getattr(torch.cpu, names.get(dtype, ''), None)
    if ask is None or not ask() or not torch.backends.mkldnn.is_available():
        return None
    return 'the matrix units of this CPU (AMX) are reached in this memory format alone'


def free_memory() -> int | None:
    """Bytes that can still be allocated, limited by the machine and the container.

    Cached files count as free. None where the system does not tell.
    """
    free = []
    try:
        lines = dict(line.split(':') for line in Path('/proc/meminfo').read_text().splitlines())
        free.append(int(lines['MemAvailable'].split()[0]) * 1024)
    except (OSError, ValueError, LookupError):  # not Linux, or an old kernel
        return None
    for limit, used in _MEMORY:
        try:
            folder = Path(limit).parent
            stat = dict(line.split() for line in (folder / 'memory.stat').read_text().splitlines())
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text())
                        + int(stat['inactive_file']))
        except (OSError, ValueError, LookupError):  # no container of this version, or no limit
            continue
    return max(0, min(free))


def _set_threads(threads: int | None) -> None:
    if threads is not None:
        torch.set_num_threads(threads)
    elif 'OMP_NUM_THREADS' not in os.environ:
        # By default torch uses all cores of the machine in each process.
        share = max(1, usable_cores() // get_local_size())
        torch.set_num_threads(min(torch.get_num_threads(), share))


def keep_freed_memory() -> None:
    """Have glibc's malloc take large blocks from its heap, and keep the heap when they are freed.

    Nothing changes with another C library, or where the user has set a MALLOC_ variable.
    """
    chosen = any(name.startswith('MALLOC_') for name in os.environ)
    mallopt = _c_function('mallopt')
    if mallopt is not None and not chosen and 'GLIBC_TUNABLES' not in os.environ:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def release_freed_memory() -> None:
    """Give the system what lies free in glibc's heap, in pieces that later tensors do not fit into.

    To be called now and then by a computation that takes long. Nothing is done with another C
    library.
    """
    trim = _c_function('malloc_trim')
    if trim is not None:
        trim(0)


def _c_function(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if os.name == 'posix' else None
