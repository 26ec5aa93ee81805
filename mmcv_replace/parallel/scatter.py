"""Move a batch from the host to the device."""
from collections.abc import Sequence
from typing import Any

import torch

from .data_container import DataContainer


def scatter(inputs: Any, device: torch.device | str | Sequence[torch.device | str]) -> Any:
    """Unwrap the `DataContainer`s of a collated batch and start moving its tensors to the device.

    The copies are asynchronous where the host memory is page-locked. For a list of one device the
    result is a list of one batch, as in mmcv.
    """
    if isinstance(device, (list, tuple)):
        return [scatter(inputs, *device)]
    return _move(inputs, torch.device(device), unwrap=True)


def send(inputs: Any, device: torch.device | str) -> Any:
    """Start moving the tensors of a collated batch to the device, inside their `DataContainer`s."""
    return _move(inputs, torch.device(device), unwrap=False)


def _move(value: Any, device: torch.device, unwrap: bool) -> Any:
    if isinstance(value, DataContainer):
        data = value.data[0] if unwrap else value.data
        moved = data if value.cpu_only else _move(data, device, unwrap)
        return moved if unwrap else value.like(moved)
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: _move(item, device, unwrap) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_move(item, device, unwrap) for item in value)
    return value
