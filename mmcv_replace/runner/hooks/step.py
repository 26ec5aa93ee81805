"""Backward pass and step of the optimizer."""
import logging
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import clip_grad_norm_

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook
from ..optimizer.grad_clip import check_grad_clip
from ..optimizer.graph import reached_leaves


@HOOKS.register_module()
class OptimizerHook(Hook):
    """Backward pass, gradient clipping and step, in the runner's precision.

    `grad_clip`: arguments of `torch.nn.utils.clip_grad_norm_`, such as dict(max_norm=35); the norm
    before clipping is logged as `grad_norm`. `detect_anomalous_params`: log which parameters the
    loss does not depend on, for debugging, since it is slow. `cumulative_iters`: number of
    iterations per step, which uses the mean of their gradients; processes exchange gradients once
    per step.
    """

    # For subclasses with a constructor of their own that does not call this one.
    grad_clip: dict[str, Any] | None = None
    detect_anomalous_params = False
    cumulative_iters = 1
    # Whether the gradients have had their step, so that they are cleared before the next iteration.
    # Not if a subclass has an `after_train_iter` of its own: it may accumulate them.
    _used = True

    def __init__(self, grad_clip: dict[str, Any] | None = None,
                 detect_anomalous_params: bool = False, *, cumulative_iters: int = 1) -> None:
        if grad_clip is not None:
            check_grad_clip(grad_clip)
        if not isinstance(cumulative_iters, int) or cumulative_iters < 1:
            raise ConfigError(f'optimizer_config.cumulative_iters={cumulative_iters}: it must be '
                              'at least 1')
        self.grad_clip = grad_clip
        self.detect_anomalous_params = detect_anomalous_params
        self.cumulative_iters = cumulative_iters

    def before_train_iter(self, runner: BaseRunner) -> None:
        # Before the forward pass, so that old gradients do not add to the peak of memory.
        if self._used and not runner.accumulating:
            self._used = False
            runner.optimizer.zero_grad()
            if runner.precision.masters is not None:
                runner.precision.masters.zero_grad()
        if self.cumulative_iters > 1 and hasattr(runner.model, 'require_backward_grad_sync'):
            runner.model.require_backward_grad_sync = self._steps(runner)

    def after_train_iter(self, runner: BaseRunner) -> None:
        precision, optimizer = runner.precision, runner.optimizer
        loss, share = runner.outputs['loss'], self._share(runner)
        if self.detect_anomalous_params:
            self.detect_anomalous_parameters(loss, runner)
        precision.backward(loss if share == 1 else loss / share)
        runner.accumulating = not self._steps(runner)
        if runner.accumulating:
            return
        self._used = True
        norm = None
        if self.grad_clip is not None:
            precision.unscale(optimizer)
            norm = self.clip_grads(p for group in optimizer.param_groups for p in group['params'])
            if norm is not None:
                runner.log_buffer.update({'grad_norm': norm}, runner.outputs.get('num_samples', 1))
        precision.step(optimizer, unscaled=self.grad_clip is not None, norm=norm)

    def clip_grads(self, params: Iterable[torch.nn.Parameter]) -> torch.Tensor | None:
        """Clip the gradients and return their norm before that; None if there are none."""
        with_grad = [p for p in params if p.grad is not None]
        return clip_grad_norm_(with_grad, **self.grad_clip) if with_grad else None

    def detect_anomalous_parameters(self, loss: torch.Tensor, runner: BaseRunner) -> None:
        """Log the parameters that the loss does not depend on, which get no gradients."""
        reached = reached_leaves(loss)
        for name, parameter in runner.model.named_parameters():
            if parameter.requires_grad and id(parameter) not in reached:
                runner.logger.log(level=logging.ERROR, msg=f'the loss does not depend on {name}, '
                                  f'of shape {list(parameter.shape)}')

    def before_save_checkpoint(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        if runner.precision.scales_loss:
            checkpoint['scaler'] = runner.precision.state_dict()
            # Where mmcv looks for it.
            checkpoint['meta']['fp16'] = {'loss_scaler': checkpoint['scaler']}
        if runner.precision.masters is not None:
            runner.precision.masters.write_to(checkpoint['state_dict'])

    def after_resume(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        of_mmcv = (checkpoint.get('meta') or {}).get('fp16') or {}
        runner.precision.load_state_dict(
            checkpoint.get('scaler') or of_mmcv.get('loss_scaler') or {})
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


@HOOKS.register_module()
class GradientCumulativeOptimizerHook(OptimizerHook):
    """An OptimizerHook with a step every `cumulative_iters` iterations, as mmcv names it."""

    def __init__(self, cumulative_iters: int = 1, grad_clip: dict[str, Any] | None = None,
                 detect_anomalous_params: bool = False) -> None:
        super().__init__(grad_clip, detect_anomalous_params, cumulative_iters=cumulative_iters)

    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        if self.cumulative_iters > 1 and self.has_batch_norm(runner.model):
            runner.logger.warning('cumulative_iters=%d: the statistics of batch norm are those of '
                                  'single batches, not of all that share a step',
                                  self.cumulative_iters)

    def has_batch_norm(self, module: nn.Module) -> bool:
        """Whether a layer in the module normalises by statistics of the batch."""
        return any(isinstance(part, _BatchNorm) for part in module.modules())
