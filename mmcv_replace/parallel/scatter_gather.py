"""Move a batch from the host to the device."""
from collections.abc import Sequence
from typing import Any

import torch

from .data_container import DataContainer
from .targets import Target, device_at


def scatter(inputs: Any, target_gpus: Target | Sequence[Target], dim: int = 0) -> Any:
    """Unwrap the `DataContainer`s of a collated batch and start moving its tensors to the device.

    The copies are asynchronous where the host memory is page-locked. For a list of devices the
    result is a list of batches, one a device: of a container its entries in turn, of a tensor
    equal parts along `dim`, of anything else the value itself. A device may be named by its number,
    with -1 for the host.
    """
    if not isinstance(target_gpus, (list, tuple)):
        return _move(inputs, device_at(target_gpus), unwrap=True)
    if len(target_gpus) == 1:
        return [_move(inputs, device_at(target_gpus[0]), unwrap=True)]
    parts = _split(inputs, len(target_gpus), dim)
    return [_move(part, device_at(target), unwrap=True)
            for part, target in zip(parts, target_gpus, strict=False)]


def scatter_kwargs(inputs: Sequence[Any] | None, kwargs: dict[str, Any] | None,
                   target_gpus: Sequence[Target], dim: int = 0) -> tuple[tuple, tuple]:
    """Positional and keyword arguments of a call on each device, in the way of `scatter`.

    Where one of them makes fewer calls than the other, calls without its arguments are added.
    """
    args = scatter(inputs, target_gpus, dim) if inputs else []
    options = scatter(kwargs, target_gpus, dim) if kwargs else []
    calls = max(len(args), len(options))
    return ((*args, *((),) * (calls - len(args))),
            (*options, *({} for _ in range(calls - len(options)))))


def send(inputs: Any, device: torch.device | str) -> Any:
    """Start moving the tensors of a collated batch to the device, inside their `DataContainer`s."""
    return _move(inputs, torch.device(device), unwrap=False)


def _move(value: Any, device: torch.device, unwrap: bool) -> Any:
    if isinstance(value, DataContainer):
        data = value.data
        if unwrap:
            return data[0] if value.cpu_only else _move(data[0], device, unwrap)
        return value if value.cpu_only else value.like(_move(data, device, unwrap))
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        items = {key: _move(item, device, unwrap) for key, item in value.items()}
        return items if type(value) is dict else _like(value, items)
    if isinstance(value, (list, tuple)):
        return _like(value, [_move(item, device, unwrap) for item in value])
    return value


def _split(value: Any, count: int, dim: int) -> list[Any]:
    """Parts of a batch for `count` devices: fewer where it has not enough of something."""
    if isinstance(value, DataContainer):
        return [value.like([entry]) for entry in value.data[:count]]
    if isinstance(value, torch.Tensor):
        return list(value.chunk(count, dim))
    if isinstance(value, dict) and value:
        parts = zip(*(_split(item, count, dim) for item in value.values()), strict=False)
        return [_like(value, dict(zip(value, part, strict=True))) for part in parts]
    if isinstance(value, (list, tuple)) and value:
        parts = zip(*(_split(item, count, dim) for item in value), strict=False)
        return [_like(value, list(part)) for part in parts]
    return [value] * count


def _like(value: Any, content: Any) -> Any:
    """The new content in a collection of the type of `value`."""
    kind = type(value)
    if kind is type(content):
        return content
    return kind(*content) if hasattr(value, '_fields') else kind(content)
