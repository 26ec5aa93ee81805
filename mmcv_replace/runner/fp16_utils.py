"""Decorators of mmcv's mixed precision, on top of torch.autocast."""
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..device import low_precision_dtype
from .precision import LOW_TYPES

F = TypeVar('F', bound=Callable[..., Any])


def auto_fp16(apply_to: Iterable[str] | None = None, out_fp32: bool = False) -> Callable[[F], F]:
    """Mark a method as fit for low precision; `out_fp32` makes its results float32.

    torch.autocast chooses the types of the operations inside, so `apply_to` has nothing to do.
    """
    def decorate(method: F) -> F:
        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            out = method(*args, **kwargs)
            return _widened(out) if out_fp32 else out
        return run
    return decorate


def force_fp32(apply_to: Iterable[str] | None = None, out_fp16: bool = False) -> Callable[[F], F]:
    """Run a method in float32, whatever the precision around it.

    The tensors of the arguments in `apply_to` (None: all) become float32. With `out_fp16` the
    results return to the low precision in use around the method.
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
    """Make the forward pass of a model run under autocast in its device's low precision."""
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
    """The tensors of the types `sources` in a nest of containers as `target`."""
    if isinstance(value, Tensor):
        return value.to(target) if value.dtype in sources else value
    if isinstance(value, dict):
        return {key: _cast(item, sources, target) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_cast(item, sources, target) for item in value)
    return value


def _device_type(value: Any) -> str:
    """Type of the device of the first tensor in a nest of containers; the CPU without one."""
    if isinstance(value, Tensor):
        return value.device.type
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        return next((t for t in map(_device_type, items) if t != 'cpu'), 'cpu')
    return 'cpu'
