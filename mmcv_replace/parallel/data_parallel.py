"""Wrapper of a model that runs on the one device of this process."""
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..utils.errors import ConfigError
from .scatter import scatter
from .utils import MODULE_WRAPPERS


def device_of(module: nn.Module) -> torch.device:
    """Device of the parameters; the CPU for a module without any."""
    parameter = next(module.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


@MODULE_WRAPPERS.register_module()
class MMDataParallel(nn.Module):
    """Moves batches made by `collate` to the device of the model's parameters and runs the model.

    `device_ids` is kept for mmcv's interface; more than one is a ConfigError. Each pass runs in the
    context `autocast()`, by which mixed precision chooses number types.
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
        return self._run(self.module, *inputs, **kwargs)

    def train_step(self, data: Any, optimizer: Optimizer | None = None) -> dict[str, Any]:
        """Losses and values to log of a training batch."""
        return self._run(self.module.train_step, data, optimizer)

    def val_step(self, data: Any, optimizer: Optimizer | None = None) -> dict[str, Any]:
        """Losses and values to log of a validation batch."""
        return self._run(self.module.val_step, data, optimizer)

    def _run(self, function: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            return function(*inputs, **kwargs)
