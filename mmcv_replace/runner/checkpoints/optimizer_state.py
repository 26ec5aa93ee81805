"""Loads the optimizer's state from a checkpoint, or says why it does not fit."""
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from ...utils.error_origin import is_out_of_memory
from ...utils.errors import CheckpointError, ConfigError
from ...utils.suggest import did_you_mean, short
from ..optimizer.builder import KERNEL_CHOICES
from .group_layout import in_groups_of
from .resume_table import NOT_TAKEN, TAKEN, Difference

# Setting that a schedule changes -> key of the group for the value before any schedule.
INITIAL = {'lr': 'initial_lr', 'momentum': 'initial_momentum'}
OPTIMIZER = 'optimizer'  # config key; as an override it means all settings of the groups


def load_optimizer_state(optimizer: torch.optim.Optimizer, checkpoint: dict[str, Any],
                         filename: str | Path, scheduled: Collection[str] = (),
                         overrides: Collection[str] = ()) -> list[Difference]:
    """Load `checkpoint['optimizer']`; CheckpointError lists what does not fit.

    The settings of its groups replace those of the optimizer, except the `overrides`, such as
    'optimizer.lr'. `scheduled`: which of 'lr' and 'momentum' hooks change during the run. Returns
    the settings that differ.
    """
    kept = check_overrides(optimizer, overrides)
    if 'optimizer' not in checkpoint:
        raise CheckpointError(f'{filename} cannot be resumed: it holds no optimizer state. To '
                              'start a new run from its weights use --load-from')
    state = checkpoint['optimizer']
    former = [_settings(group) for group in optimizer.param_groups]
    try:
        state = in_groups_of(optimizer, state)
        problems = (_group_problems(optimizer, state['param_groups'])
                    or _shape_problems(optimizer, state))
        if not problems:
            # With the kernels that this device and config choose.
            groups = [{**theirs, **{key: ours[key] for key in KERNEL_CHOICES if key in ours}}
                      for ours, theirs in zip(optimizer.param_groups, state['param_groups'],
                                              strict=True)]
            optimizer.load_state_dict({**state, 'param_groups': groups})
            _lay_out_as_parameters(optimizer)
            problems = _missing_settings(optimizer, {'param_groups': optimizer.param_groups})
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        problems = _missing_settings(optimizer, state)
        if not problems:
            raise CheckpointError(
                f'the optimizer state of {filename} cannot be used ({type(error).__name__}: '
                f'{error}): resume from another checkpoint, or start a new run from its weights '
                'with --load-from') from error
    if problems:
        raise CheckpointError(
            f'the optimizer state of {filename} does not fit this optimizer:\n  '
            + '\n  '.join(problems) + '\nResume with the optimizer and paramwise_cfg of that run, '
            'or start a new run from its weights with --load-from')
    differences = _differences(
        former, [_settings(group, scheduled) for group in optimizer.param_groups], kept)
    for ours, group in zip(former, optimizer.param_groups, strict=True):
        for key in kept & ours.keys():
            _override(group, key, ours[key], scheduled)
    return differences


def check_overrides(optimizer: torch.optim.Optimizer, overrides: Collection[str]) -> set[str]:
    """The settings of the groups that keep the config's values; ConfigError for any other name."""
    known = list(dict.fromkeys(key for group in optimizer.param_groups for key in _settings(group)))
    chosen: set[str] = set()
    for override in overrides:
        root, _, key = override.partition('.')
        if override == OPTIMIZER:
            chosen.update(known)
        elif root == OPTIMIZER and key in known:
            chosen.add(key)
        elif override == f'{OPTIMIZER}.type':
            raise ConfigError('resume_override: an optimizer of another type cannot go on with the '
                              'averages of the former one; for a new run from the weights of the '
                              'checkpoint use --load-from')
        elif override == f'{OPTIMIZER}.paramwise_cfg':
            raise ConfigError(f'resume_override: {override} acts on the rates and decays; name '
                              f'{OPTIMIZER}.lr and {OPTIMIZER}.weight_decay')
        else:
            names = [f'{OPTIMIZER}.{key}' for key in known]
            raise ConfigError(
                f'resume_override: {override!r} is no setting that a resumed run takes from its '
                f'checkpoint (these are: {", ".join(names)}, and {OPTIMIZER} for all of them; '
                'those beside the optimizer are always as the config says)'
                f'{did_you_mean(override, names)}')
    return chosen


