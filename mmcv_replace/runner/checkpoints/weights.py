"""Loads weights into a model, with a report of what does not fit."""
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...parallel import is_module_wrapper
from ...utils.error_origin import is_out_of_memory
from ...utils.errors import CheckpointError
from .files import read_checkpoint
from .pretrained import resolve_checkpoint

SHOWN = 10  # names in a report; the rest is counted


def _load_checkpoint(filename: str | Path, map_location: str | torch.device | None = 'cpu',
                     logger: logging.Logger | None = None) -> dict[str, Any]:
    """Read a checkpoint from a local path, a URL, open-mmlab://NAME or torchvision://NAME.

    Raises CheckpointError, also if `meta` or `state_dict` is not a dict.
    """
    if logger is not None:
        logger.info('load checkpoint from %s', filename)
    checkpoint = read_checkpoint(resolve_checkpoint(filename), map_location)
    _check_dicts(filename, checkpoint, ('meta', 'state_dict'))
    _check_dicts(filename, checkpoint.get('meta') or {}, ('hook_msgs', 'dataset_meta'))
    return checkpoint


def _check_dicts(filename: str | Path, parts: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(parts.get(name), dict | None):
            raise CheckpointError(f'{filename} is damaged or not a checkpoint: its {name} is a '
                                  f'{type(parts[name]).__name__}, not a dict')


def load_checkpoint(model: nn.Module, filename: str | Path,
                    map_location: str | torch.device | None = 'cpu', strict: bool = False,
                    logger: logging.Logger | None = None,
                    revise_keys: Sequence[tuple[str, str]] = ((r'^module\.', ''),),
                    ) -> dict[str, Any]:
    """Load the weights of a checkpoint and return all of it.

    `revise_keys`: (pattern, replacement) pairs applied to each key of its state_dict.
    """
    checkpoint = _load_checkpoint(filename, map_location)
    state_dict = get_state_dict(checkpoint)
    for pattern, replacement in revise_keys:
        state_dict = {re.sub(pattern, replacement, str(key)): value
                      for key, value in state_dict.items()}
    load_state_dict(model, state_dict, strict, logger, str(filename))
    return checkpoint


def get_state_dict(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint of this or another toolkit; the checkpoint itself by default."""
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), dict):
            return checkpoint[key]
    return checkpoint


class _Fit:
    """How a state_dict fits a model. `reshaped`: (key, its shape there, its shape here)."""

    def __init__(self, ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
        common = [key for key, value in theirs.items()
                  if key in ours and isinstance(value, torch.Tensor)]
        self.matched = {key: theirs[key] for key in common if theirs[key].shape == ours[key].shape}
        self.reshaped = [(key, list(theirs[key].shape), list(ours[key].shape)) for key in common
                         if key not in self.matched]
        self.missing = _others(ours, common)
        self.unexpected = _others(theirs, common)

    def report(self, source: str) -> str:
        lines = [f'{source} does not fit the model in all parts:']
        if self.reshaped:
            from prettytable import PrettyTable
            table = PrettyTable(['key', 'in the checkpoint', 'in the model'], align='l')
            table.add_rows(self.reshaped)
            lines += [f'{len(self.reshaped)} of another shape, not loaded:', str(table)]
        if self.missing:
            lines.append(f'{len(self.missing)} of the model, not in it: {_listing(self.missing)}')
        if self.unexpected:
            lines.append(f'{len(self.unexpected)} in it, not of the model: '
                         f'{_listing(self.unexpected)}')
        return '\n'.join(lines)


def _listing(names: Sequence[str]) -> str:
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more


def load_state_dict(module: nn.Module, state_dict: dict[str, torch.Tensor], strict: bool = False,
                    logger: logging.Logger | None = None, source: str = 'the state_dict') -> None:
    """Load the weights that fit, and warn about the rest in one message.

    Raises CheckpointError if nothing fits or, if `strict`, not all. `source`: name in messages.
    """
    if is_module_wrapper(module):
        module = module.module
    fit = _Fit(module.state_dict(), state_dict)
    if not fit.matched:
        raise CheckpointError(f'{source} has no weights for this model. Its keys: '
                              f'{_listing(list(map(str, state_dict)))}. Those of the model: '
                              f'{_listing(list(module.state_dict()))}'
                              f'{_prefix_hint(module.state_dict(), state_dict)}')
    complete = not (fit.reshaped or fit.missing or fit.unexpected)
    if strict and not complete:
        raise CheckpointError(fit.report(source))
    try:
        module.load_state_dict(fit.matched, strict=False)
    except RuntimeError as error:  # a sparse tensor, or one on the device meta
        if is_out_of_memory(error):
            raise
        raise CheckpointError(f'{source} holds tensors that are no weights: {error}') from error
    if not complete:
        (logger or logging.getLogger('mmseg')).warning(fit.report(source))


def _prefix_hint(ours: Iterable[str], theirs: Iterable[str]) -> str:
    """What to do if all keys would fit without a prefix, as in files of Lightning."""
    known = set(ours)
    found = Counter(key[:dot + 1] for key in map(str, theirs)
                    for dot, char in enumerate(key) if char == '.' and key[dot + 1:] in known)
    if not found:
        return ''
    [(prefix, count)] = found.most_common(1)
    return (f". Without the prefix '{prefix}' {count} of its keys would fit: save it anew, "
            "torch.save({'state_dict': {key.removeprefix('" + prefix + "'): value for key, value "
            "in state_dict.items()}}, new)")


def _others(keys: Iterable[str], common: Sequence[str]) -> list[str]:
    """Keys that are not common; not counters of batch norm, which old checkpoints lack."""
    known = set(common)
    return [str(key) for key in keys
            if key not in known and not str(key).endswith('num_batches_tracked')]
