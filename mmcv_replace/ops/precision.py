"""Types of numbers to compute with."""
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def wide_type(dtype: torch.dtype) -> torch.dtype:
    """The type for positions, and for sums over numbers of `dtype`: float32, or float64."""
    return dtype if dtype == torch.float64 else torch.float32


def no_autocast(x: Tensor) -> AbstractContextManager:
    """Context in which operations on the device of x keep the types of their arguments.

    Without autocast there is none, so that graphs that are traced stay plain.
    """
    device = x.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
