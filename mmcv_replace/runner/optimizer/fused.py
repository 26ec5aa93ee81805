"""Checks the results of fused optimizer kernels by a trial, and turns wrong ones off.

A kernel may be missing for a data type and leave the weights unchanged without an error, as in
torch 2.11 to 2.13 for SGD on the CPU with bfloat16 and float16.
"""
import inspect
import logging
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import torch

from ...utils.errors import ConfigError

# Options that do not affect the arithmetic, or that the trial chooses itself (lr).
_LEFT_OUT = ('self', 'params', 'lr', 'foreach', 'fused', 'differentiable', 'capturable')
Kind = tuple[torch.dtype, torch.device]

_settled: WeakKeyDictionary[torch.optim.Optimizer, frozenset[Kind]] = WeakKeyDictionary()


def settle_kernels(optimizer: torch.optim.Optimizer, master_dtype: torch.dtype | None = None,
                   quiet: bool = False) -> None:
    """Turn off fused kernels that step these weights wrongly; warns unless `quiet`.

    `master_dtype`: data type of the copies that the optimizer will step for weights in low
    precision. Weights that are added or converted later are checked before their first step.
    """
    watch_kernels(optimizer)
    low = (torch.float16, torch.bfloat16) if master_dtype is not None else ()
    stepped = {(master_dtype if dtype in low else dtype, device)
               for dtype, device in _kinds(optimizer)}
    wrong = [kind for kind in sorted(stepped, key=str) if not _is_right(optimizer, kind)]
    if wrong:
        _turn_off(optimizer, wrong, quiet)
    _settled[optimizer] = frozenset() if wrong else frozenset(stepped)


def watch_kernels(optimizer: torch.optim.Optimizer) -> None:
    """Let `settle_kernels` be called before a step of weights that it has not checked."""
    if optimizer not in _settled:
        optimizer.register_step_pre_hook(_settle_again)
        _settled[optimizer] = frozenset()


def _settle_again(optimizer: torch.optim.Optimizer, *_: object) -> None:
    if _kinds(optimizer) != _settled[optimizer]:
        settle_kernels(optimizer)


def _kinds(optimizer: torch.optim.Optimizer) -> frozenset[Kind]:
    """Data types and devices of the weights that fused kernels step."""
    return frozenset((p.dtype, p.device) for group in optimizer.param_groups if group.get('fused')
                     for p in group['params'])


def _turn_off(optimizer: torch.optim.Optimizer, wrong: list[Kind], quiet: bool) -> None:
    name = type(optimizer).__name__
    what = ', '.join(f'{str(dtype).removeprefix("torch.")} on {device}' for dtype, device in wrong)
    message = (f'optimizer {name}: fused=True is left out, since its fused kernel does not step '
               f'weights of {what} as {name} does without it. To keep it use float32 weights')
    if getattr(optimizer, 'found_inf', None) is not None:
        # A loss scaler that has begun this step relies on the fused kernel.
        raise ConfigError(f'{message}, or set optimizer.fused=False')
    for settings in (optimizer.defaults, *optimizer.param_groups):
        if settings.get('fused'):
            settings['fused'] = None
    optimizer._step_supports_amp_scaling = False
    if not quiet:
        logging.getLogger('mmseg').warning('%s', message)


def _is_right(optimizer: torch.optim.Optimizer, kind: Kind) -> bool:
    base = next(cls for cls in type(optimizer).__mro__ if cls.__module__.startswith('torch.optim'))
    if inspect.unwrap(type(optimizer).step) is not inspect.unwrap(base.step):
        return True  # a user's own arithmetic
    accepted = set(inspect.signature(base.__init__).parameters) - {*_LEFT_OUT}
    return all(fused_works(base, _trial_options(group, accepted), *kind)
               for group in optimizer.param_groups if group.get('fused'))


def _trial_options(group: dict[str, Any], accepted: set[str]) -> tuple[tuple[str, Any], ...]:
    """Settings of a group as numbers, with a weight decay that shows in bfloat16."""
    options = {}
    for key in sorted(accepted & group.keys()):
        value = group[key]
        options[key] = tuple(map(float, value)) if isinstance(value, list | tuple) else value
    if options.get('weight_decay'):
        options['weight_decay'] = 0.5
    return tuple((key, value.item() if isinstance(value, torch.Tensor) else value)
                 for key, value in options.items())


@cache
def fused_works(cls: type[torch.optim.Optimizer], options: tuple[tuple[str, Any], ...],
                dtype: torch.dtype, device: torch.device) -> bool:
    """Whether the fused optimizer changes a weight in two steps as the plain one does."""
    try:
        fused, plain = (_trial(cls, dict(options), dtype, device, switch)
                        for switch in (dict(fused=True), dict(foreach=False, fused=False)))
    except (RuntimeError, NotImplementedError):  # refused: no such kernel
        return False
    difference = float((fused - plain).abs().max())
    return difference <= max(1e-4, 8 * torch.finfo(dtype).eps)


def _trial(cls: type[torch.optim.Optimizer], options: dict[str, Any], dtype: torch.dtype,
           device: torch.device, switch: dict[str, bool]) -> torch.Tensor:
    """A weight after two steps; its size is no multiple of a vector register's."""
    weight = torch.linspace(0.25, 0.5, 67, dtype=torch.float64).to(device, dtype)
    weight.requires_grad_()
    optimizer = cls([weight], lr=0.25, **options, **switch)
    for size in (1.0, 0.5):
        weight.grad = (torch.linspace(0.5, 1, 67, dtype=torch.float64) * size).to(device, dtype)
        optimizer.step()
    return weight.detach().double().cpu()
