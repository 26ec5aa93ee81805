"""The decorators of mmcv's mixed precision, by means of torch.autocast.

A decorated method acts where its module has `fp16_enabled = True`, as wrap_fp16_model sets it, and
under the autocast of a run in mixed precision; elsewhere it is as without the decorator.
"""
import functools
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..device import low_precision_dtype
from ..parallel.allreduce import allreduce_grads
from ..parallel.data_parallel import device_of
from ..utils.errors import ArgumentError
from .precision import LOW_TYPES
from .precision.casts import (
    argument_caster,
    cast_tensor_type,
    patch_forward_method,
    patch_norm_fp32,
)
from .precision.loss_scaler import LossScaler

__all__ = ['LossScaler', 'allreduce_grads', 'auto_fp16', 'cast_tensor_type', 'force_fp32',
           'patch_forward_method', 'patch_norm_fp32', 'wrap_fp16_model']

F = TypeVar('F', bound=Callable[..., Any])
_LOW = tuple(LOW_TYPES.values())


def auto_fp16(apply_to: Collection[str] | None = None, out_fp32: bool = False,
              supported_types: tuple[type, ...] = (nn.Module,)) -> Callable[[F], F]:
    """Decorator for a method that may run in low precision; `out_fp32`: its results are float32.

    With `fp16_enabled` the arguments `apply_to` (None: all) are converted from float32 first. The
    low precision is that of the autocast around the call, otherwise float16. The method must be one
    of a class of `supported_types`; ArgumentError for others.
    """
    def decorate(method: F) -> F:
        cast = argument_caster(method, apply_to)

        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            own = _is_enabled('auto_fp16', args, supported_types)
            device, around = _surroundings(args, kwargs)
            if not own and around is None:
                return method(*args, **kwargs)
            low = around or torch.float16
            if own:
                args, kwargs = cast(args, kwargs, torch.float32, low)
            with nullcontext() if around else torch.autocast(device, low):
                out = method(*args, **kwargs)
            return cast_tensor_type(out, _LOW, torch.float32) if out_fp32 else out
        return run
    return decorate


def force_fp32(apply_to: Collection[str] | None = None,
               out_fp16: bool = False) -> Callable[[F], F]:
    """Decorator: run a method of a module in float32 in spite of autocast around it.

    Tensors in the arguments `apply_to` (None: all) are converted to float32. `out_fp16`: convert
    the results back to the data type of the surrounding autocast, otherwise float16. Raises
    ArgumentError for a method of anything but a module.
    """
    def decorate(method: F) -> F:
        cast = argument_caster(method, apply_to)

        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            own = _is_enabled('force_fp32', args, (nn.Module,))
            device, around = _surroundings(args, kwargs)
            if not own and around is None:
                return method(*args, **kwargs)
            args, kwargs = cast(args, kwargs, _LOW, torch.float32)
            with torch.autocast(device, enabled=False):
                out = method(*args, **kwargs)
            low = around or torch.float16
            return cast_tensor_type(out, torch.float32, low) if out_fp16 else out
        return run
    return decorate


def wrap_fp16_model(model: nn.Module) -> None:
    """Make a model's forward pass run under autocast in the low precision of its device.

    Modules with an attribute `fp16_enabled` get it set, for the decorators of their methods.
    """
    for module in model.modules():
        if hasattr(module, 'fp16_enabled'):
            module.fp16_enabled = True
    forward = model.forward

    @functools.wraps(forward)
    def run(*args: Any, **kwargs: Any) -> Any:
        device = device_of(model)
        with torch.autocast(device.type, low_precision_dtype(device)):
            return forward(*args, **kwargs)

    model.forward = run


def _is_enabled(decorator: str, args: tuple, supported_types: tuple[type, ...]) -> bool:
    if not args or not isinstance(args[0], supported_types):
        kinds = ', '.join(kind.__name__ for kind in supported_types)
        raise ArgumentError(f'@{decorator} is for methods of {kinds}, and this is one of '
                            f'{type(args[0]).__name__ if args else "no object"}')
    return bool(getattr(args[0], 'fp16_enabled', False))


def _surroundings(args: tuple, kwargs: dict[str, Any]) -> tuple[str, torch.dtype | None]:
    """Type of the device of the tensors, and data type of the autocast there; None without one."""
    device = _device_type((args[1:], kwargs))
    return device, torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def _device_type(value: Any) -> str:
    """Device type of the first tensor in a nested value that is not on the CPU, or 'cpu'."""
    if isinstance(value, Tensor):
        return value.device.type
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        return next((t for t in map(_device_type, items) if t != 'cpu'), 'cpu')
    return 'cpu'
