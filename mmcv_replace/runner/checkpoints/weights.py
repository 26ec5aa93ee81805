"""Loads weights into a model, with a report of what does not fit."""
import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...utils.errors import CheckpointError, ConfigKeyError
from .files import MapLocation
from .loader import CheckpointLoader
from .state_dict import Loaded, get_state_dict, load_into

PREPROCESSOR = 'data_preprocessor.'
SHOWN = 10  # names in a report; the rest is counted


def _load_checkpoint(filename: str | Path, map_location: MapLocation = None,
                     logger: logging.Logger | None = None) -> dict[str, Any]:
    """Read a checkpoint from a local path, a URL, open-mmlab://NAME or torchvision://NAME.

    Raises CheckpointError, also if `meta` or `state_dict` is not a dict.
    """
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location, logger)
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{filename} holds a {type(checkpoint).__name__}, not a checkpoint '
                              '(a dict with a state_dict)')
    _check_dicts(filename, checkpoint, ('meta', 'state_dict'))
    _check_dicts(filename, checkpoint.get('meta') or {}, ('hook_msgs', 'dataset_meta'))
    return checkpoint


def _check_dicts(filename: str | Path, parts: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(parts.get(name), dict | None):
            raise CheckpointError(f'{filename} is damaged or not a checkpoint: its {name} is a '
                                  f'{type(parts[name]).__name__}, not a dict')


def _load_checkpoint_with_prefix(prefix: str, filename: str | Path,
                                 map_location: MapLocation = None) -> dict[str, torch.Tensor]:
    """The weights of a part of a model in a checkpoint, such as 'backbone', without that prefix.

    Raises ConfigKeyError where there are none.
    """
    weights = weights_in(_load_checkpoint(filename, map_location))
    start = prefix if prefix.endswith('.') else f'{prefix}.'
    part = {key.removeprefix(start): value for key, value in weights.items()
            if str(key).startswith(start)}
    if not part:
        raise ConfigKeyError(f'{filename} has no weights with the prefix {start!r}; its keys: '
                             f'{_listing(list(map(str, weights)))}')
    return part


def load_checkpoint(model: nn.Module, filename: str | Path, map_location: MapLocation = None,
                    strict: bool = False, logger: logging.Logger | None = None,
                    revise_keys: Sequence[tuple[str, str]] = [(r'^module\.', '')],  # noqa: B006
                    adapt: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
                    ) -> dict[str, Any]:
    """Load the weights of a checkpoint and return all of it.

    `revise_keys`: (pattern, replacement) pairs applied to each key of its state_dict. `adapt`
    changes the state_dict after that, to fit the model.
    """
    checkpoint = _load_checkpoint(filename, map_location)
    weights = weights_in(checkpoint)
    state_dict = OrderedDict(weights)
    for pattern, replacement in revise_keys:
        state_dict = OrderedDict((re.sub(pattern, replacement, str(key)), value)
                                 for key, value in state_dict.items())
    if adapt is not None:
        state_dict = OrderedDict(adapt(state_dict))
    state_dict._metadata = getattr(weights, '_metadata', {})  # versions of modules
    load_state_dict(model, state_dict, strict, logger, str(filename))
    return checkpoint


def weights_in(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint of this or another toolkit; the checkpoint itself by default."""
    weights = next((checkpoint[key] for key in ('state_dict', 'model')
                    if isinstance(checkpoint.get(key), dict)), checkpoint)
    if not any(str(key).startswith(PREPROCESSOR) for key in weights):
        return weights
    # Files of mmsegmentation 1.x may hold what normalises images, which is no part of a model here.
    rest = OrderedDict((key, value) for key, value in weights.items()
                       if not str(key).startswith(PREPROCESSOR))
    if hasattr(weights, '_metadata'):
        rest._metadata = weights._metadata
    return rest


class _Fit:
    """What of a state was loaded. `reshaped`: (key, its shape there, its shape here)."""

    def __init__(self, ours: dict[str, torch.Tensor], loaded: Loaded) -> None:
        named = re.compile('size mismatch for (.+?): ')
        sizes = {match[1]: text for text in loaded.errors if (match := named.match(text))}
        self.reshaped = [(key, list(loaded.state[key].shape), list(ours[key].shape))
                         for key in ours if key in sizes]
        self.missing = _weights(loaded.missing)
        self.unexpected = _weights(loaded.unexpected)
        self.errors = [text for text in loaded.errors if text not in sizes.values()]
        lacking = {*loaded.missing, *sizes}
        self.loads_nothing = not any(key not in lacking for key in _weights(ours))
        self.complete = not (self.reshaped or self.missing or self.unexpected)

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


def load_state_dict(module: nn.Module, state_dict: Mapping[str, Any], strict: bool = False,
                    logger: logging.Logger | None = None, source: str = 'the state_dict') -> None:
    """Load the weights that fit, and warn about the rest in one message.

    Modules may convert the state of an older version of themselves. Raises CheckpointError if
    nothing fits or, if `strict`, not all; the model is then as before. `source`: name in messages.
    """
    ours = get_state_dict(module)
    former = _copied(ours) if strict and not _is_alike(ours, state_dict) else {}
    fit = _Fit(ours, load_into(module, state_dict))
    if fit.loads_nothing:
        raise CheckpointError(f'{source} has no weights for this model. Its keys: '
                              f'{_listing(list(map(str, state_dict)))}. Those of the model: '
                              f'{_listing(list(ours))}{_prefix_hint(ours, state_dict)}')
    if fit.errors:  # of a sparse tensor, or one on the device meta
        raise CheckpointError(f'{source} holds tensors that are no weights: '
                              + '\n'.join(fit.errors))
    if fit.complete:
        return
    if strict:
        for key, value in former.items():
            ours[key].copy_(value)
        raise CheckpointError(fit.report(source))
    (logger or logging.getLogger('mmseg')).warning(fit.report(source))


def _copied(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in state.items() if isinstance(value, torch.Tensor)}


def _is_alike(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether keys and shapes are the same, so that all will fit."""
    return ours.keys() == theirs.keys() and all(
        getattr(value, 'shape', None) == getattr(theirs[key], 'shape', None)
        for key, value in ours.items())


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


def _weights(keys: Iterable[str]) -> list[str]:
    """Keys without those of counters of batch norm, which old checkpoints lack."""
    return [str(key) for key in keys if not str(key).endswith('num_batches_tracked')]
