"""Backward pass and step of the optimizer."""
import inspect
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_

from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean
from ...utils.type_check import misfits
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module(name=['OptimizerHook', 'GradientCumulativeOptimizerHook'])
class OptimizerHook(Hook):
    """Backward pass, gradient clipping and step, in the runner's precision.

    `grad_clip`: arguments of `torch.nn.utils.clip_grad_norm_`, such as dict(max_norm=35); the norm
    before clipping is logged as `grad_norm`. `cumulative_iters`: number of iterations per step,
    which uses the mean of their gradients; processes exchange gradients once per step.
    """

    def __init__(self, grad_clip: dict[str, Any] | None = None, cumulative_iters: int = 1) -> None:
        if grad_clip is not None:
            _check_grad_clip(grad_clip)
        if cumulative_iters < 1:
            raise ConfigError(f'optimizer_config.cumulative_iters={cumulative_iters}: it must be '
                              'at least 1')
        self.grad_clip = grad_clip
        self.cumulative_iters = cumulative_iters

    def before_train_iter(self, runner: BaseRunner) -> None:
        # Before the forward pass, so that old gradients do not add to the peak of memory.
        if not runner.accumulating:
            runner.optimizer.zero_grad()
            if runner.precision.masters is not None:
                runner.precision.masters.zero_grad()
        if self.cumulative_iters > 1 and hasattr(runner.model, 'require_backward_grad_sync'):
            runner.model.require_backward_grad_sync = self._steps(runner)

    def after_train_iter(self, runner: BaseRunner) -> None:
        precision, optimizer = runner.precision, runner.optimizer
        loss, share = runner.outputs['loss'], self._share(runner)
        precision.backward(loss if share == 1 else loss / share)
        runner.accumulating = not self._steps(runner)
        if runner.accumulating:
            return
        norm = None
        if self.grad_clip is not None:
            precision.unscale(optimizer)
            norm = self.clip_grads(p for group in optimizer.param_groups for p in group['params'])
            if norm is not None:
                runner.log_buffer.update({'grad_norm': norm}, runner.outputs['num_samples'])
        precision.step(optimizer, unscaled=self.grad_clip is not None, norm=norm)

    def clip_grads(self, params: Iterable[torch.nn.Parameter]) -> torch.Tensor | None:
        """Clip the gradients and return their norm before that; None if there are none."""
        with_grad = [p for p in params if p.grad is not None]
        return clip_grad_norm_(with_grad, **self.grad_clip) if with_grad else None

    def before_save_checkpoint(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        if runner.precision.scales_loss:
            checkpoint['scaler'] = runner.precision.state_dict()
        if runner.precision.masters is not None:
            runner.precision.masters.write_to(checkpoint['state_dict'])

    def after_resume(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        runner.precision.load_state_dict(checkpoint.get('scaler', {}))
        if runner.precision.masters is not None:
            runner.precision.masters.read_from(checkpoint['state_dict'])

    def _steps(self, runner: BaseRunner) -> bool:
        """Whether this iteration ends with a step; the last group of a run may be shorter."""
        return self.every_n_iters(runner, self.cumulative_iters) or self.is_last_iter(runner)

    def _share(self, runner: BaseRunner) -> int:
        """Number of iterations that share the step of this one."""
        begin = runner.iter - runner.iter % self.cumulative_iters
        # A resumed run that counts epochs may exceed its number of iterations.
        if runner.max_iters is None or begin >= runner.max_iters:
            return self.cumulative_iters
        return min(self.cumulative_iters, runner.max_iters - begin)


GradientCumulativeOptimizerHook = OptimizerHook  # mmcv's name of it with cumulative_iters


def _check_grad_clip(grad_clip: dict[str, Any]) -> None:
    accepted = list(inspect.signature(clip_grad_norm_).parameters)[1:]
    for key in grad_clip:
        if key not in accepted:
            raise ConfigError(f'optimizer_config.grad_clip does not take {key!r}'
                              f'{did_you_mean(key, accepted)}; it takes {", ".join(accepted)}')
    if 'max_norm' not in grad_clip:
        raise ConfigError(f'optimizer_config.grad_clip={grad_clip!r} lacks max_norm')
    numbers = {key: value for key, value in grad_clip.items() if value != 'inf'}  # a norm_type
    for key, wanted in misfits(clip_grad_norm_, numbers):
        raise ConfigError(f'optimizer_config.grad_clip.{key}={grad_clip[key]!r} does not fit, it '
                          f'takes {wanted}')
    if not float(grad_clip['max_norm']) > 0:
        raise ConfigError(f'optimizer_config.grad_clip.max_norm={grad_clip["max_norm"]!r} must be '
                          'above 0')
