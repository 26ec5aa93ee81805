"""The wrapper of mmcv's first years, for optimizer steps that average the gradients themselves."""
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from ..utils.rank import get_dist_info
from .buckets import exchange_joined
from .data_parallel import device_of
from .registry import MODULE_WRAPPERS
from .scatter_gather import scatter, scatter_kwargs


@MODULE_WRAPPERS.register_module(name='DeprecatedMMDistributedDataParallel')
class MMDistributedDataParallel(nn.Module):
    """Starts all processes from the weights of the first one and runs the model.

    Gradients stay those of each process: whoever steps the optimizer averages them, as
    `allreduce_grads` does. `broadcast_buffers`: buffers start as those of the first process too.
    Tensors travel together, `bucket_cap_mb` MiB at a time.
    """

    def __init__(self, module: nn.Module, dim: int = 0, broadcast_buffers: bool = True,
                 bucket_cap_mb: float = 25) -> None:
        super().__init__()
        self.module = module
        self.dim = dim
        self.broadcast_buffers = broadcast_buffers
        self.broadcast_bucket_size = int(bucket_cap_mb * 2**20)
        self._sync_params()

    def scatter(self, inputs: Sequence[Any], kwargs: dict[str, Any],
                device_ids: Sequence[int]) -> tuple[tuple, tuple]:
        """Arguments of the call on each of the devices; see `scatter_kwargs`."""
        return scatter_kwargs(inputs, kwargs, device_ids, self.dim)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self._run(self.module, *inputs, **kwargs)

    def train_step(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's `train_step`."""
        return self._run(self.module.train_step, *inputs, **kwargs)

    def val_step(self, *inputs: Any, **kwargs: Any) -> Any:
        """The model's `val_step`."""
        return self._run(self.module.val_step, *inputs, **kwargs)

    def _run(self, function: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
        inputs, kwargs = scatter((inputs, kwargs), device_of(self.module))
        return function(*inputs, **kwargs)

    def _sync_params(self) -> None:
        if get_dist_info()[1] == 1:
            return
        tensors = [parameter.data for parameter in self.module.parameters()]
        if self.broadcast_buffers:
            tensors += [buffer.data for buffer in self.module.buffers()]

        def broadcast(values: torch.Tensor) -> torch.Tensor:
            dist.broadcast(values, 0)
            return values

        exchange_joined(tensors, broadcast, self.broadcast_bucket_size)
