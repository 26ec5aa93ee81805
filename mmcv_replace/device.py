"""The table of device kinds: the only file that names a vendor.

Everything that differs between accelerators is one row here. Other code holds a `torch.device`,
reads its row by `kind_of(device)` or calls a function of this module.
"""
import glob
import importlib
import importlib.metadata
import importlib.util
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np
import torch

from .host import host_channels_last
from .utils.errors import ConfigError, DeviceError
from .utils.logging import warn_once
from .utils.rank import get_device_index, list_variables

# Optimizers of torch_npu.optim, which configs may name on every device.
FUSED_PREFIX = 'NpuFused'
FUSED_OPTIMIZERS = tuple(FUSED_PREFIX + name for name in (
    'Adadelta', 'Adam', 'AdamP', 'AdamW', 'BertAdam', 'Lamb', 'RMSprop', 'RMSpropTF', 'SGD'))
# Where CANN is set up: 9.1 and later, older ones.
CANN_SETUP = tuple(f'/usr/local/Ascend/{name}/set_env.sh' for name in ('cann', 'ascend-toolkit'))
_KERNELS = 'mmcv_replace.ops.kernels'
ALLOCATOR = ('PYTORCH_NPU_ALLOC_CONF', 'PYTORCH_ALLOC_CONF')  # of which one may be set


@dataclass(frozen=True)
class DeviceKind:
    """What differs between kinds of devices: one row of the table KINDS."""

    type: str  # as in torch.device(type)
    backend: str  # of torch.distributed
    aliases: tuple[str, ...] = ()
    exchange_error: str | None = None  # pattern of the backend's errors without a type of their own
    plugin: str | None = None  # package that adds the device to torch
    asynchronous: bool = True  # kernels return before they are done
    pinned_memory: bool = True  # copies from page-locked host memory overlap with compute
    sync_batchnorm: bool = True  # torch.nn.SyncBatchNorm has kernels
    sync_batchnorm_types: tuple[str, ...] = ('float16', 'bfloat16', 'float32', 'float64')
    # Reason why convolutions in a type are faster on channels_last tensors; None if they are not.
    channels_last: Callable[[torch.dtype], str | None] = lambda dtype: None
    fused_optimizers: tuple[str, ...] = ()  # classes of torch.optim with fused kernels
    low_precision: str = 'float16'  # default type of mixed precision
    scaler: str = 'torch.amp:GradScaler'  # module:class
    optimizers: str | None = None  # module with the vendor's own fused optimizers
    profiler: str = 'torch.profiler'
    settings: Mapping[str, Any] = field(default_factory=dict)  # start-up defaults, by dotted name
    strict: str | None = None  # environment variable that forbids operators to run on the host
    # Environment variables with a time limit of collectives in seconds, in ascending order.
    time_limits: tuple[str, ...] = ()
    # Software below the plug-in -> files with its version (environment variables, wildcards).
    software: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    visible: tuple[str, ...] = ()  # environment variables that choose the devices of a process
    rank_table: str | None = None  # environment variable with the file of all devices of a job
    # Operator of mmcv_replace.ops -> its faster implementations here, as 'module:function'.
    kernels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def module(self) -> ModuleType | None:
        """The module of torch for this kind, such as `torch.cuda`; None where torch has none."""
        return getattr(torch, self.type, None)

    def available(self) -> bool:
        """Whether a device of this kind is usable; imports the plug-in, if it has one."""
        if self.type == 'cpu':
            return True
        if self.plugin is not None and _plugin_error(self.plugin) is not None:
            return False
        return self.module is not None and self.module.is_available()

    def count(self) -> int:
        """Number of devices of this kind that are visible to this process."""
        return 1 if self.type == 'cpu' else self.module.device_count()


