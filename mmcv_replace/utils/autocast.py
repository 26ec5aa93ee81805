"""What autocast does at the moment, also on devices that have none."""
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """The type in which autocast computes on the device of x; None while it is off."""
    device = x.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return None


def no_autocast(x: Tensor) -> AbstractContextManager:
    """Context in which operations on the device of x keep the types of their arguments.

    Without autocast there is none, so that graphs that are traced stay plain.
    """
    return nullcontext() if autocast_dtype(x) is None else torch.autocast(x.device.type,
                                                                          enabled=False)
