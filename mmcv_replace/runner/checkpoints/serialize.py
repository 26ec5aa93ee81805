"""Reduces a checkpoint to what may stand in its file: tensors and plain Python values."""
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch

from ...utils.errors import CheckpointError


def to_host(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in host memory; not copied if it is there already."""
    return tensor.detach().cpu()


def serialize(value: Any, where: str = 'checkpoint',
              convert: Callable[[torch.Tensor], torch.Tensor] = to_host) -> Any:
    """A copy of a nested value that loads with `weights_only=True`; tensors pass `convert`.

    NumPy numbers and arrays, paths, ranges and subclasses of dict, list and tuple become plain
    Python. Raises CheckpointError for anything else, with `where` it is, such as
    checkpoint['meta']['seed'].
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, torch.Tensor):
        return convert(value)
    if isinstance(value, np.generic | np.ndarray):
        return serialize(value.tolist(), where, convert)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {serialize(key, f'a key of {where}', convert):
                serialize(item, f'{where}[{key!r}]', convert) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):  # gpu_ids of a config may be a range
        kind = tuple if isinstance(value, tuple) else list
        return kind(serialize(item, f'{where}[{index}]', convert)
                    for index, item in enumerate(value))
    raise CheckpointError(f'{where} is a {type(value).__module__}.{type(value).__qualname__}; a '
                          'checkpoint holds tensors, numbers, strings, None, and dicts, lists and '
                          'tuples of them: convert it first')