KINDS = (
    DeviceKind(
        'npu', backend='hccl', plugin='torch_npu', scaler='torch_npu.npu.amp:GradScaler',
        exchange_error=r'HCCL (function )?error|function error: Hccl',
        optimizers='torch_npu.optim', profiler='torch_npu.profiler', rank_table='RANK_TABLE_FILE',
        visible=('ASCEND_RT_VISIBLE_DEVICES', 'ASCEND_VISIBLE_DEVICES'),
        # Kernels compiled for every new shape, and private memory formats, cost more than they
        # give on images of many sizes.
        settings={'jit_compile': False, 'allow_internal_format': False},
        strict='TORCH_NPU_FALLBACK_CPU_DISABLE',
        sync_batchnorm_types=('float16', 'float32'),
        time_limits=('HCCL_EXEC_TIMEOUT', 'HCCL_EVENT_TIMEOUT'),
        software={'CANN': ('$ASCEND_HOME_PATH/*-linux/ascend_toolkit_install.info',
                           '$ASCEND_TOOLKIT_HOME/*-linux/ascend_toolkit_install.info'),
                  'driver': ('/usr/local/Ascend/driver/version.info',)},
        kernels={'deform_conv2d': (f'{_KERNELS}.npu:deform_conv2d',),
                 'running_max': ('mmcv_replace.ops.corner_pool:doubled_max',)}),
    DeviceKind('cuda', backend='nccl', aliases=('gpu',),
               kernels={'deform_conv2d': (f'{_KERNELS}.vision:deform_conv2d',),
                        'nms': (f'{_KERNELS}.vision:nms',),
                        'roi_align': (f'{_KERNELS}.vision:roi_align',)},
               channels_last=lambda dtype: 'its convolutions are faster in this memory format',
               fused_optimizers=('Adam', 'AdamW', 'SGD'), visible=('CUDA_VISIBLE_DEVICES',)),
    DeviceKind('cpu', backend='gloo', asynchronous=False, pinned_memory=False,
               sync_batchnorm=False, low_precision='bfloat16', channels_last=host_channels_last,
               exchange_error=r'^\[\S*gloo/\S+:\d+\] |^Gloo connectFullMesh failed',
               fused_optimizers=('Adagrad', 'Adam', 'AdamW', 'SGD'),
               kernels={'row_spreader': (f'{_KERNELS}.bags:row_spreader',),
                        'weighted_rows': (f'{_KERNELS}.bags:weighted_rows',)}),
)


class _Undecided(str):
    """A name that an argument has if it is not given; equal to the name when it is."""


# Of init_dist: mmcv's default, which here means the backend of the device in use.
DEFAULT_BACKEND = _Undecided('nccl')
# mmcv's default of what a profiler records; a device that is not there is left out.
PROFILED_BY_DEFAULT = ['cpu', 'cuda']


@cache
def _plugin_error(plugin: str) -> str | None:
    """Why the plug-in cannot be imported, None where it can.

    An installed plug-in that fails to load causes a warning as well.
    """
    if importlib.util.find_spec(plugin) is None:
        return f'{plugin} is not installed: pip install "mmseg-ascend[npu]"'
    try:
        importlib.import_module(plugin)
    except (ImportError, OSError, RuntimeError) as error:
        reason = f'{plugin} does not load: {"; ".join(_missing_parts(plugin, error))}'
        warn_once(f'{reason}. Other devices work.')
        return reason
    return None


def _missing_parts(plugin: str, error: Exception) -> list[str]:
    """Possible reasons why torch_npu does not load (versions, driver, CANN), with remedies."""
    pair = wrong_pair(plugin)
    parts = [] if pair is None else [pair]
    if not (glob.glob('/dev/davinci[0-9]*') or os.path.isdir('/usr/local/Ascend/driver')):
        parts.append('no NPU driver is installed (no /dev/davinci*)')
    if not (os.environ.get('ASCEND_HOME_PATH') or os.environ.get('ASCEND_TOOLKIT_HOME')):
        parts.append('CANN is not in the environment (source '
                     f'{" or, of an older CANN, ".join(CANN_SETUP)})')
    if all(name in os.environ for name in ALLOCATOR):
        parts.append(f'{" and ".join(ALLOCATOR)} are both set: keep one of them')
    return parts or [f'CANN or the driver does not fit it ({error})']


