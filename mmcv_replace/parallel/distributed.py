"""Wrapper of a model that is trained in several processes, which average their gradients."""
import functools
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from .data_parallel import device_of
from .registry import MODULE_WRAPPERS
from .scatter_gather import scatter, scatter_kwargs

# DDP's argument that broadcasts buffers before every forward pass; torch 2.13 renamed it.
BUFFER_SWITCH = next(
    name for name in ('forward_sync_buffers', 'broadcast_buffers')
    if name in inspect.signature(DistributedDataParallel.__init__).parameters)


@MODULE_WRAPPERS.register_module()
class MMDistributedDataParallel(DistributedDataParallel):
    """torch's DDP for models with a `train_step`, fed batches made by `collate`.

    The arguments are DDP's. `device_ids` and `output_device` are ignored: a batch goes to the
    device of the parameters. Without gradients (validation, inference) the model is called
    directly, so that ranks may run different numbers of batches. Each pass runs in the context
    `autocast()`, by which mixed precision chooses number types.
    """

    # The parameters shown are those of the installed torch.
    @functools.wraps(DistributedDataParallel.__init__)
    def __init__(self, module: nn.Module, device_ids: Sequence[int] | None = None,
                 output_device: object = None, *args: Any,
                 autocast: Callable[[], AbstractContextManager] = nullcontext,
                 **kwargs: Any) -> None:
        super().__init__(module, None, None, *args, **kwargs)
        self.autocast = autocast
        self._method = 'forward'

    def to_kwargs(self, inputs: Sequence[Any], kwargs: dict[str, Any],
                  device_id: int) -> tuple[tuple, tuple]:
        """Arguments of the call on one device; see `scatter_kwargs`."""
        return scatter_kwargs(inputs, kwargs, [device_id], self.dim)

    def scatter(self, inputs: Sequence[Any], kwargs: dict[str, Any],
                device_ids: Sequence[int]) -> tuple[tuple, tuple]:
        """Arguments of the call on each of the devices; see `scatter_kwargs`."""
        return scatter_kwargs(inputs, kwargs, device_ids, self.dim)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            if not torch.is_grad_enabled():
                return getattr(self.module, self._method)(*inputs, **kwargs)
            return super().forward(*inputs, **kwargs)

    def train_step(self, *inputs: Any, **kwargs: Any) -> dict[str, Any]:
        """The model's `train_step`, usually of (batch, optimizer): losses and values to log."""
        self._method = 'train_step'
        try:
            return self(*inputs, **kwargs)
        finally:
            self._method = 'forward'

    def val_step(self, *inputs: Any, **kwargs: Any) -> dict[str, Any]:
        """The model's `val_step`, as `train_step`, but gradients are not averaged."""
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            return self.module.val_step(*inputs, **kwargs)

    def _run_ddp_forward(self, *inputs: Any, **kwargs: Any) -> Any:
        # DDP prepares the averaging of gradients around this call, which would run `forward`.
        if self._method == 'forward':
            return super()._run_ddp_forward(*inputs, **kwargs)
        with self._inside_ddp_forward():
            return getattr(self.module, self._method)(*inputs, **kwargs)
