"""Count the multiply-adds and the parameters of a network, layer by layer.

torch's own counter knows matrix products and convolutions alone, and counts two operations for a
multiply-add. Here a multiply-add is one, as published tables have it, and layers that only add or
compare count, too.
"""
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any, TextIO

import torch
from torch import nn

from mmcv_replace.utils.errors import ConfigTypeError

# mmcv has all of them in this module.
from .flops_hooks import (  # noqa: F401
    conv_flops_counter_hook,
    deconv_flops_counter_hook,
    get_modules_mapping,
    is_supported_instance,
    linear_flops_counter_hook,
    norm_flops_counter_hook,
    pool_flops_counter_hook,
    relu_flops_counter_hook,
    upsample_flops_counter_hook,
)

UNITS = {'G': 10**9, 'M': 10**6, 'K': 10**3}


def get_model_complexity_info(
    model: nn.Module, input_shape: tuple[int, ...], print_per_layer_stat: bool = True,
    as_strings: bool = True, input_constructor: Callable[[tuple], dict[str, Any]] | None = None,
    flush: bool = False, ost: TextIO = sys.stdout,
) -> tuple[float, int] | tuple[str, str]:
    """Multiply-adds of one sample, and the number of parameters that are trained.

    `input_shape`: of the sample without a batch, as (3, 224, 224). `input_constructor` makes the
    keyword arguments of the model from it, for inputs other than one tensor.
    `print_per_layer_stat` prints the network with the numbers of each layer to `ost`. `as_strings`:
    the numbers as text with their units. The model is in eval mode, then and afterwards. Of a
    deformable convolution the layer for the offsets counts alone, as in mmcv. Raises
    ConfigTypeError for another `input_shape`.
    """
    if not isinstance(input_shape, tuple) or not input_shape:
        raise ConfigTypeError(f'input_shape={input_shape!r} must be a tuple of at least one size, '
                              'such as (3, 224, 224)')
    counting = add_flops_counting_methods(model)
    counting.eval()
    counting.start_flops_count()
    try:
        with torch.no_grad():
            if input_constructor is None:
                counting(_sample(model, input_shape))
            else:
                counting(**input_constructor(input_shape))
        flops, params = counting.compute_average_flops_cost()
        if print_per_layer_stat:
            print_model_with_flops(counting, flops, params, ost=ost, flush=flush)
    finally:
        _forget(counting)
    if as_strings:
        return flops_to_string(flops), params_to_string(params)
    return flops, params


def _sample(model: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """A batch of one sample in the type and on the device of the parameters."""
    like = next(model.parameters(), torch.empty(()))
    return torch.ones((1, *shape), dtype=like.dtype, device=like.device)


def flops_to_string(flops: float, units: str | None = 'GFLOPs', precision: int = 2) -> str:
    """A number of operations in 'GFLOPs', 'MFLOPs', 'KFLOPs' or 'FLOPs'; None: the best of them."""
    if units is None:
        units = next((f'{unit}FLOPs' for unit, size in UNITS.items() if flops // size > 0), 'FLOPs')
    size = UNITS.get(units[:1]) if units[1:] == 'FLOPs' else None
    return f'{flops} FLOPs' if size is None else f'{round(flops / size, precision)} {units}'


def params_to_string(num_params: float, units: str | None = None, precision: int = 2) -> str:
    """A number of parameters in 'M', 'K' or without a unit; None: the best of them."""
    if units is None:
        units = next((unit for unit in ('M', 'k') if num_params // UNITS[unit.upper()]), '')
    size = UNITS[units.upper()] if units in ('M', 'K', 'k') else None
    return str(num_params) if size is None else f'{round(num_params / size, precision)} {units}'


def print_model_with_flops(model: nn.Module, total_flops: float, total_params: float,
                           units: str | None = 'GFLOPs', precision: int = 3,
                           ost: TextIO = sys.stdout, flush: bool = False) -> None:
    """Print the network with the parameters and operations of each module and their shares.

    To be called between `start_flops_count` and `stop_flops_count`, after a pass of the model.
    """
    def described(module: nn.Module) -> str:
        params = sum(getattr(part, '__params__', 0) for part in module.modules())
        flops = sum(getattr(part, '__flops__', 0) for part in module.modules()) / max(
            1, model.__batch_counter__)
        numbers = [params_to_string(params, 'M', precision),
                   f'{_share(params, total_params)} Params',
                   flops_to_string(flops, units, precision), f'{_share(flops, total_flops)} FLOPs']
        return ', '.join([*numbers, type(module).extra_repr(module)])

    for module in model.modules():
        module.extra_repr = MethodType(described, module)
    try:
        ost.write(f'{model}\n')
    finally:
        for module in model.modules():
            del module.extra_repr
    if flush:
        ost.flush()


def _share(part: float, whole: float) -> str:
    return f'{part / whole if whole else 0:.3%}'


def get_model_parameters_number(model: nn.Module) -> int:
    """Number of the parameters that are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def add_flops_counting_methods(net_main_module: nn.Module) -> nn.Module:
    """Give the module the methods of counting: the functions that follow. Returns the module."""
    for method in _methods():
        setattr(net_main_module, method.__name__, MethodType(method, net_main_module))
    net_main_module.reset_flops_count()
    return net_main_module


def compute_average_flops_cost(self: nn.Module) -> tuple[float, int]:
    """Operations of one sample, on average over the batches counted; and the parameters."""
    flops = sum(getattr(module, '__flops__', 0) for module in self.modules())
    return flops / max(1, self.__batch_counter__), get_model_parameters_number(self)


def start_flops_count(self: nn.Module) -> None:
    """Count from now on, in every pass of the module: samples, and the layers that are known."""
    self._flops_handles = [self.register_forward_hook(_count_samples)]
    mapping = get_modules_mapping()
    for module in filter(is_supported_instance, self.modules()):
        module.__flops__ = 0
        module.__params__ = get_model_parameters_number(module)
        self._flops_handles.append(module.register_forward_hook(mapping[type(module)]))


def stop_flops_count(self: nn.Module) -> None:
    """Stop counting; the numbers stay."""
    for handle in vars(self).pop('_flops_handles', ()):
        handle.remove()


def reset_flops_count(self: nn.Module) -> None:
    """Begin to count from zero."""
    self.__batch_counter__ = 0
    for module in filter(is_supported_instance, self.modules()):
        module.__flops__ = 0


def _methods() -> list[Callable[[nn.Module], Any]]:
    return [start_flops_count, stop_flops_count, reset_flops_count, compute_average_flops_cost]


def _count_samples(module: nn.Module, input: tuple, output: object) -> None:
    """Add those of the first positional argument; without one there is a single sample."""
    module.__batch_counter__ += len(input[0]) if input else 1


def _forget(model: nn.Module) -> None:
    """Undo `add_flops_counting_methods` and what the methods left."""
    stop_flops_count(model)
    for method in _methods():
        vars(model).pop(method.__name__, None)
    for module in model.modules():
        for name in ('__flops__', '__params__', '__batch_counter__'):
            vars(module).pop(name, None)
