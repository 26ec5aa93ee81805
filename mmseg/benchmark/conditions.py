"""The machine on which something was measured."""
import os
import platform
from pathlib import Path

import torch

from mmcv_replace.device import device_name, resolve_device


def describe_conditions(device: str) -> dict[str, str]:
    """Device, processor, versions and load, as text."""
    chosen = resolve_device(device)
    return {
        'device': f'{chosen} ({device_name(chosen)})',
        'processor': f'{_processor()}, {os.cpu_count()} cores',
        'python': platform.python_version(),
        'torch': torch.__version__,
        'load_before': ', '.join(f'{load:.2f}' for load in os.getloadavg()),
    }


def _processor() -> str:
    file = Path('/proc/cpuinfo')
    if file.is_file():
        for line in file.read_text(encoding='utf-8', errors='replace').splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()
