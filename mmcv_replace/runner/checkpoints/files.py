"""Reads and writes checkpoint files: dicts with the keys meta, state_dict, optimizer and more."""
import io
import os
import pickle
import re
import shutil
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...fileio import FileClient, atomic_write, is_remote, sync_folder
from ...parallel import is_module_wrapper
from ...utils import symlink
from ...utils.error_origin import is_out_of_memory
from ...utils.errors import ArgumentError, CheckpointError, MissingCheckpointError
from ...version import __version__
from .averaged import from_mmengine
from .file_format import describe_file, describe_folder, is_safetensors
from .safe_unpickler import SAFE_GLOBALS, without_stand_ins
from .safetensors_file import read_safetensors
from .serialize import serialize, to_host
from .state_dict import get_state_dict

# torch.load's; None stands for the host, so that files of any device can be read everywhere.
MapLocation = (str | torch.device | Mapping[str, str] | Callable[[torch.UntypedStorage, str], Any]
               | None)
Optimizers = torch.optim.Optimizer | Mapping[str, torch.optim.Optimizer]


def build_checkpoint(model: nn.Module, optimizer: Optimizers | None = None,
                     meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """The states of model and optimizer, not copied; meta gets CLASSES and PALETTE of the model.

    `optimizer`: one, or several by name.
    """
    if is_module_wrapper(model):
        model = model.module
    meta = {**(meta or {}), 'mmcv_version': __version__, 'time': time.asctime()}
    for name in ('CLASSES', 'PALETTE'):
        if getattr(model, name, None) is not None:
            meta[name] = getattr(model, name)
    checkpoint = {'meta': meta, 'state_dict': get_state_dict(model)}
    if isinstance(optimizer, Mapping):
        checkpoint['optimizer'] = {name: each.state_dict() for name, each in optimizer.items()}
    elif optimizer is not None:
        checkpoint['optimizer'] = optimizer.state_dict()
    return checkpoint


def serialize_checkpoint(checkpoint: dict[str, Any],
                     convert: Callable[[torch.Tensor], torch.Tensor] = to_host) -> dict[str, Any]:
    """The checkpoint as it is written: plain Python data, each tensor as `convert` returns it."""
    content = serialize(checkpoint, convert=convert)
    for key, part in checkpoint.items():
        if hasattr(part, '_metadata'):
            # Versions of the modules, which some modules need when they load a state_dict.
            content[key] = OrderedDict(content[key])
            content[key]._metadata = part._metadata
    return content


def write_checkpoint(checkpoint: dict[str, Any], filename: str | Path, verify: bool = True) -> None:
    """Write a checkpoint atomically: after a CheckpointError the file of that name is unchanged.

    `verify`: read the new file again before it gets its name.
    """
    write_serialized(serialize_checkpoint(checkpoint), filename, verify)


def write_serialized(content: dict[str, Any], filename: str | Path, verify: bool = True) -> None:
    """`write_checkpoint` for the result of `serialize_checkpoint`."""
    try:
        with atomic_write(filename, check=_read_again if verify else None) as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:
        # torch's archive writer wraps the error of the system.
        cause = error if isinstance(error, OSError) else error.__context__ or error
        raise CheckpointError(f'cannot write the checkpoint {filename}: {cause}; older ones are '
                              'untouched. Free some space, correct the permissions or choose '
                              'another --work-dir') from error


def _read_again(path: Path) -> None:
    """Raise OSError if a file differs from what was written to it."""
    if hasattr(os, 'posix_fadvise'):
        # Drop the copy in memory, so that the disk is read.
        with path.open('rb') as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile('its end is missing')
        _check_sums(path)
    except OSError:
        raise
    except Exception as error:  # of any class: damaged headers hold anything
        raise OSError(f'read again, it differs from what was written ({error})') from error


def save_checkpoint(model: nn.Module, filename: str | Path, optimizer: Optimizers | None = None,
                    meta: dict[str, Any] | None = None,
                    file_client_args: dict[str, Any] | None = None) -> None:
    """Save model, optimizer and meta data as a file that loads with `weights_only=True`.

    `file_client_args`: the backend of FileClient that writes it, such as dict(backend='petrel'); by
    default that of an address such as s3://bucket/file, and for a path a write in one step.
    """
    if not isinstance(meta, dict | None):
        raise ArgumentError(f'meta is a dict or None, not {meta!r}')
    checkpoint = build_checkpoint(model, optimizer, meta)
    if not is_remote(filename, file_client_args):
        write_checkpoint(checkpoint, filename)
        return
    content = io.BytesIO()
    torch.save(serialize_checkpoint(checkpoint), content)
    FileClient.infer_client(file_client_args, filename).put(content.getvalue(), filename)


def point_latest_at(path: Path) -> None:
    """Make latest.pth in its folder a link to a checkpoint, or a copy where links do not work."""
    latest = path.with_name('latest.pth')
    try:
        symlink(path.name, latest)
    except OSError:
        with path.open('rb') as source, atomic_write(latest) as target:
            shutil.copyfileobj(source, target)
    sync_folder(path.parent)


def read_checkpoint(path: str | Path, map_location: MapLocation = 'cpu') -> dict[str, Any]:
    """Load a checkpoint file without running code that it may contain.

    Raises CheckpointError if it is missing, damaged, or holds objects that are not plain data.
    """
    return _load(path, map_location=map_location or 'cpu')


def read_meta(path: str | Path) -> dict[str, Any]:
    """Like `read_checkpoint`, but quick: tensors, which may be damaged, are on the device meta."""
    return _load(path, map_location='meta', meta_only=True)


def _load(path: str | Path, map_location: MapLocation, meta_only: bool = False) -> dict[str, Any]:
    path = Path(path).expanduser()
    if not path.is_file():
        if path.is_dir():
            raise CheckpointError(f'the checkpoint {path} is a folder {describe_folder(path)}')
        raise MissingCheckpointError(f'the checkpoint {path} does not exist')
    try:
        if is_safetensors(path):
            return read_safetensors(path, 'meta' if meta_only else map_location)
        if not meta_only:
            _check_sums(path)
        with torch.serialization.safe_globals(SAFE_GLOBALS):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
        checkpoint = without_stand_ins(checkpoint)
    except CheckpointError:
        raise
    except Exception as error:  # of any class: the content is arbitrary
        raise _explain(path, error) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint '
                              '(a dict with a state_dict)')
    return from_mmengine(checkpoint)


