"""Move a batch from the host to the device."""
from collections.abc import Callable, Sequence
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
    return _move(inputs, torch.device(device))


def send(inputs: Any, device: torch.device | str) -> Any:
    """Start moving the tensors of a collated batch to the device, inside their `DataContainer`s."""
    if isinstance(inputs, DataContainer):
        return inputs if inputs.cpu_only else inputs.like(send(inputs.data, device))
    return _each(inputs, lambda value: send(value, device), torch.device(device))


def _move(value: Any, device: torch.device) -> Any:
    if isinstance(value, DataContainer):
        chunk = value.data[0]
        return chunk if value.cpu_only else _move(chunk, device)
    return _each(value, lambda item: _move(item, device), device)


def _each(value: Any, move: Callable[[Any], Any], device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: move(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(move(item) for item in value)
    return value
