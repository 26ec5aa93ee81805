"""One optimizer, several by name, or none: what a runner may have."""
from collections.abc import Callable
from typing import Any

import torch

from ...utils.errors import UsageError

Optimizers = torch.optim.Optimizer | dict[str, torch.optim.Optimizer] | None


def optimizers_of(optimizer: Optimizers) -> dict[str, torch.optim.Optimizer]:
    """The optimizers by name; the name of a single one is ''."""
    if isinstance(optimizer, dict):
        return optimizer
    return {} if optimizer is None else {'': optimizer}


def by_optimizer(optimizer: Optimizers, quantity: str,
                 read: Callable[[dict[str, Any]], float]) -> list[float] | dict[str, list[float]]:
    """`read(group)` of each group; a dict of lists for a dict of optimizers.

    UsageError, which names the `quantity`, if there is no optimizer.
    """
    if optimizer is None:
        raise UsageError(f'the runner has no optimizer, hence no {quantity}')
    found = {name: [read(group) for group in each.param_groups]
             for name, each in optimizers_of(optimizer).items()}
    return found if isinstance(optimizer, dict) else found['']
