"""The decorators of mmcv's mixed precision, by means of torch.autocast."""
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..device import low_precision_dtype
from .allreduce import allreduce_grads
from .precision import LOW_TYPES

__all__ = ['allreduce_grads', 'auto_fp16', 'force_fp32', 'wrap_fp16_model']

F = TypeVar('F', bound=Callable[..., Any])


def auto_fp16(apply_to: Iterable[str] | None = None, out_fp32: bool = False) -> Callable[[F], F]:
    """Decorator for a method that may run in low precision; `out_fp32`: its results are float32.

    torch.autocast chooses the data types of the operations inside, so `apply_to` has no effect.
    """
    def decorate(method: F) -> F:
        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            out = method(*args, **kwargs)
            return _widened(out) if out_fp32 else out
        return run
    return decorate


def force_fp32(apply_to: Iterable[str] | None = None, out_fp16: bool = False) -> Callable[[F], F]:
    """Decorator: run a method in float32 in spite of autocast around it.

    Tensors in the arguments `apply_to` (None: all) are converted to float32. `out_fp16`: convert
    the results back to the data type of the surrounding autocast.
    """
    def decorate(method: F) -> F:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            for name, value in bound.arguments.items():
                if apply_to is None or name in apply_to:
                    bound.arguments[name] = _widened(value)
            device = _device_type(bound.arguments)
            low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
            with torch.autocast(device, enabled=False):
                out = method(*bound.args, **bound.kwargs)
            return _cast(out, (torch.float32,), low) if out_fp16 and low else out
        return run
    return decorate


def wrap_fp16_model(model: nn.Module) -> None:
    """Make a model's forward pass run under autocast in the low precision of its device."""
    forward = model.forward

    @functools.wraps(forward)
    def run(*args: Any, **kwargs: Any) -> Any:
        device = next(model.parameters()).device
        with torch.autocast(device.type, low_precision_dtype(device)):
            return forward(*args, **kwargs)

    model.forward = run


def _widened(value: Any) -> Any:
    return _cast(value, tuple(LOW_TYPES.values()), torch.float32)


def _cast(value: Any, sources: tuple[torch.dtype, ...], target: torch.dtype) -> Any:
    """A nested value with its tensors of the data types `sources` converted to `target`."""
    if isinstance(value, Tensor):
        return value.to(target) if value.dtype in sources else value
    if isinstance(value, dict):
        return {key: _cast(item, sources, target) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_cast(item, sources, target) for item in value)
    return value


def _device_type(value: Any) -> str:
    """Device type of the first tensor in a nested value that is not on the CPU, or 'cpu'."""
    if isinstance(value, Tensor):
        return value.device.type
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        return next((t for t in map(_device_type, items) if t != 'cpu'), 'cpu')
    return 'cpu'