def plugin_version(plugin: str) -> str | None:
    """Version of torch that the installed plug-in requires; None without the plug-in."""
    try:
        return importlib.metadata.version(plugin).split('+')[0].split('.post')[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def wrong_pair(plugin: str) -> str | None:
    """Message that the plug-in requires another version of torch; None where it does not."""
    version, own = plugin_version(plugin), torch.__version__.split('+')[0]
    if version == own:
        return None
    return f'version {version} needs torch {version}, and this is torch {own}'


def find_kind(name: str) -> DeviceKind:
    """Row of a type or an alias, such as 'gpu'. Raises DeviceError for another name."""
    for kind in KINDS:
        if name == kind.type or name in kind.aliases:
            return kind
    known = ', '.join(n for kind in KINDS for n in (kind.type, *kind.aliases))
    raise DeviceError(f'unknown device {name!r}: choose auto, {known}, with an index where there '
                      "are several ('npu:1')")


def kind_of(device: torch.device | str) -> DeviceKind:
    """Row of a device."""
    return find_kind(torch.device(device).type)


def resolve_device(name: str = 'auto') -> torch.device:
    """Turn 'auto', 'npu', 'gpu', 'cuda' or 'cpu', with or without ':index', into a usable device.

    'auto' is the first usable kind of the table. Without an index an accelerator is the one of this
    process's LOCAL_RANK, or the only visible one where each process has its own. Raises DeviceError
    for a device that is not usable.
    """
    match = re.fullmatch(r'([a-z]+)(?::(\d+))?', name.strip().lower())
    if match is None:
        raise DeviceError(f"cannot read the device {name!r}: write 'auto', 'npu' or 'cuda:1'")
    base, index = match.groups()
    if base == 'auto':
        kind = next(kind for kind in KINDS if kind.available())
    else:
        kind = find_kind(base)
        if not kind.available():
            raise DeviceError(f'device {name!r} is not usable here: {why_unusable(kind)} '
                              "('--device cpu' works everywhere)")
    if kind.type == 'cpu':
        return torch.device('cpu')
    count = kind.count()
    number = int(index) if index is not None else get_device_index(count, kind.visible)
    if number >= count:
        raise DeviceError(
            f'device {kind.type}:{number} does not exist: this process sees {count} of that type, '
            f'counted from 0{list_variables(kind.visible)}; start fewer processes (--nproc, '
            '--nproc_per_node) or name other devices (--device-list)')
    return torch.device(kind.type, number)


def why_unusable(kind: DeviceKind) -> str:
    """Reason why no device of a kind is usable, with the remedy."""
    if kind.plugin is not None:
        return _plugin_error(kind.plugin) or (
            f'{kind.plugin} loads but sees no device; npu-smi info shows those of the machine, and '
            'ASCEND_RT_VISIBLE_DEVICES hides some')
    if getattr(torch.version, kind.type, None) is None:
        return f'this torch ({torch.__version__}) was built without {kind.type.upper()}'
    return 'no device is visible (driver, or CUDA_VISIBLE_DEVICES)'


def set_device(device: torch.device) -> None:
    """Make `device` the current one of this process."""
    module = kind_of(device).module
    if device.type != 'cpu' and module is not None:
        module.set_device(device)


def _call(device: torch.device, name: str) -> Callable[[torch.device], object] | None:
    return getattr(kind_of(device).module, name, None) if device.type != 'cpu' else None


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished all queued work."""
    if kind_of(device).asynchronous:
        _call(device, 'synchronize')(device)


def empty_cache(device: torch.device) -> None:
    """Give memory that torch keeps for later tensors back to the device."""
    call = _call(device, 'empty_cache')
    if call is not None:
        call()


def max_memory_mb(device: torch.device) -> int | None:
    """Peak of memory allocated on the device in MiB; None for devices that do not count it."""
    peak = _call(device, 'max_memory_allocated')
    return None if peak is None else int(peak(device)) // 2**20


def device_name(device: torch.device) -> str:
    """Product name of the device; 'CPU' for the host."""
    name = _call(device, 'get_device_name')
    return 'CPU' if name is None else str(name(device))


def is_asynchronous(device: torch.device) -> bool:
    """Whether reading a value from the device makes the host wait; on 'meta' there are none."""
    return device.type != 'meta' and kind_of(device).asynchronous


def low_precision_dtype(device: torch.device) -> torch.dtype:
    """Default type of mixed precision on the device."""
    return getattr(torch, kind_of(device).low_precision)


def make_grad_scaler(device: torch.device, **options: Any) -> torch.amp.GradScaler:
    """The device's loss scaler; `options` are torch.amp.GradScaler's."""
    module, name = kind_of(device).scaler.split(':')
    scaler = getattr(importlib.import_module(module), name)
    if module == 'torch.amp':
        return scaler(device.type, **options)
    return scaler(**options)


def fused_optimizer(name: str, device: torch.device,
                    floating: bool = True) -> Callable[..., torch.optim.Optimizer]:
    """Class of a vendor's optimizer; on devices of others, torch's fused optimizer in its place.

    `name`: one of FUSED_OPTIMIZERS. `floating`: whether all parameters are real floating-point
    tensors, which fused kernels require. Raises ConfigError for an optimizer without a counterpart
    in torch on another vendor's device.
    """
    kind = kind_of(device)
    if kind.optimizers is not None:
        return getattr(importlib.import_module(kind.optimizers), name)
    plain = name.removeprefix(FUSED_PREFIX)
    if not hasattr(torch.optim, plain):
        raise ConfigError(f'optimizer {name!r} exists on its own device only, and this is '
                          f'{device.type}; choose SGD, Adam or AdamW')
    # Without fused kernels, foreach is the next best.
    switch = 'fused' if floating and plain in kind.fused_optimizers else 'foreach'
    return partial(getattr(torch.optim, plain), **{switch: True})


def seed_everything(seed: int, deterministic: bool | str = False) -> None:
    """Seed the generators of Python, NumPy and torch.

    `deterministic`: choose repeatable kernels and warn where an operator has none; with 'strict'
    that is an error.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    if deterministic:
        # cuBLAS is repeatable only with this variable, which nothing else reads.
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=deterministic != 'strict')


