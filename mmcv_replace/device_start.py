"""What a process sets on its device before it computes."""
import os
from collections.abc import Mapping
from typing import Any

import torch

from .device import DeviceKind, kind_of, set_device
from .host import start_host
from .utils.errors import ConfigError


def start_device(device: torch.device, settings: Mapping[str, Any] | None = None) -> None:
    """Make `device` the current one of this process and apply its start-up settings.

    `settings` (a config's `npu = dict(...)`) change the defaults of the table; a name is a switch
    of the device module, such as 'jit_compile', 'allow_internal_format', 'matmul.allow_hf32', or
    'strict': an operator without a kernel is an error, where it would run on the host unnoticed.
    For the CPU see HostSettings. Raises ConfigError for another value or an unknown name.
    """
    if device.type == 'cpu':
        start_host(settings)
        return
    kind = kind_of(device)
    if settings is not None and not isinstance(settings, Mapping):
        raise ConfigError(f'{kind.type}={settings!r} does not fit, it takes a dict')
    if kind.module is None:
        return
    for name, value in {**kind.settings, **(settings or {})}.items():
        _apply_setting(kind, name, value)
    set_device(device)


def start_settings(kind: DeviceKind) -> tuple[str, ...]:
    """Names in the table of devices; the module of an accelerator has further switches."""
    return (*kind.settings, *(() if kind.strict is None else ('strict',)))


def _apply_setting(kind: DeviceKind, name: str, value: Any) -> None:
    if name == 'strict' and kind.strict is not None:
        if not isinstance(value, bool):
            raise ConfigError(f'{kind.type} = dict(strict={value!r}): give True or False')
        os.environ[kind.strict] = str(int(value))  # read at the first operator without a kernel
        return
    if name == 'jit_compile':
        kind.module.set_compile_mode(jit_compile=value)
        return
    owner, _, switch = ('config.' + name if '.' not in name else name).rpartition('.')
    target = kind.module
    for part in owner.split('.'):
        target = getattr(target, part, None)
    # Some switches can be set but not read.
    if target is None or not (hasattr(target, switch) or owner == 'config'):
        raise ConfigError(f'{kind.type} = dict({name}=...) is not a setting of '
                          f'{kind.module.__name__}')
    setattr(target, switch, value)
