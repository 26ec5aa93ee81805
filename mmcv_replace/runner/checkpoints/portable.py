"""Writes weights to be given away, and names the file after its content."""
import hashlib
import io
import logging
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ...fileio import atomic_write
from ...utils.errors import CheckpointError
from .averaged import averaged_state
from .describe import described
from .download import expected_hash
from .files import serialize_checkpoint
from .safetensors_file import safetensors_bytes
from .weights import _load_checkpoint, weights_in

SAFETENSORS = '.safetensors'
SUFFIXES = ('.pth', '.pt', SAFETENSORS)
WRAPPER = 'module.'
DIGITS = 8  # of the SHA-256 in the name of a published file

logger = logging.getLogger('mmseg')


def publish_model(source: str | Path, target: str | Path, averaged: bool = False,
                  safetensors: bool = False) -> Path:
    """Write the weights of a checkpoint as TARGET-HASH.pth; returns that path.

    The optimizer and all else that only a training needs is left out, and of the meta data what
    does not describe the model. HASH: the first digits of the file's SHA-256, which are checked
    where such a file is downloaded. `averaged` takes the averaged weights. `safetensors` writes
    TARGET-HASH.safetensors.
    """
    checkpoint = _load_checkpoint(source)
    weights = unwrapped(averaged_state(checkpoint, str(source)) if averaged
                        else weights_in(checkpoint))
    path = file_to_write(target)
    if path.suffix in SUFFIXES:
        safetensors = safetensors or path.suffix == SAFETENSORS
        path = path.with_suffix('')
    suffix = SAFETENSORS if safetensors else '.pth'
    content = portable_bytes({'meta': described(checkpoint), 'state_dict': weights}, suffix)
    digest = hashlib.sha256(content).hexdigest()[:DIGITS]
    # A hash of the source's name, if that was published, is no longer true.
    old = expected_hash(path.with_name(f'{path.name}{suffix}'))
    name = path.name.removesuffix(f'-{old}') if old else path.name
    return _write(content, path.with_name(f'{name}-{digest}{suffix}'))


def unwrapped(weights: Mapping[str, Any]) -> 'OrderedDict[str, Any]':
    """Weights by the names of the model itself, where a wrapper (DDP) has put one before all."""
    result = OrderedDict((str(key), value) for key, value in weights.items())
    versions = getattr(weights, '_metadata', None)  # of its modules; torch keeps them beside
    if result and all(key.startswith(WRAPPER) for key in result):
        result = OrderedDict((key.removeprefix(WRAPPER), value) for key, value in result.items())
        # The wrapper's own, '', comes before that of the model, which takes its place.
        versions = versions and OrderedDict((f'{name}.'.removeprefix(WRAPPER).rstrip('.'), version)
                                            for name, version in versions.items())
    if versions is not None:
        result._metadata = versions
    return result


def file_to_write(target: str | Path) -> Path:
    """The path `target`; CheckpointError where it is a folder."""
    path = Path(target)
    if path.is_dir():
        raise CheckpointError(f'{target} is a folder: add the name of the file to write')
    return path


def write_portable(checkpoint: Mapping[str, Any], target: str | Path) -> Path:
    """Write a checkpoint, or a bare dict of weights, by torch.save or as .safetensors."""
    path = file_to_write(target)
    return _write(portable_bytes(checkpoint, path.suffix), path)


def portable_bytes(checkpoint: Mapping[str, Any], suffix: str) -> bytes:
    """The content of a file; each tensor is on the host and has a storage of its own."""
    weights = weights_in(checkpoint)
    if not weights:
        raise CheckpointError('the checkpoint holds no weights: there is nothing to write')
    others = [str(key) for key, value in weights.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise CheckpointError(f'{", ".join(others[:5])} in the weights: no tensors, which cannot '
                              'be given away; save the state_dict of the model alone')
    copies = OrderedDict((str(key), _own(value)) for key, value in weights.items())
    if suffix == SAFETENSORS:
        return safetensors_bytes(copies, checkpoint.get('meta') or {}
                                 if weights is not checkpoint else {})
    if hasattr(weights, '_metadata'):
        copies._metadata = weights._metadata
    file = io.BytesIO()
    torch.save(serialize_checkpoint({**checkpoint, 'state_dict': copies})
               if weights is not checkpoint else copies, file)
    return file.getvalue()


def _own(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _write(content: bytes, path: Path) -> Path:
    try:
        with atomic_write(path) as file:
            file.write(content)
    except OSError as error:
        raise CheckpointError(f'cannot write {path}: {error}; free some space, or choose another '
                              'place') from error
    return path
