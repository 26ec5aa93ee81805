"""Changes the data type of tensors in nested values, and of the arguments of functions."""
import copy
import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

DataTypes = torch.dtype | tuple[torch.dtype, ...] | type | None


def cast_tensor_type(inputs: Any, src_type: DataTypes, dst_type: torch.dtype | type | None) -> Any:
    """`inputs` with each tensor of data type `src_type` (or one of several) as `dst_type`.

    Dicts, lists, tuples and sets of tensors are copied; all else is returned as it is.
    """
    if isinstance(inputs, Tensor):
        sources = src_type if isinstance(src_type, tuple) else (src_type,)
        return inputs.to(dst_type) if inputs.dtype in sources else inputs
    if isinstance(inputs, dict):
        made = copy.copy(inputs)
        for key, value in inputs.items():
            made[key] = cast_tensor_type(value, src_type, dst_type)
        return made
    if isinstance(inputs, list | tuple | set):
        items = [cast_tensor_type(item, src_type, dst_type) for item in inputs]
        return type(inputs)(*items) if hasattr(inputs, '_fields') else type(inputs)(items)
    return inputs


def argument_caster(function: Callable[..., Any], apply_to: Collection[str] | None,
                    ) -> Callable[[tuple, dict[str, Any], DataTypes, torch.dtype],
                                  tuple[tuple, dict[str, Any]]]:
    """A function that casts the given arguments of `function`; `apply_to`: which, None for all."""
    signature = inspect.signature(function)

    def cast(args: tuple, kwargs: dict[str, Any], source: DataTypes,
             target: torch.dtype) -> tuple[tuple, dict[str, Any]]:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if apply_to is None or name in apply_to:
                bound.arguments[name] = cast_tensor_type(value, source, target)
        return bound.args, bound.kwargs

    return cast


def patch_forward_method(func: Callable[..., Any], src_type: torch.dtype, dst_type: torch.dtype,
                         convert_output: bool = True) -> Callable[..., Any]:
    """`func` with arguments as `dst_type` instead of `src_type`; `convert_output`: and back."""
    @functools.wraps(func)
    def forward(*args: Any, **kwargs: Any) -> Any:
        out = func(*cast_tensor_type(args, src_type, dst_type),
                   **cast_tensor_type(kwargs, src_type, dst_type))
        return cast_tensor_type(out, dst_type, src_type) if convert_output else out
    return forward


def patch_norm_fp32(module: nn.Module) -> nn.Module:
    """Let the batch and group norms in a model of low precision compute in float32; returns it."""
    for layer in module.modules():
        if isinstance(layer, _BatchNorm | nn.GroupNorm):
            layer.float()
            if isinstance(layer, nn.GroupNorm):  # batch norm takes inputs of another type
                layer.forward = patch_forward_method(layer.forward, torch.half, torch.float)
    return module