def _check_sums(path: Path) -> None:
    """Raise BadZipFile if a checksum is wrong; torch does not compare them."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            # torch does not compress: a part that grows when unpacked may be endless.
            if sum(part.file_size for part in archive.infolist()) > path.stat().st_size:
                raise zipfile.BadZipFile('its parts are larger than the file')
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f'{damaged} does not match its checksum')


def _ends_with(path: Path, name: str) -> bool:
    """Whether a file is cut off within the name of a class."""
    end = name.rpartition('.')[2].encode()
    with path.open('rb') as file:
        file.seek(-min(len(end) + 1, path.stat().st_size), os.SEEK_END)
        # torch takes the last byte for the end of the line.
        return file.read()[:-1] == end


def _explain(path: Path, error: Exception) -> CheckpointError:
    text = str(error)
    refused = re.search(r'GLOBAL ([\w.]+)', text)
    if isinstance(error, pickle.UnpicklingError) and refused and not _ends_with(path, refused[1]):
        return CheckpointError(
            f'{path} is not loaded: besides plain data it holds {refused[1]}, and making such an '
            'object may run code of whoever wrote the file. If you trust them, save its state_dict '
            "alone, where that object's package is installed: c = torch.load(old, "
            "weights_only=False); torch.save({'state_dict': c['state_dict']}, new)")
    if isinstance(error, OSError):
        return CheckpointError(f'{path} cannot be read: {error}')
    if is_out_of_memory(error):
        return CheckpointError(f'{path} cannot be read: there is not enough memory for it, or it '
                               f'is damaged and tells a wrong size ({_first_line(error)})')
    kind = describe_file(path)
    if kind is not None:
        return CheckpointError(f'{path} cannot be read: it is {kind[0]}. {kind[1]}')
    return CheckpointError(f'{path} cannot be read ({type(error).__name__}: {_first_line(error)}); '
                           'it is damaged or not a checkpoint: copy it again, or use an older one')


def _first_line(error: Exception) -> str:
    return str(error).split('WeightsUnpickler error:')[-1].strip().split('\n')[0]
