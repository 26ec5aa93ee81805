"""The multiply-adds of single layers: forward hooks, each for a family of layers.

A hook adds the operations of one call to `module.__flops__`.
"""
import math
from collections.abc import Callable

from torch import Tensor, nn

from ..bricks import wrappers
from .winograd_conv import CONV2D_TYPES

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]


def conv_flops_counter_hook(conv_module: nn.Module, input: tuple[Tensor, ...],
                            output: Tensor) -> None:
    """A multiply-add for each output, weight and input it depends on, and one for its bias."""
    places = len(output) * math.prod(output.shape[2:])
    conv_module.__flops__ += places * (conv_module.weight.numel() + _bias(conv_module))


def deconv_flops_counter_hook(conv_module: nn.Module, input: tuple[Tensor, ...],
                              output: Tensor) -> None:
    """A multiply-add for each input, weight and output it goes to, and one for a bias."""
    places = len(input[0]) * math.prod(input[0].shape[2:])
    conv_module.__flops__ += places * conv_module.weight.numel()
    conv_module.__flops__ += len(output) * math.prod(output.shape[2:]) * _bias(conv_module)


def linear_flops_counter_hook(module: nn.Module, input: tuple[Tensor, ...],
                              output: Tensor) -> None:
    """A multiply-add for each input and output; the bias is not counted."""
    module.__flops__ += input[0].numel() * output.shape[-1]


def norm_flops_counter_hook(module: nn.Module, input: tuple[Tensor, ...],
                            output: Tensor) -> None:
    """One operation an element, two with weights."""
    affine = getattr(module, 'affine', False) or getattr(module, 'elementwise_affine', False)
    module.__flops__ += input[0].numel() * (2 if affine else 1)


def pool_flops_counter_hook(module: nn.Module, input: tuple[Tensor, ...],
                            output: Tensor) -> None:
    """One operation an element of the input."""
    module.__flops__ += input[0].numel()


def relu_flops_counter_hook(module: nn.Module, input: tuple[Tensor, ...],
                            output: Tensor) -> None:
    """One operation an element."""
    module.__flops__ += output.numel()


def upsample_flops_counter_hook(module: nn.Module, input: tuple[Tensor, ...],
                                output: Tensor) -> None:
    """One operation an element of the output."""
    module.__flops__ += output.numel()


def _bias(module: nn.Module) -> int:
    return 0 if module.bias is None else module.out_channels


def get_modules_mapping() -> dict[type[nn.Module], Hook]:
    """The layers that count, with their hooks; classes derived from them do not."""
    return {layer: hook for hook, layers in _HOOKS.items() for layer in layers}


def is_supported_instance(module: nn.Module) -> bool:
    """Whether the module is a layer that counts."""
    return type(module) in get_modules_mapping()


_HOOKS: dict[Hook, tuple[type[nn.Module], ...]] = {
    conv_flops_counter_hook: (nn.Conv1d, *CONV2D_TYPES, nn.Conv3d, wrappers.Conv2d,
                              wrappers.Conv3d),
    relu_flops_counter_hook: (nn.ReLU, nn.PReLU, nn.ELU, nn.LeakyReLU, nn.ReLU6),
    pool_flops_counter_hook: (
        nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, wrappers.MaxPool2d, wrappers.MaxPool3d,
        nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
        nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
        nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    norm_flops_counter_hook: (
        nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm,
        nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
    linear_flops_counter_hook: (nn.Linear, wrappers.Linear),
    upsample_flops_counter_hook: (nn.Upsample,),
    deconv_flops_counter_hook: (nn.ConvTranspose2d, wrappers.ConvTranspose2d),
}
