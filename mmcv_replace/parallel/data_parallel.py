"""The model on the one device of this process."""
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from ..utils.errors import ConfigError
from .scatter import scatter
from .utils import MODULE_WRAPPERS


def device_of(module: nn.Module) -> torch.device:
    """Device of the parameters; the CPU for a module without any."""
    parameter = next(module.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


@MODULE_WRAPPERS.register_module()
class MMDataParallel(nn.Module):
    """Feeds a model batches made by `collate`: each is moved to the device of the parameters.

    `device_ids` is there for callers of the old interface and may name one device at most. Each
    pass runs inside `autocast()`, which mixed precision sets.
    """

    def __init__(self, module: nn.Module, device_ids: Sequence[int] | None = None,
                 autocast: Callable[[], AbstractContextManager] = nullcontext) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise ConfigError(
                f'one process drives one device, not {list(device_ids)}: start one process for '
                f'each, torchrun --nproc_per_node={len(device_ids)} tools/train.py CONFIG '
                '--launcher pytorch')
        self.module = module
        self.autocast = autocast

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            return self.module(*inputs, **kwargs)

    def train_step(self, data: Any,
                   optimizer: torch.optim.Optimizer | None = None) -> dict[str, Any]:
        """One training iteration: the losses and what to log."""
        data = scatter(data, device_of(self.module))
        with self.autocast():
            return self.module.train_step(data, optimizer)

    def val_step(self, data: Any,
                 optimizer: torch.optim.Optimizer | None = None) -> dict[str, Any]:
        """The losses of a validation batch."""
        data = scatter(data, device_of(self.module))
        with self.autocast():
            return self.module.val_step(data, optimizer)
