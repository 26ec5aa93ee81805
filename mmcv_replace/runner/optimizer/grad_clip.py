"""Checks the arguments for clipping gradients."""
import inspect
from typing import Any

from torch.nn.utils import clip_grad_norm_

from ...utils.checks.type_check import misfits
from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean


def check_grad_clip(grad_clip: dict[str, Any]) -> None:
    """Raise ConfigError for what `torch.nn.utils.clip_grad_norm_` does not take."""
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