def get_random_state(device: torch.device) -> torch.Tensor | None:
    """State of the device's random generator; None for the host, which shares torch's."""
    read = _call(device, 'get_rng_state')
    return None if read is None else read(device)


def set_random_state(device: torch.device, state: torch.Tensor) -> None:
    """Restore a state that `get_random_state` returned."""
    kind_of(device).module.set_rng_state(state, device)


def owns_gradients(name: str, device: torch.device) -> bool:
    """Whether the named optimizer allocates the gradients itself on the device."""
    return name in FUSED_OPTIMIZERS and kind_of(device).optimizers is not None


def set_kernel_search(enabled: bool) -> None:
    """Let the device try several kernels per shape and keep the fastest (`cudnn_benchmark`)."""
    torch.backends.cudnn.benchmark = enabled


@contextmanager
def no_kernel_search() -> Iterator[None]:
    """Context without kernel search, which costs more than it gives on many shapes."""
    former = torch.backends.cudnn.benchmark
    set_kernel_search(False)
    try:
        yield
    finally:
        set_kernel_search(former)


def former_environment() -> dict[str, Any]:
    """What mmcv's report of the machine says beyond ours, by its names."""
    return {'CUDA available': find_kind('cuda').available(), 'GCC': 'not used: nothing is compiled',
            'MMCV Compiler': 'none', 'MMCV CUDA Compiler': 'none'}
