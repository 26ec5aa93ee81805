"""Layers by name and the blocks made of them."""
from .activation import build_activation_layer
from .conv import build_conv_layer
from .conv2d_adaptive_padding import Conv2dAdaptivePadding
from .conv_module import ConvModule
from .depthwise_separable_conv_module import DepthwiseSeparableConvModule
from .hsigmoid import HSigmoid
from .hswish import HSwish
from .norm import build_norm_layer, is_norm
from .padding import build_padding_layer
from .plugin import build_plugin_layer
from .registry import (
    ACTIVATION_LAYERS,
    CONV_LAYERS,
    NORM_LAYERS,
    PADDING_LAYERS,
    PLUGIN_LAYERS,
    UPSAMPLE_LAYERS,
)
from .scale import Scale
from .swish import Swish
from .upsample import build_upsample_layer
from .wrappers import (
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    ConvTranspose3d,
    Linear,
    MaxPool2d,
    MaxPool3d,
)

__all__ = [
    'ACTIVATION_LAYERS', 'CONV_LAYERS', 'NORM_LAYERS', 'PADDING_LAYERS', 'PLUGIN_LAYERS',
    'UPSAMPLE_LAYERS', 'Conv2d', 'Conv2dAdaptivePadding', 'Conv3d', 'ConvModule',
    'ConvTranspose2d', 'ConvTranspose3d', 'DepthwiseSeparableConvModule', 'HSigmoid', 'HSwish',
    'Linear', 'MaxPool2d', 'MaxPool3d', 'Scale', 'Swish', 'build_activation_layer',
    'build_conv_layer', 'build_norm_layer', 'build_padding_layer', 'build_plugin_layer',
    'build_upsample_layer', 'is_norm',
]
