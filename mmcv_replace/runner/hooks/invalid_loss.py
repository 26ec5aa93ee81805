"""Detects losses and gradients that are not finite, and stops the run or skips the step."""
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ...device import is_asynchronous
from ...parallel import scatter
from ...utils.checks.type_check import Range
from ...utils.errors import NonFiniteLossError, UserError
from ..base_runner import BaseRunner
from ..checkpoints.replay_file import DataPosition, load_again, position_of_batch, write_replay
from ..hook import HOOKS, Hook
from ..precision.nonfinite_step import BufferBackup


@dataclass
class Iteration:
    """What is kept about an iteration until the host checks it; tensors are on the device."""

    number: int  # counted from 1
    files: list[str]
    position: DataPosition | None  # of its batch
    losses: dict[str, Any]
    loss_bad: torch.Tensor
    step_bad: torch.Tensor | None = None  # None without a step, while gradients accumulate


@HOOKS.register_module()
class CheckInvalidLossHook(Hook):
    """Stops the run or skips the step if the loss or a gradient is not finite.

    `action='stop'`: end the run with NonFiniteLossError. 'skip': skip the step in all processes, so
    that weights, optimizer and running statistics stay as they were; the iteration counts, also for
    the learning rate. `max_skipped` skipped steps in a row end the run too. If mixed precision
    scales the loss, overflows are part of the search for the scale: such steps are always skipped,
    and only a loss that is not finite is reported.

    `check='log'`: on an accelerator check every `interval` iterations only, so that the host does
    not wait; with 'stop' the weights have changed by then. 'step': check each iteration, as always
    on the CPU, and prevent the step. 'skip' prevents it too; the host then waits each time, unless
    the optimizer decides on the device, as torch's fused ones do.

    `save`: the first batches of each process that fail are written, with the model, to
    WORK_DIR/nonfinite_iter_N_rank_R.pth for tools/replay_batch.py. A bad loss in another process
    appears here as gradients that are not finite. No checkpoint of such weights is ever written.
    """

    default_priority = 'ABOVE_NORMAL'  # after the optimizer's step

    def __init__(self, interval: int = 50, action: Literal['stop', 'skip'] = 'stop',
                 check: Literal['log', 'step'] = 'log',
                 max_skipped: Annotated[int, Range(1)] = 100, save: int = 1) -> None:
        self.interval = interval
        self.action = action
        self.check = check
        self.max_skipped = max_skipped
        self.save = save
        self._left = save  # number of files that may still be written
        self._recent: deque[Iteration] = deque(maxlen=max(interval, 1))
        self._backup: BufferBackup | None = None
        self._random: torch.Tensor | None = None

    def before_run(self, runner: BaseRunner) -> None:
        precision = runner.precision
        self._each_step = not is_asynchronous(runner.device) or self.check == 'step'
        self._skips = self.action == 'skip' or precision.scales_loss
        if self._each_step or self.action == 'skip':
            precision.skip_nonfinite = True
        if self._each_step or self._skips:
            self._backup = BufferBackup(runner.model)
        if self.action == 'skip' and not precision.scales_loss:
            precision.max_skipped = self.max_skipped

    def before_train_iter(self, runner: BaseRunner) -> None:
        if self._backup is not None and not runner.accumulating:
            self._backup.keep()
        if self._each_step and self.save:
            self._random = torch.get_rng_state()

    def after_train_iter(self, runner: BaseRunner) -> None:
        outputs, step_bad = runner.outputs, runner.precision.overflow
        if 'loss' not in outputs:  # nothing that a step could use
            return
        self._recent.append(Iteration(
            runner.iter + 1, files_of(runner.data_batch), position_of_batch(runner),
            # Without their graphs, which would stay in memory.
            {name: value.detach() if isinstance(value, torch.Tensor) else value
             for name, value in outputs.get('log_vars', {}).items()},
            ~torch.isfinite(outputs['loss'].detach()).all(), step_bad))
        if self._backup is not None and step_bad is not None:
            self._backup.restore_if(step_bad)
        logs = self.every_n_iters(runner, self.interval) or self.is_last_iter(runner)
        if (self._each_step and not runner.accumulating) or logs:
            self._check_recent(runner)
        if logs and self._skips:
            runner.precision.check(runner.logger)

    def _check_recent(self, runner: BaseRunner) -> None:
        """Report the iterations since the last check that were not finite."""
        for iteration, loss_bad in self._troubled(runner.precision.scales_loss):
            message = self._describe(runner, iteration, loss_bad)
            if not self._skips:
                raise NonFiniteLossError(
                    f'{message}. {_rescue(runner)}. Try a smaller learning rate, a warm-up or '
                    "optimizer_config.grad_clip, check the labels, or set nonfinite.action='skip'")
            # At level ERROR, since other processes than the first log nothing below it.
            runner.logger.error('%s; the step is left out', message)

    def _troubled(self, scaled: bool) -> Iterator[tuple[Iteration, bool]]:
        """Iterations that were not finite, and whether the loss was; makes the host wait once."""
        recent, self._recent = self._recent, deque(maxlen=self._recent.maxlen)
        if not recent:
            return
        flags = torch.stack([flag for item in recent for flag in (
            item.loss_bad, item.loss_bad if item.step_bad is None else item.step_bad)]).tolist()
        explained = scaled  # whether the cause of bad gradients is known already
        for item, loss_bad, step_bad in zip(recent, flags[::2], flags[1::2], strict=True):
            if loss_bad or (step_bad and not explained):
                yield item, loss_bad
            explained = scaled or (item.step_bad is None and (explained or loss_bad))

    def _describe(self, runner: BaseRunner, iteration: Iteration, loss_bad: bool) -> str:
        rank = f'rank {runner.rank}, ' if runner.world_size > 1 else ''
        problem = 'the loss is not finite' if loss_bad else (
            'the gradients are not finite, the loss of this process is' if rank else
            'the gradients are not finite, the loss is')
        losses = {name: float(value) for name, value in iteration.losses.items()}
        terms = ', '.join(f'{name}: {value:.6g}' for name, value in losses.items())
        message = f'{rank}iteration {iteration.number}: {problem} ({terms})'
        if iteration.files:
            message += f'; its files: {", ".join(iteration.files)}'
        if self._left < 1 or runner.work_dir is None:
            return message
        self._left -= 1
        return message + self._keep(runner, iteration, dict(
            iteration=iteration.number, rank=runner.rank, problem=problem, losses=losses,
            files=iteration.files, exact=self._each_step))

    def _keep(self, runner: BaseRunner, iteration: Iteration, facts: dict[str, Any]) -> str:
        """Save the batch, and say where, or why not: a failure must not hide the report."""
        name = f'nonfinite_iter_{iteration.number}_rank_{runner.rank}.pth'
        path = Path(runner.work_dir, name)
        present = iteration.number == runner.iter + 1
        if not present and iteration.position is None:
            return '; its batch is gone'
        try:
            batch = runner.data_batch if present else load_again(runner, iteration.position)
            write_replay(runner, path, batch, facts, self._random if present else None)
        except (UserError, OSError) as error:
            return f'; its batch could not be saved: {error}'
        return f'; replay it: python tools/replay_batch.py {path}'

    def before_save_checkpoint(self, runner: BaseRunner, checkpoint: dict[str, Any]) -> None:
        named = [*runner.model.named_parameters(), *_running_statistics(runner.model)]
        names, values = zip(*named, strict=True)
        finite = torch.stack([torch.isfinite(value).all() for value in values])
        if not finite.all():
            name = names[finite.tolist().index(False)]
            raise NonFiniteLossError(f'iteration {runner.finished_iters}: {name} is not finite, so '
                                     f'no checkpoint is written. {_rescue(runner)}')


def files_of(batch: Any) -> list[str]:
    """Names of a batch's image files, if its meta data contain them."""
    metas = scatter(batch.get('img_metas'), 'cpu') if isinstance(batch, dict) else None
    names = [meta.get('filename') or meta.get('ori_filename') for meta in metas or []]
    return [str(name) for name in names if name]


def _running_statistics(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Buffers of the norms; those of other layers, such as masks, may be infinite."""
    for name, module in model.named_modules():
        if isinstance(module, _NormBase):
            yield from module.named_buffers(name, recurse=False)


def _rescue(runner: BaseRunner) -> str:
    checkpoint = runner.hook_msgs.get('last_ckpt')
    return (f'The last checkpoint is {checkpoint}' if checkpoint
            else 'No checkpoint has been written yet')
