"""The device table: the only file that names a vendor.

Everything that differs between accelerators is one row here. The rest of the code holds a
`torch.device` and asks.
"""
import importlib
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch

from .utils.errors import DeviceError


@dataclass(frozen=True)
class DeviceKind:
    """What the code has to know of one kind of device."""

    type: str  # as in torch.device(type)
    backend: str  # of torch.distributed
    aliases: tuple[str, ...] = ()
    plugin: str | None = None  # package that adds the device to torch
    asynchronous: bool = True  # kernels return before they are done
    pinned_memory: bool = True  # copies from page-locked host memory overlap with compute
    sync_batchnorm: bool = True  # torch.nn.SyncBatchNorm has kernels

    @property
    def module(self) -> ModuleType | None:
        """The torch sub-module of the device (`torch.cuda`, ...), where torch has it."""
        return getattr(torch, self.type, None)

    def available(self) -> bool:
        """Whether a device of this kind can be used; imports the plug-in where one is needed."""
        if self.type == 'cpu':
            return True
        if self.plugin is not None:
            try:
                importlib.import_module(self.plugin)
            except (ImportError, OSError, RuntimeError):
                return False
        return self.module is not None and self.module.is_available()

    def count(self) -> int:
        """How many devices of this kind this process sees."""
        return 1 if self.type == 'cpu' else self.module.device_count()


KINDS = (
    DeviceKind('npu', backend='hccl', plugin='torch_npu'),
    DeviceKind('cuda', backend='nccl', aliases=('gpu',)),
    DeviceKind('cpu', backend='gloo', asynchronous=False, pinned_memory=False,
               sync_batchnorm=False),
)


def _find_kind(name: str) -> DeviceKind:
    for kind in KINDS:
        if name == kind.type or name in kind.aliases:
            return kind
    known = ', '.join(n for kind in KINDS for n in (kind.type, *kind.aliases))
    raise DeviceError(f'unknown device {name!r}: choose auto, {known}, with an index where there '
                      "are several ('npu:1')")


def kind_of(device: torch.device | str) -> DeviceKind:
    """Table row of a device."""
    return _find_kind(torch.device(device).type)


def resolve_device(name: str = 'auto') -> torch.device:
    """Turn 'auto', 'npu', 'gpu', 'cuda' or 'cpu', with or without ':index', into a usable device.

    'auto' takes the first kind of the table that works here. Without an index an accelerator is
    the one of this process's LOCAL_RANK. Raises DeviceError for a device that is not usable.
    """
    match = re.fullmatch(r'([a-z]+)(?::(\d+))?', name.strip().lower())
    if match is None:
        raise DeviceError(f"cannot read the device {name!r}: write 'auto', 'npu' or 'cuda:1'")
    base, index = match.groups()
    if base == 'auto':
        kind = next(kind for kind in KINDS if kind.available())
    else:
        kind = _find_kind(base)
        if not kind.available():
            needs = f' and {kind.plugin} (with its driver) importable' if kind.plugin else ''
            raise DeviceError(f'device {name!r} is not usable here: it needs a torch build for '
                              f"{kind.type!r}{needs}; '--device cpu' works everywhere")
    if kind.type == 'cpu':
        return torch.device('cpu')
    local_rank = int(os.environ.get('LOCAL_RANK', 0))
    number = int(index) if index is not None else local_rank % kind.count()
    if number >= kind.count():
        raise DeviceError(f'device {name!r} does not exist: this process sees {kind.count()} of '
                          f'type {kind.type!r}, counted from 0')
    return torch.device(kind.type, number)


def set_device(device: torch.device) -> None:
    """Make `device` the current one of this process."""
    module = kind_of(device).module
    if device.type != 'cpu' and module is not None:
        module.set_device(device)


def _call(device: torch.device, name: str) -> Callable[[torch.device], object] | None:
    return getattr(kind_of(device).module, name, None) if device.type != 'cpu' else None


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all its work."""
    if kind_of(device).asynchronous:
        _call(device, 'synchronize')(device)


def max_memory_mb(device: torch.device) -> int | None:
    """Peak memory allocated on the device in MiB; None where the device does not count it."""
    peak = _call(device, 'max_memory_allocated')
    return None if peak is None else int(peak(device)) // 2**20


def is_asynchronous(device: torch.device) -> bool:
    """Whether reading a value from the device makes the host wait."""
    return kind_of(device).asynchronous


def supports_pinned_memory(device: torch.device) -> bool:
    """Whether page-locked host memory speeds up copies to the device."""
    return kind_of(device).pinned_memory


def supports_sync_batchnorm(device: torch.device) -> bool:
    """Whether torch's SyncBatchNorm runs on the device."""
    return kind_of(device).sync_batchnorm


def default_backend(device: torch.device | None = None) -> str:
    """torch.distributed backend of the device (of the 'auto' device without one)."""
    return kind_of(device or resolve_device('auto')).backend


def seed_everything(seed: int, deterministic: bool = False) -> None:
    """Seed Python, NumPy and torch on every device; `deterministic` asks for repeatable kernels."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    if deterministic:
        # cuBLAS needs the variable to be repeatable; it is ignored elsewhere.
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def profiler_activities(device: torch.device) -> list[torch.profiler.ProfilerActivity]:
    """What torch.profiler can record for the device: always the host, and the device too."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.type != 'cpu':
        name = device.type.upper()
        activities.append(getattr(torch.profiler.ProfilerActivity, name,
                                  torch.profiler.ProfilerActivity.PrivateUse1))
    return activities


def set_kernel_search(enabled: bool) -> None:
    """Let the device try several kernels per shape and keep the fastest (`cudnn_benchmark`)."""
    torch.backends.cudnn.benchmark = enabled
