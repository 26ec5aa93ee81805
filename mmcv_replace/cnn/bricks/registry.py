"""Registries of the layers that a config can name, with the modules that register them."""
from torch import nn

from mmcv_replace.utils import Registry

CONV_LAYERS = Registry('conv layer', nn.Module, {
    'mmcv_replace.cnn.bricks.conv': ['Conv1d', 'Conv2d', 'Conv', 'Conv3d'],
    'mmcv_replace.cnn.bricks.conv2d_adaptive_padding': ['Conv2dAdaptivePadding'],
})
NORM_LAYERS = Registry('norm layer', nn.Module, {
    'mmcv_replace.cnn.bricks.norm': ['BN', 'BN1d', 'BN2d', 'BN3d', 'SyncBN', 'GN', 'LN', 'IN',
                                     'IN1d', 'IN2d', 'IN3d'],
})
ACTIVATION_LAYERS = Registry('activation layer', nn.Module, {
    'mmcv_replace.cnn.bricks.activation': ['ReLU', 'LeakyReLU', 'PReLU', 'RReLU', 'ReLU6', 'ELU',
                                           'Sigmoid', 'Tanh', 'GELU', 'Clip', 'Clamp'],
    'mmcv_replace.cnn.bricks.hsigmoid': ['HSigmoid'],
    'mmcv_replace.cnn.bricks.hswish': ['HSwish'],
    'mmcv_replace.cnn.bricks.swish': ['Swish'],
})
PADDING_LAYERS = Registry('padding layer', nn.Module, {
    'mmcv_replace.cnn.bricks.padding': ['zero', 'reflect', 'replicate'],
})
UPSAMPLE_LAYERS = Registry('upsample layer', nn.Module, {
    'mmcv_replace.cnn.bricks.upsample': ['nearest', 'bilinear', 'deconv', 'pixel_shuffle'],
})
PLUGIN_LAYERS = Registry('plugin layer', nn.Module)
