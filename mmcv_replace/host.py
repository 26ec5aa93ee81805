"""How this process uses the cores and the memory of its host."""
import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch

from .utils.rank import get_local_size
from .utils.section import Range, Section, read_section

# Files in which Linux says how much of the cores a container may use: version 2, version 1.
_QUOTA_V2 = Path('/sys/fs/cgroup/cpu.max')
_QUOTA_V1 = tuple(Path('/sys/fs/cgroup/cpu') / f'cpu.cfs_{name}_us' for name in ('quota', 'period'))
# Files with the memory that a container may have, and has: version 2, version 1.
_MEMORY = (('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current'),
           ('/sys/fs/cgroup/memory/memory.limit_in_bytes',
            '/sys/fs/cgroup/memory/memory.usage_in_bytes'))
# Numbers of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_MXFAST = -1, -4, 1


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
    """Cores that this process may run on: those of its affinity, up to the container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no such mask
        cores = os.cpu_count() or 1
    quota = _container_quota()
    return cores if quota is None else max(1, min(cores, int(quota + 0.5)))


def _container_quota() -> float | None:
    """Cores' worth of time that the container gets, None without a limit."""
    try:
        if _QUOTA_V2.is_file():
            quota, period = _QUOTA_V2.read_text().split()
        else:
            quota, period = (file.read_text().strip() for file in _QUOTA_V1)
        return None if quota in ('max', '-1') else int(quota) / int(period)
    except (OSError, ValueError):  # no container, or one that says nothing
        return None


def host_channels_last(dtype: torch.dtype) -> str | None:
    """Why the host convolves faster in `dtype` on channels_last tensors; None where it does not."""
    # Private names, but older releases have no others; in newer ones they ask the public
    # torch.cpu.get_capabilities.
    names = {torch.bfloat16: '_is_amx_tile_supported', torch.float16: '_is_amx_fp16_supported'}
    ask = getattr(torch.cpu, names.get(dtype, ''), None)
    if ask is None or not ask() or not torch.backends.mkldnn.is_available():
        return None
    return 'the matrix units of this CPU (AMX) are reached in this memory format alone'


def free_memory() -> int | None:
    """Bytes that may still be taken: of the machine's memory, and of the container's share of it.

    None where the system does not say. Copies of files, which give way, count as free.
    """
    free = []
    try:
        lines = dict(line.split(':') for line in Path('/proc/meminfo').read_text().splitlines())
        free.append(int(lines['MemAvailable'].split()[0]) * 1024)
    except (OSError, ValueError, LookupError):  # not Linux, or an old one
        return None
    for limit, used in _MEMORY:
        try:
            folder = Path(limit).parent
            stat = dict(line.split() for line in (folder / 'memory.stat').read_text().splitlines())
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text())
                        + int(stat['inactive_file']))
        except (OSError, ValueError, LookupError):  # no such container, or one without a limit
            continue
    return max(0, min(free))


def _set_threads(threads: int | None) -> None:
    if threads is not None:
        torch.set_num_threads(threads)
    elif 'OMP_NUM_THREADS' not in os.environ:
        # torch counts the cores of the machine, and does not know of processes beside it.
        share = max(1, usable_cores() // get_local_size())
        torch.set_num_threads(min(torch.get_num_threads(), share))


def keep_freed_memory() -> None:
    """Have glibc's malloc serve large blocks from its heap, and not shrink it.

    Other C libraries go without, and a user's own MALLOC_ variables hold.
    """
    chosen = any(name.startswith('MALLOC_') for name in os.environ)
    if not chosen and 'GLIBC_TUNABLES' not in os.environ and os.name == 'posix':
        mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
        if mallopt is not None:
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, -1)
            # Small blocks are merged with free neighbours, and large gaps stay whole.
            mallopt(_M_MXFAST, 0)
