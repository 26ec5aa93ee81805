"""Boxes on their way to the host, where they are selected, and back."""
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.device import kind_of
from mmcv_replace.utils.errors import ArgumentError, UsageError
from mmcv_replace.utils.trace import is_jit_tracing

from ..precision import wide_type

T = TypeVar('T')


def accept_arrays(select: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., tuple]:
    """A decorator: also take `boxes` and `scores` as NumPy arrays, and return such for such boxes.
    """
    @wraps(select)
    def call(boxes: Tensor | np.ndarray, scores: Tensor | np.ndarray, *args: object,
             **kwargs: object) -> tuple:
        tensors = [torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in (boxes, scores)]
        for name, value in zip(('boxes', 'scores'), tensors, strict=True):
            if not isinstance(value, Tensor):
                raise ArgumentError(f'{select.__name__}: {name} must be a tensor or an array, and '
                                    f'got {type(value).__name__}')
        results = select(*tensors, *args, **kwargs)
        return tuple(y.numpy() for y in results) if isinstance(boxes, np.ndarray) else results

    return call


def check_boxes(boxes: Tensor, scores: Tensor, offset: int) -> None:
    """Raise ArgumentError for shapes that are not [N, 4] and [N], or an offset but 0 and 1."""
    if boxes.dim() != 2 or boxes.size(1) != 4:
        raise ArgumentError('boxes must be [N, 4], with x1, y1, x2 and y2 in a row, and got '
                            f'{list(boxes.shape)}')
    if scores.shape != boxes.shape[:1]:
        raise ArgumentError(f'scores must be [{boxes.size(0)}], one for each of the boxes, and got '
                            f'{list(scores.shape)}')
    check_offset(offset)


def check_numbers(**values: object) -> None:
    """Raise ArgumentError for what is no number, such as a threshold that is None."""
    for name, value in values.items():
        if not isinstance(value, (Real, Tensor)):
            raise ArgumentError(f'{name} must be a number, and got {value!r}')


def check_offset(offset: int) -> None:
    """Raise ArgumentError for an offset but 0 and 1."""
    if offset not in (0, 1):
        raise ArgumentError('offset must be 0, where the sides of a box are x2 - x1, or 1, where '
                            f'x2 is its last pixel, and got {offset!r}')


def on_host(select: Callable[..., T]) -> Callable[..., T]:
    """A decorator: run NumPy code outside what torch.compile traces; an export raises UsageError.
    """
    @wraps(select)
    def call(*args: object) -> T:
        # Its decorator imports the compiler, which takes seconds: only where that is there already.
        if torch.compiler.is_compiling():
            return torch.compiler.disable(checked)(*args)
        return checked(*args)

    def checked(*args: object) -> T:
        if is_jit_tracing() or torch.compiler.is_compiling():
            raise UsageError('nms selects boxes by their values, which no exported graph can hold: '
                             'export the model up to it, and call it on the results')
        return select(*args)

    return call


def to_host(*columns: Tensor) -> list[Tensor]:
    """Copies in wide types on the host, for which it waits once.

    Each is [N] or [N, k]; whole numbers beyond 2 ** 24 are rounded.
    """
    wide = [wide_type(x.dtype) for x in columns]
    if all(x.device.type == 'cpu' for x in columns):
        return [x.detach().to(dtype) for x, dtype in zip(columns, wide, strict=True)]
    parts = [x.detach().reshape(len(x), -1) for x in columns]
    dtype = torch.float64 if torch.float64 in wide else torch.float32
    joined = torch.cat([x.to(dtype) for x in parts], dim=1).cpu()
    split = joined.split([x.size(1) for x in parts], dim=1)
    return [part.reshape(x.shape).to(kind)
            for part, x, kind in zip(split, columns, wide, strict=True)]


def to_device(value: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device, without waiting for it."""
    if device.type == 'cpu':
        return value
    value = value.pin_memory() if kind_of(device).pinned_memory else value
    return value.to(device, non_blocking=True)
