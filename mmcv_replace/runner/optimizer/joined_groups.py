"""The two ways to put parameters into groups: one group each, or one for all of equal settings.

mmcv makes a group of each parameter, which user code may count on. A step of few groups is faster,
and runs of this package have these; states of one kind resume in the other (group_layout.py).
"""
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

# Optimizer -> for each parameter, in the order of the model, its place among those of the groups.
# A place stays right where a float32 copy has replaced the parameter.
_orders: WeakKeyDictionary[torch.optim.Optimizer, list[int]] = WeakKeyDictionary()


def join_groups(groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups with equal settings as one, in the order of their first parameters."""
    joined: dict[tuple, dict[str, Any]] = {}
    for group in groups:
        settings = {key: value for key, value in group.items() if key != 'params'}
        key = tuple((name, repr(value)) for name, value in sorted(settings.items()))
        joined.setdefault(key, {'params': [], **settings})['params'].extend(group['params'])
    return list(joined.values())


def note_order(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> None:
    """Keep where the parameters of a model are in the groups of its optimizer."""
    places = {id(parameter): place for place, parameter in enumerate(
        parameter for group in optimizer.param_groups for parameter in group['params'])}
    order = [places.get(id(parameter)) for parameter in parameters]
    if None not in order and len(order) == len(places):
        _orders[optimizer] = order


def model_order(optimizer: torch.optim.Optimizer) -> list[int] | None:
    """Places of the parameters in the order of the model; None for one that was made by hand."""
    return _orders.get(optimizer)
