"""Wrapper of a model that runs on the one device of this process."""
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DataParallel

from ..utils.errors import ConfigError
from .registry import MODULE_WRAPPERS
from .scatter_gather import scatter, scatter_kwargs
from .targets import device_at


def device_of(module: nn.Module) -> torch.device:
    """Device of the parameters; the CPU for a module without any."""
    parameter = next(module.parameters(), None)
    return torch.device('cpu') if parameter is None else parameter.device


@MODULE_WRAPPERS.register_module()
class MMDataParallel(DataParallel):
    """Moves batches made by `collate` to the device of the model's parameters and runs the model.

    `args` and `kwargs`: the module, and optionally `device_ids`, a list of one number: the model
    then moves to that device (-1: the host). More than one is a ConfigError. Each pass runs in the
    context `autocast()`, by which mixed precision chooses number types.
    """

    def __init__(self, *args: Any, dim: int = 0,
                 autocast: Callable[[], AbstractContextManager] = nullcontext,
                 **kwargs: Any) -> None:
        # Not DataParallel's, which takes all devices, and copies the model to each for every batch.
        nn.Module.__init__(self)
        self.module, device = _place(*args, **kwargs)
        self.device_ids = [] if device.index is None else [device.index]
        self.dim = dim
        self.autocast = autocast

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self._run(self.module, *inputs, **kwargs)

    def scatter(self, inputs: Sequence[Any], kwargs: dict[str, Any],
                device_ids: Sequence[int]) -> tuple[tuple, tuple]:
        """Arguments of the call on each of the devices; see `scatter_kwargs`."""
        return scatter_kwargs(inputs, kwargs, device_ids, self.dim)

    def train_step(self, *inputs: Any, **kwargs: Any) -> dict[str, Any]:
        """The model's `train_step`, usually of (batch, optimizer): losses and values to log."""
        return self._run(self.module.train_step, *inputs, **kwargs)

    def val_step(self, *inputs: Any, **kwargs: Any) -> dict[str, Any]:
        """The model's `val_step`, as `train_step`."""
        return self._run(self.module.val_step, *inputs, **kwargs)

    def _run(self, function: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            return function(*inputs, **kwargs)


def _place(module: nn.Module, device_ids: Sequence[int] | None = None,
           output_device: object = None) -> tuple[nn.Module, torch.device]:
    """The module on the device that `device_ids` names, and that device.

    `output_device` is DataParallel's: with one device its results are there already.
    """
    if not device_ids:
        return module, device_of(module)
    if len(device_ids) > 1:
        raise ConfigError(
            f'one process drives one device, not {list(device_ids)}: start one process for '
            f'each, torchrun --nproc_per_node={len(device_ids)} tools/train.py CONFIG '
            '--launcher pytorch')
    device = device_at(device_ids[0])
    return module.to(device), device
