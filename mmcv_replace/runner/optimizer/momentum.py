"""The momentum of an optimizer: its value in each group, and its buffers."""
from typing import Any

import torch

from ...utils.errors import ConfigError


def read_momentum(group: dict[str, Any]) -> float:
    """Momentum of an optimizer group, or the first beta; ConfigError if it has neither."""
    if 'momentum' in group:
        return group['momentum']
    if 'betas' in group:
        return group['betas'][0]
    raise ConfigError("momentum_config needs an optimizer with 'momentum' or 'betas'; this one has "
                      f'{", ".join(key for key in group if key != "params")}')


def write_momentum(group: dict[str, Any], value: float) -> None:
    """Set what `read_momentum` reads."""
    if 'momentum' in group:
        group['momentum'] = value
    else:
        group['betas'] = (value, *group['betas'][1:])


def allocate_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Give torch's SGD momentum buffers of zeros for all parameters that it has none for.

    SGD makes them in its first step, in the gaps that activations have left in the heap, which
    the activations of later iterations then no longer fit into: a training step of PSPNet on a
    CPU took 160 MB more for it. A buffer of zeros takes the same steps as none, unless the first
    gradient is weighted differently (`dampening`). Other optimizers are left alone.
    """
    if type(optimizer) is not torch.optim.SGD:
        return
    for group in optimizer.param_groups:
        if group['momentum'] == 0 or group['dampening'] != 0:
            continue
        for parameter in group['params']:
            if parameter.requires_grad:
                state = optimizer.state[parameter]
                if state.get('momentum_buffer') is None:
                    state['momentum_buffer'] = torch.zeros_like(parameter)
