"""Registries of the layers that a config can name: torch's, and ours with their modules."""
from torch import nn

from mmcv_replace.utils import Registry

CONV_LAYERS = Registry('conv layer', base=nn.Module, modules={
    'mmcv_replace.cnn.bricks.conv2d_adaptive_padding': ['Conv2dAdaptivePadding'],
})
NORM_LAYERS = Registry('norm layer', base=nn.Module)
ACTIVATION_LAYERS = Registry('activation layer', base=nn.Module, modules={
    'mmcv_replace.cnn.bricks.activation': ['Clip', 'Clamp'],
    'mmcv_replace.cnn.bricks.hsigmoid': ['HSigmoid'],
    'mmcv_replace.cnn.bricks.hswish': ['HSwish'],
    'mmcv_replace.cnn.bricks.swish': ['Swish'],
})
PADDING_LAYERS = Registry('padding layer', base=nn.Module)
UPSAMPLE_LAYERS = Registry('upsample layer', base=nn.Module, modules={
    'mmcv_replace.cnn.bricks.upsample': ['pixel_shuffle'],
})
PLUGIN_LAYERS = Registry('plugin layer', base=nn.Module)

for _registry, _layers in {
    CONV_LAYERS: dict(Conv1d=nn.Conv1d, Conv2d=nn.Conv2d, Conv=nn.Conv2d, Conv3d=nn.Conv3d),
    NORM_LAYERS: dict(
        BN=nn.BatchNorm2d, BN1d=nn.BatchNorm1d, BN2d=nn.BatchNorm2d, BN3d=nn.BatchNorm3d,
        SyncBN=nn.SyncBatchNorm, GN=nn.GroupNorm, LN=nn.LayerNorm, IN=nn.InstanceNorm2d,
        IN1d=nn.InstanceNorm1d, IN2d=nn.InstanceNorm2d, IN3d=nn.InstanceNorm3d),
    ACTIVATION_LAYERS: dict(
        ReLU=nn.ReLU, LeakyReLU=nn.LeakyReLU, PReLU=nn.PReLU, RReLU=nn.RReLU, ReLU6=nn.ReLU6,
        ELU=nn.ELU, Sigmoid=nn.Sigmoid, Tanh=nn.Tanh, GELU=nn.GELU),
    PADDING_LAYERS: dict(zero=nn.ZeroPad2d, reflect=nn.ReflectionPad2d,
                         replicate=nn.ReplicationPad2d),
    UPSAMPLE_LAYERS: dict(nearest=nn.Upsample, bilinear=nn.Upsample, deconv=nn.ConvTranspose2d),
}.items():
    for _name, _layer in _layers.items():
        _registry.register_module(_name, module=_layer)
