"""The machine and the software of a measurement."""
import os
import platform
import re
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
        names = re.findall(r'^model name\s*: *(.*)', file.read_text(errors='replace'), re.MULTILINE)
        if names:
            return names[0]
    return platform.processor() or platform.machine()
