"""Rearranges an optimizer's state between one group a parameter and joined groups.

mmcv saves one group a parameter under `paramwise_cfg`, runs of this package one for all parameters
with equal settings. A state numbers its parameters in the order of its groups.
"""
from collections.abc import Sequence
from typing import Any

import torch

from ..optimizer.joined_groups import join_groups, model_order

Place = tuple[dict[str, Any], Any]  # group in the saved state, and the parameter's number there


def in_groups_of(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """The saved state in the groups of the optimizer; as it is where those are not the same ones.

    Parameters that the optimizer has in one group must have had equal settings.
    """
    ours, theirs = optimizer.param_groups, state['param_groups']
    if _sizes(ours) == _sizes(theirs) or sum(_sizes(ours)) != sum(_sizes(theirs)):
        return state
    parameters = [parameter for group in ours for parameter in group['params']]
    order = model_order(optimizer)
    if order is None:
        return state
    if all(size == 1 for size in _sizes(theirs)):
        sequence = [parameters[place] for place in order]
    else:
        joined = join_groups(ours)
        if _sizes(joined) != _sizes(theirs):
            return state
        sequence = [parameter for group in joined for parameter in group['params']]
    saved = ((group, number) for group in theirs for number in group['params'])
    return _rearranged(state, ours, dict(zip(map(id, sequence), saved, strict=True)))


def _sizes(groups: Sequence[dict[str, Any]]) -> list[int]:
    return [len(group['params']) for group in groups]


def _rearranged(state: dict[str, Any], ours: Sequence[dict[str, Any]],
                places: dict[int, Place]) -> dict[str, Any]:
    groups, states = [], {}
    count = 0
    for group in ours:
        # Frozen parameters are not stepped, and may have had other settings.
        stepped = [p for p in group['params'] if p.requires_grad] or group['params']
        settings = [_settings(places[id(parameter)][0]) for parameter in stepped]
        if any(other != settings[0] for other in settings):
            return state
        for number, parameter in enumerate(group['params'], count):
            former = places[id(parameter)][1]
            if former in state['state']:
                states[number] = state['state'][former]
        numbers = list(range(count, count + len(group['params'])))
        groups.append({**settings[0], 'params': numbers})
        count += len(numbers)
    return {**state, 'state': states, 'param_groups': groups}


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != 'params'}
