"""Wrapper of a model that is trained in several processes, which average their gradients."""
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from .data_parallel import device_of
from .scatter import scatter
from .utils import MODULE_WRAPPERS

# DDP's argument that broadcasts buffers before every forward pass; torch 2.13 renamed it.
BUFFER_SWITCH = next(
    name for name in ('forward_sync_buffers', 'broadcast_buffers')
    if name in inspect.signature(DistributedDataParallel.__init__).parameters)


@MODULE_WRAPPERS.register_module()
class MMDistributedDataParallel(DistributedDataParallel):
    """torch's DDP for models with a `train_step`, fed batches made by `collate`.

    Further arguments are DDP's. `device_ids` is kept for mmcv's interface and ignored: a batch goes
    to the device of the parameters. Without gradients (validation, inference) the model is called
    directly, so that ranks may run different numbers of batches. Each pass runs in the context
    `autocast()`, by which mixed precision chooses number types.
    """

    def __init__(self, module: nn.Module, device_ids: Sequence[int] | None = None,
                 autocast: Callable[[], AbstractContextManager] = nullcontext,
                 **kwargs: Any) -> None:
        super().__init__(module, **kwargs)
        self.autocast = autocast
        self._method = 'forward'

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        with self.autocast():
            if not torch.is_grad_enabled():
                return self.module(*inputs, **kwargs)
            return super().forward(*inputs, **kwargs)

    def train_step(self, data: Any, optimizer: Optimizer | None = None) -> dict[str, Any]:
        """Losses and values to log of a training batch."""
        self._method = 'train_step'
        try:
            return self(data, optimizer)
        finally:
            self._method = 'forward'

    def val_step(self, data: Any, optimizer: Optimizer | None = None) -> dict[str, Any]:
        """Losses and values to log of a validation batch."""
        data = scatter(data, device_of(self.module))
        with self.autocast():
            return self.module.val_step(data, optimizer)

    def _run_ddp_forward(self, *inputs: Any, **kwargs: Any) -> Any:
        # DDP prepares the averaging of gradients around this call, which would run `forward`.
        if self._method == 'forward':
            return super()._run_ddp_forward(*inputs, **kwargs)
        with self._inside_ddp_forward():
            return getattr(self.module, self._method)(*inputs, **kwargs)
