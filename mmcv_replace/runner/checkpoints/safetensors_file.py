"""Reads a .safetensors file as a checkpoint, and makes the content of one."""
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...utils.errors import CheckpointError
from ...utils.misc.optional import import_optional

INSTALL = 'pip install safetensors (or the extra mmseg-ascend[safetensors])'


def read_safetensors(path: Path, map_location: Any) -> dict[str, Any]:
    """A checkpoint with the tensors as `state_dict` and the file's metadata as `meta`.

    Metadata are strings; lists and dicts in JSON, such as CLASSES, are decoded. Raises
    CheckpointError for a damaged file, and if the package safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise CheckpointError(f'{path} is a safetensors file, and the package that reads those is '
                              f'not installed: {INSTALL}') from error
    try:
        with safe_open(str(path), framework='pt') as file:
            names = file.keys()
            weights = {key: _placed(file.get_tensor(key), map_location) for key in names}
            meta = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'{path} cannot be read: it is a safetensors file that is damaged '
                              f'({error}): copy it again') from error
    return {'meta': {key: _decoded(text) for key, text in meta.items()}, 'state_dict': weights}


def _placed(tensor: torch.Tensor, map_location: Any) -> torch.Tensor:
    """The tensor where torch.load's `map_location` puts one that was saved on the host."""
    if callable(map_location):
        storage = map_location(tensor.untyped_storage(), 'cpu')
        return tensor if storage is None else tensor.to(storage.device)
    return tensor.to(map_location.get('cpu', 'cpu') if isinstance(map_location, dict)
                     else map_location or 'cpu')


def _decoded(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, list | dict) else text


def safetensors_bytes(weights: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> bytes:
    """The content of a .safetensors file; `meta` reads as `read_safetensors` returns it.

    The weights must be contiguous and share no memory.
    """
    package = import_optional('safetensors.torch', 'a .safetensors file', INSTALL)
    texts = {key: value if isinstance(value, str) else json.dumps(_plain(value))
             for key, value in meta.items()}
    return package.save(dict(weights), {'format': 'pt', **texts})


def _plain(value: Any) -> Any:
    """Arrays as lists, which JSON has."""
    return value.tolist() if hasattr(value, 'tolist') else value
