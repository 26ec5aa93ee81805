"""Checkpoint files: dicts with the keys meta, state_dict and optimizer."""
import pickle
import re
import shutil
import time
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..fileio import atomic_write
from ..parallel import is_module_wrapper
from ..utils import symlink
from ..utils.errors import CheckpointError
from .plain import to_plain

# Builders of NumPy numbers and arrays, which old checkpoints hold in their meta data (scores,
# palettes), under the names of NumPy 1 and 2; and the types that they build, without objects.
_BUILDERS = [(builder, f'numpy.{core}.multiarray.{builder.__name__}')
             for builder in (np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0])
             for core in ('core', '_core')]
_DTYPES = {type(np.dtype(code)) for code in np.typecodes['All'] if code != 'O'}
SAFE_GLOBALS = [*_BUILDERS, *_DTYPES, np.dtype, np.ndarray]


def build_checkpoint(model: nn.Module, optimizer: torch.optim.Optimizer | None = None,
                     meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """State of model and optimizer, on the host; CLASSES of the model go into the meta data."""
    if is_module_wrapper(model):
        model = model.module
    meta = {**(meta or {}), 'time': time.asctime()}
    for name in ('CLASSES', 'PALETTE'):
        if getattr(model, name, None) is not None:
            meta[name] = getattr(model, name)
    weights = model.state_dict()
    state_dict = OrderedDict((key, to_plain(value, f'the state of {key}'))
                             for key, value in weights.items())
    # Versions of the modules, which some of them look at when they load.
    state_dict._metadata = getattr(weights, '_metadata', OrderedDict())
    checkpoint = {'meta': meta, 'state_dict': state_dict}
    if optimizer is not None:
        checkpoint['optimizer'] = optimizer.state_dict()
    return checkpoint


def write_checkpoint(checkpoint: dict[str, Any], filename: str | Path) -> None:
    """Write a checkpoint in one step: a failure leaves the file of that name as it was."""
    plain = {key: value if key == 'state_dict' else to_plain(value, f'checkpoint[{key!r}]')
             for key, value in checkpoint.items()}
    try:
        with atomic_write(filename) as file:
            torch.save(plain, file)
    except (OSError, RuntimeError) as error:  # the latter when torch's archive writer is cut short
        raise CheckpointError(f'cannot write the checkpoint {filename}: {error}; free some space '
                              'or choose another --work-dir') from error


def save_checkpoint(model: nn.Module, filename: str | Path,
                    optimizer: torch.optim.Optimizer | None = None,
                    meta: dict[str, Any] | None = None) -> None:
    """Save model, optimizer and meta data as a file that loads with `weights_only=True`."""
    write_checkpoint(build_checkpoint(model, optimizer, meta), filename)


def point_latest_at(path: Path) -> None:
    """Make latest.pth beside a checkpoint mean it: a link, or a copy where there are no links."""
    latest = path.with_name('latest.pth')
    try:
        symlink(path.name, latest)
    except OSError:
        with path.open('rb') as source, atomic_write(latest) as target:
            shutil.copyfileobj(source, target)


def read_checkpoint(path: str | Path,
                    map_location: str | torch.device | None = 'cpu') -> dict[str, Any]:
    """Load a checkpoint file without running any code that it may contain.

    Raises CheckpointError for a file that is missing, damaged or holds more than plain data.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        found = 'is a folder' if path.is_dir() else 'does not exist'
        raise CheckpointError(f'the checkpoint {path} {found}')
    try:
        _check_sums(path)
        with torch.serialization.safe_globals(SAFE_GLOBALS):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # of any kind: the content is arbitrary
        raise _explain(path, error) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint '
                              '(a dict with a state_dict)')
    return checkpoint


def _check_sums(path: Path) -> None:
    """Raise BadZipFile when a part of the file is not what was written; torch does not look."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f'{damaged} does not match its checksum')


def _explain(path: Path, error: Exception) -> CheckpointError:
    text = str(error)
    refused = re.search(r'GLOBAL ([\w.]+)', text)
    if isinstance(error, pickle.UnpicklingError) and refused:
        return CheckpointError(
            f'{path} is not loaded: besides plain data it holds {refused[1]}, and making such an '
            'object may run code of whoever wrote the file. If you trust them, save its state_dict '
            "alone, where that object's package is installed: c = torch.load(old, "
            "weights_only=False); torch.save({'state_dict': c['state_dict']}, new)")
    cause = text.split('WeightsUnpickler error:')[-1].strip().split('\n')[0]
    return CheckpointError(f'{path} cannot be read ({type(error).__name__}: {cause}); it is '
                           'damaged or not a checkpoint: copy it again, or use an older one')
