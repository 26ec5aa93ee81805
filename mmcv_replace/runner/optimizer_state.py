"""The optimizer's state out of a checkpoint, where it fits."""
from pathlib import Path
from typing import Any

import torch

from ..utils.errors import CheckpointError
from .optimizer.builder import KERNEL_CHOICES


def load_optimizer_state(optimizer: torch.optim.Optimizer, checkpoint: dict[str, Any],
                         filename: str | Path) -> None:
    """Load `checkpoint['optimizer']`; CheckpointError lists what does not fit."""
    if 'optimizer' not in checkpoint:
        raise CheckpointError(f'{filename} cannot be resumed: it holds no optimizer state. To '
                              'start a new run from its weights use --load-from')
    state = checkpoint['optimizer']
    try:
        problems = (_group_problems(optimizer, state['param_groups'])
                    or _shape_problems(optimizer, state))
        if not problems:
            optimizer.load_state_dict({**state, 'param_groups': _with_own_kernels(
                optimizer, state['param_groups'])})
            _lay_out_as_parameters(optimizer)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f'the optimizer state of {filename} cannot be used ({type(error).__name__}: {error}): '
            'resume from another checkpoint, or start a new run from its weights with --load-from'
        ) from error
    if problems:
        raise CheckpointError(
            f'the optimizer state of {filename} does not fit this optimizer:\n  '
            + '\n  '.join(problems) + '\nResume with the optimizer and paramwise_cfg of that run, '
            'or start a new run from its weights with --load-from')


def _with_own_kernels(optimizer: torch.optim.Optimizer,
                      saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The saved groups, computed as this device and config choose."""
    return [{**theirs, **{key: ours[key] for key in KERNEL_CHOICES if key in ours}}
            for ours, theirs in zip(optimizer.param_groups, saved, strict=True)]


def _lay_out_as_parameters(optimizer: torch.optim.Optimizer) -> None:
    """Give running averages the memory format of their parameters, which devices choose.

    The fused kernels of the CPU read both from end to end, and do not look at strides.
    """
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if (isinstance(value, torch.Tensor) and value.shape == parameter.shape
                    and value.stride() != parameter.stride()):
                state[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _group_problems(optimizer: torch.optim.Optimizer, saved: list[dict[str, Any]]) -> list[str]:
    groups = optimizer.param_groups
    if len(groups) != len(saved):
        return [f'it has {len(saved)} groups of parameters, the optimizer {len(groups)}']
    return [f'group {index} has {len(theirs["params"])} parameters, that of the optimizer '
            f'{len(ours["params"])}'
            for index, (ours, theirs) in enumerate(zip(groups, saved, strict=True))
            if len(ours['params']) != len(theirs['params'])]


def _shape_problems(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> list[str]:
    """Parameters whose running averages have another shape than they."""
    problems = []
    for index, (ours, theirs) in enumerate(
            zip(optimizer.param_groups, state['param_groups'], strict=True)):
        for position, (parameter, key) in enumerate(
                zip(ours['params'], theirs['params'], strict=True)):
            shapes = {tuple(value.shape) for value in state['state'].get(key, {}).values()
                      if isinstance(value, torch.Tensor) and value.dim() > 0}
            if shapes - {tuple(parameter.shape)}:
                problems.append(f'group {index}, parameter {position}: the state is of the shape '
                                f'{sorted(shapes)[0]}, the parameter {tuple(parameter.shape)}')
    return problems
