"""Hooks that step the optimizer and turn on mixed precision, as in mmcv."""
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ...utils.section import read_section
from ..base_runner import BaseRunner
from ..fp16_utils import wrap_fp16_model
from ..hook import HOOKS
from ..precision import Precision, PrecisionSettings
from .step import GradientCumulativeOptimizerHook, OptimizerHook


@HOOKS.register_module()
class Fp16OptimizerHook(OptimizerHook):
    """An OptimizerHook for a run in mixed precision, which it turns on if the runner has none.

    `loss_scale`: a number that stays, 'dynamic', or arguments of torch.amp.GradScaler; it has no
    effect where the device computes in bfloat16. `coalesce`, `bucket_size_mb` and `distributed` are
    mmcv's: DistributedDataParallel averages the gradients. Micikevicius et al., Mixed Precision
    Training, ICLR 2018, arXiv:1710.03740.
    """

    def __init__(self, grad_clip: dict[str, Any] | None = None, coalesce: bool = True,
                 bucket_size_mb: int = -1, loss_scale: float | str | Mapping[str, Any] = 512.,
                 distributed: bool = True, *, detect_anomalous_params: bool = False,
                 cumulative_iters: int = 1) -> None:
        OptimizerHook.__init__(self, grad_clip, detect_anomalous_params,
                               cumulative_iters=cumulative_iters)
        read_section(PrecisionSettings, {'loss_scale': loss_scale}, 'optimizer_config')
        self.coalesce = coalesce
        self.bucket_size_mb = bucket_size_mb
        self.distributed = distributed
        self.loss_scale = loss_scale
        self.loss_scaler: torch.amp.GradScaler | None = None  # once the run begins

    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self._turn_on(runner)

    def after_resume(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        self._turn_on(runner)  # before the run, so that the loss scale has where to go
        super().after_resume(runner, checkpoint)

    def _turn_on(self, runner: BaseRunner) -> None:
        if not runner.precision.enabled:
            runner.precision = Precision(runner.device, 'O1', loss_scale=self.loss_scale)
            if hasattr(runner.model, 'autocast'):  # one of our wrappers
                runner.model.autocast = runner.precision.autocast
            else:
                wrap_fp16_model(runner.unwrapped_model)
        self.loss_scaler = runner.precision.scaler

    def copy_grads_to_fp32(self, fp16_net: nn.Module, fp32_weights: Iterable[nn.Parameter]) -> None:
        """Copy the gradients of a model in low precision to float32 copies of its parameters."""
        for copied, parameter in zip(fp32_weights, fp16_net.parameters(), strict=True):
            if parameter.grad is not None:
                copied.grad = parameter.grad.to(copied.dtype)

    @torch.no_grad()
    def copy_params_to_fp16(self, fp16_net: nn.Module,
                            fp32_weights: Iterable[nn.Parameter]) -> None:
        """Round float32 copies of the parameters into a model in low precision."""
        for parameter, copied in zip(fp16_net.parameters(), fp32_weights, strict=True):
            parameter.copy_(copied)


@HOOKS.register_module()
class GradientCumulativeFp16OptimizerHook(GradientCumulativeOptimizerHook, Fp16OptimizerHook):
    """A Fp16OptimizerHook with a step every `cumulative_iters` iterations."""

    def __init__(self, cumulative_iters: int = 1, grad_clip: dict[str, Any] | None = None,
                 coalesce: bool = True, bucket_size_mb: int = -1,
                 loss_scale: float | str | Mapping[str, Any] = 512., distributed: bool = True,
                 *, detect_anomalous_params: bool = False) -> None:
        Fp16OptimizerHook.__init__(
            self, grad_clip, coalesce, bucket_size_mb, loss_scale, distributed,
            detect_anomalous_params=detect_anomalous_params, cumulative_iters=cumulative_iters)