def _override(group: dict[str, Any], key: str, value: Any, scheduled: Collection[str]) -> None:
    """Set a value of the config in a group; under a schedule, scale it by the progress so far.

    Schedules with values of their own, such as OneCycle, set the group before each step anyway.
    """
    name = 'momentum' if key == 'betas' else key
    initial = INITIAL.get(name)
    former = group.get(initial)
    first = value[0] if key == 'betas' else value
    if initial is not None and former is not None:
        group[initial] = first
        if name in scheduled and former:
            # Until the hook sets it, which may be in the next epoch.
            now = group['betas'][0] if key == 'betas' else group[key]
            first = now * (first / former)
    group[key] = (first, *value[1:]) if key == 'betas' else first


def _settings(group: dict[str, Any], scheduled: Collection[str] = ()) -> dict[str, Any]:
    """The settings of a group that a config can set; lr and momentum before any schedule."""
    settings = {key: value for key, value in group.items()
                if key not in ('params', *KERNEL_CHOICES, *INITIAL.values())}
    for key, initial in INITIAL.items():
        if initial in group:
            value = group[initial]
        elif key in scheduled:  # by a schedule with values of its own
            value = None
        else:
            continue
        if key in settings:
            settings[key] = value
        elif key == 'momentum' and isinstance(settings.get('betas'), list | tuple):
            settings['betas'] = value and (value, *settings['betas'][1:])
    return settings


def _differences(former: list[dict[str, Any]], loaded: list[dict[str, Any]],
                 kept: Collection[str]) -> list[Difference]:
    places: dict[tuple[str, str, str], list[int]] = {}
    for index, (ours, theirs) in enumerate(zip(former, loaded, strict=True)):
        for key in ours:
            if theirs.get(key) is not None and not is_same(ours[key], theirs[key]):
                change = key, short_value(theirs[key]), short_value(ours[key])
                places.setdefault(change, []).append(index)
    return [Difference(f'{OPTIMIZER}.{key}{_of_groups(groups, len(former))}', theirs, ours,
                       f'{TAKEN}, by resume_override' if key in kept else NOT_TAKEN,
                       None if key in kept else f'{OPTIMIZER}.{key}')
            for (key, theirs, ours), groups in places.items()]


def _of_groups(groups: list[int], total: int) -> str:
    if len(groups) == total:
        return ''
    return f' (group{"s" * (len(groups) > 1)} {", ".join(map(str, groups))} of {total})'


def is_same(one: Any, other: Any) -> bool:
    """Whether two settings are equal; a list equals a tuple, and a tensor the numbers in it."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    one, other = (value.tolist() if isinstance(value, torch.Tensor) else value
                  for value in (one, other))
    return one == other


def short_value(value: Any) -> str:
    """A setting as a config writes it, shortened if it is long."""
    return short(value.tolist() if isinstance(value, torch.Tensor) else value)


def _lay_out_as_parameters(optimizer: torch.optim.Optimizer) -> None:
    """Give running averages the memory format of their parameters.

    The fused kernels of the CPU read both in memory order and ignore strides.
    """
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if (isinstance(value, torch.Tensor) and value.shape == parameter.shape
                    and value.stride() != parameter.stride()):
                state[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _missing_settings(optimizer: torch.optim.Optimizer, state: Any) -> list[str]:
    """Settings that a step needs and a state's groups lack, as a list of at most one problem."""
    groups = state.get('param_groups') if isinstance(state, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        return []  # malformed
    missing = sorted({key for group in groups for key in optimizer.defaults
                      if key not in group and key not in KERNEL_CHOICES})
    return [f'it has no {", ".join(missing)}, as {type(optimizer).__name__} needs: it is of '
            'another type'] if missing else []


def _group_problems(optimizer: torch.optim.Optimizer, saved: list[dict[str, Any]]) -> list[str]:
    groups = optimizer.param_groups
    if len(groups) != len(saved):
        return [f'it has {len(saved)} groups of parameters, the optimizer {len(groups)}']
    return [f'group {index} has {len(theirs["params"])} parameters, that of the optimizer '
            f'{len(ours["params"])}'
            for index, (ours, theirs) in enumerate(zip(groups, saved, strict=True))
            if len(ours['params']) != len(theirs['params'])]


def _shape_problems(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> list[str]:
    """Parameters whose running averages have a shape different from their own."""
    problems = []
    for index, (ours, theirs) in enumerate(
            zip(optimizer.param_groups, state['param_groups'], strict=True)):
        for position, (parameter, key) in enumerate(
                zip(ours['params'], theirs['params'], strict=True)):
            shapes = {tuple(value.shape) for value in state['state'].get(key, {}).values()
                      if isinstance(value, torch.Tensor) and value.dim() > 0}
            if shapes - {tuple(parameter.shape)}:
                problems.append(f'group {index}, parameter {position}: the state is of the shape '
                                f'{sorted(shapes)[0]}, the parameter {tuple(parameter.shape)}')
    return problems
