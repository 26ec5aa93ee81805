"""Which types of devices this machine has, by the names of mmcv."""
import re
from functools import partial

import torch

_NAME = re.compile(r'(?:IS_([A-Z]+)_AVAILABLE|is_([a-z]+)_available)')


def __getattr__(name: str) -> object:
    """IS_MPS_AVAILABLE and its like, found out when asked for; is_mps_available() returns it."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value, function = match.groups()
    return has_device(value.lower()) if value else partial(has_device, function)


def has_device(name: str) -> bool:
    """Whether a device of a type of torch, such as 'mps', is usable."""
    from ..device import KINDS  # late: the device table imports this package
    row = next((kind for kind in KINDS if kind.type == name), None)
    if row is not None:
        return row.available()
    homes = (getattr(home, name, None) for home in (torch, torch.backends))
    return any(home.is_available() for home in homes if hasattr(home, 'is_available'))
