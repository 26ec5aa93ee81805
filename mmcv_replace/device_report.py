"""Versions of the software of a device, and whether they fit together."""
import glob
import importlib.util
import os
import re
from pathlib import Path

import torch

from .device import KINDS, DeviceKind, find_kind, plugin_version, why_unusable, wrong_pair

_VERSION = re.compile(r'^\s*version\s*[=:]\s*\[?([^\]\s]+)', re.IGNORECASE | re.MULTILINE)


def software_report(name: str = 'auto') -> str:
    """Versions of torch and of the plug-in, CANN and driver of the device `name`, and a verdict.

    'auto' is the first kind of device of whose software a part is installed, else torch alone.
    """
    base = name.strip().lower().partition(':')[0]
    kind = next(filter(_installed, KINDS), None) if base == 'auto' else find_kind(base)
    torch_version = f'torch {torch.__version__}'
    if kind is None or kind.plugin is None:
        return torch_version
    version = plugin_version(kind.plugin)
    parts = [torch_version, f'{kind.plugin} {version or "is not installed"}']
    for part, files in kind.software.items():
        parts.append(f'{part} {_version_in(files) or "not found"}')
    return f'{", ".join(parts)}: {_judgement(kind)}'


def _installed(kind: DeviceKind) -> bool:
    return kind.plugin is not None and (importlib.util.find_spec(kind.plugin) is not None or any(
        _found(files) for files in kind.software.values()))


def _found(files: tuple[str, ...]) -> list[str]:
    # expandvars leaves an unset variable in the path, which then matches no file.
    return [found for file in files for found in sorted(glob.glob(os.path.expandvars(file)))]


def _version_in(files: tuple[str, ...]) -> str | None:
    """The version in the first of the files that has one."""
    for file in _found(files):
        try:
            match = _VERSION.search(Path(file).read_text(encoding='utf-8', errors='replace'))
        except OSError:
            continue
        if match:
            return match[1]
    return None


def _judgement(kind: DeviceKind) -> str:
    if not kind.available():
        return f'they do not work: {why_unusable(kind)}'
    pair = wrong_pair(kind.plugin)
    return 'they fit' if pair is None else f'they do not fit: {pair}'
