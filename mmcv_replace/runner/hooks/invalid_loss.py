"""Stop before a loss that is not a number spoils the weights."""
from typing import TYPE_CHECKING, Any

import torch

from ...device import is_asynchronous
from ...utils.errors import NonFiniteLossError
from .hook import HOOKS, Hook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


@HOOKS.register_module()
class CheckInvalidLossHook(Hook):
    """Raises NonFiniteLossError when the training loss is infinite or not a number.

    Looks at each iteration where that is free, every `interval` iterations on a device that would
    have to be waited for, and at the weights before a checkpoint is written. Where mixed precision
    scales the loss an overflow is part of the search for the scale: there only many in a row stop.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval

    def after_train_iter(self, runner: 'BaseRunner') -> None:
        loss = runner.outputs['loss']
        if runner.precision.scales_loss:
            if self.every_n_iters(runner, self.interval):
                runner.precision.check(runner.logger)
            return
        due = not is_asynchronous(loss.device) or self.every_n_iters(runner, self.interval)
        if due and not torch.isfinite(loss).all():
            raise NonFiniteLossError(_describe(runner, 'the loss is not finite'))

    def before_save_checkpoint(self, runner: 'BaseRunner', checkpoint: dict[str, Any]) -> None:
        names, parameters = zip(*runner.model.named_parameters(), strict=True)
        finite = torch.stack([torch.isfinite(parameter).all() for parameter in parameters])
        if not finite.all():
            name = names[finite.tolist().index(False)]
            raise NonFiniteLossError(_describe(
                runner, f'{name} is not finite, so no checkpoint is written'))


def _describe(runner: 'BaseRunner', problem: str) -> str:
    terms = ', '.join(f'{name}: {float(value):.6g}'
                      for name, value in runner.outputs.get('log_vars', {}).items())
    checkpoint = runner.hook_msgs.get('last_ckpt')
    rescue = (f'the last checkpoint is {checkpoint}' if checkpoint
              else 'no checkpoint has been written yet')
    return (f'iteration {runner.iter + 1}: {problem} ({terms}); {rescue}. Try a smaller learning '
            'rate, a warm-up or optimizer_config.grad_clip, and check the labels')
