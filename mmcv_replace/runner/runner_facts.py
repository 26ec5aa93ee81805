"""What a runner tells about itself."""
from typing import Any

import torch
from torch import nn

from ..parallel import is_module_wrapper
from ..parallel.data_parallel import device_of
from .optimizer.momentum import momentum_or_zero
from .optimizer.optimizers_of_run import Optimizers, by_optimizer


class RunnerFacts:
    """The part of a runner that tells its place in the job and in the run, and its rates."""

    model: nn.Module
    optimizer: Optimizers
    meta: dict[str, Any]

    @property
    def rank(self) -> int:
        """Index of this process in the job."""
        return self._rank

    @property
    def world_size(self) -> int:
        """Number of processes of the job."""
        return self._world_size

    @property
    def epoch(self) -> int:
        """Index of the current epoch."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Index of the current iteration."""
        return self._iter

    @property
    def inner_iter(self) -> int:
        """Index of the current iteration within its epoch or workflow entry."""
        return self._inner_iter

    @property
    def max_epochs(self) -> int | None:
        return self._max_epochs

    @property
    def max_iters(self) -> int | None:
        return self._max_iters

    @property
    def hook_msgs(self) -> dict[str, Any]:
        """State of hooks that a resume restores; part of `meta`."""
        return self.meta.setdefault('hook_msgs', {})

    @property
    def device(self) -> torch.device:
        """Device of the model's parameters."""
        return device_of(self.model)

    @property
    def unwrapped_model(self) -> nn.Module:
        """The model without the wrapper that distributes it over processes or devices."""
        return self.model.module if is_module_wrapper(self.model) else self.model

    @property
    def model_name(self) -> str:
        """Class name of the model."""
        return type(self.unwrapped_model).__name__

    def current_lr(self) -> list[float] | dict[str, list[float]]:
        """Learning rate of each optimizer group; by optimizer if the runner has several."""
        return by_optimizer(self.optimizer, 'learning rate', lambda group: group['lr'])

    def current_momentum(self) -> list[float] | dict[str, list[float]]:
        """Momentum (first beta) of each optimizer group; by optimizer if there are several."""
        return by_optimizer(self.optimizer, 'momentum', momentum_or_zero)
