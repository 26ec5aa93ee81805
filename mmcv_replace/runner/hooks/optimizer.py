"""The step of the optimizer."""
import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils import clip_grad_norm_

from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean
from .hook import HOOKS, Hook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


@HOOKS.register_module()
class OptimizerHook(Hook):
    """Backward, clip, step.

    `grad_clip`: arguments of `torch.nn.utils.clip_grad_norm_`, such as dict(max_norm=35); the norm
    before clipping is logged as `grad_norm`.
    """

    def __init__(self, grad_clip: dict[str, Any] | None = None) -> None:
        if grad_clip is not None:
            _check_grad_clip(grad_clip)
        self.grad_clip = grad_clip

    def before_train_iter(self, runner: 'BaseRunner') -> None:
        # Before the forward pass: old gradients and new activations never share the memory.
        runner.optimizer.zero_grad()

    def after_train_iter(self, runner: 'BaseRunner') -> None:
        runner.outputs['loss'].backward()
        if self.grad_clip is not None:
            norm = self.clip_grads(runner.model.parameters())
            if norm is not None:
                runner.log_buffer.update({'grad_norm': norm}, runner.outputs['num_samples'])
        runner.optimizer.step()

    def clip_grads(self, params: Iterable[torch.nn.Parameter]) -> torch.Tensor | None:
        """Clip the gradients; returns their norm, or None when there is no gradient."""
        with_grad = [p for p in params if p.requires_grad and p.grad is not None]
        return clip_grad_norm_(with_grad, **self.grad_clip) if with_grad else None


def _check_grad_clip(grad_clip: dict[str, Any]) -> None:
    accepted = list(inspect.signature(clip_grad_norm_).parameters)[1:]
    for key in grad_clip:
        if key not in accepted:
            raise ConfigError(f'optimizer_config.grad_clip does not take {key!r}'
                              f'{did_you_mean(key, accepted)}; it takes {", ".join(accepted)}')
    if 'max_norm' not in grad_clip:
        raise ConfigError(f'optimizer_config.grad_clip={grad_clip!r} lacks max_norm')
