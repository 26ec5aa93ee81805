"""What may go into a checkpoint: tensors and plain Python values."""
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch

from ...utils.errors import CheckpointError


def to_host(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in host memory, without a copy where it is there already."""
    return tensor.detach().cpu()


def to_plain(value: Any, place: str = 'checkpoint',
             convert: Callable[[torch.Tensor], torch.Tensor] = to_host) -> Any:
    """Copy a nested value so that it loads with `weights_only=True`; tensors through `convert`.

    NumPy numbers and arrays, paths and subclasses of dict, list and tuple become plain Python.
    Raises CheckpointError for anything else, naming its `place` such as checkpoint['meta']['seed'].
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, torch.Tensor):
        return convert(value)
    if isinstance(value, np.generic):
        return to_plain(value.item(), place, convert)
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist(), place, convert)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {to_plain(key, f'a key of {place}', convert):
                to_plain(item, f'{place}[{key!r}]', convert) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        kind = list if isinstance(value, list) else tuple
        return kind(to_plain(item, f'{place}[{index}]', convert)
                    for index, item in enumerate(value))
    raise CheckpointError(f'{place} is a {type(value).__module__}.{type(value).__qualname__}; a '
                          'checkpoint holds tensors, numbers, strings, None, and dicts, lists and '
                          'tuples of them: convert it first')
