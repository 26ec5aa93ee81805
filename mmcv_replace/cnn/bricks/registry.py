"""Registries of the layers that a config can name: torch's, and ours with their modules."""
from torch import nn

from mmcv_replace.utils import Registry

_HERE = 'mmcv_replace.cnn.bricks'
_OPS = 'mmcv_replace.ops'

CONV_LAYERS = Registry('conv layer', base=nn.Module, modules={
    f'{_HERE}.conv2d_adaptive_padding': ['Conv2dAdaptivePadding'],
    f'{_HERE}.conv_ws': ['ConvWS', 'ConvAWS'],
    f'{_OPS}.deform_conv': ['DCN'],
    f'{_OPS}.modulated_deform_conv': ['DCNv2'],
    f'{_OPS}.saconv': ['SAC'],
})
NORM_LAYERS = Registry('norm layer', base=nn.Module)
ACTIVATION_LAYERS = Registry('activation layer', base=nn.Module, modules={
    f'{_HERE}.activation': ['Clip', 'Clamp'],
    f'{_HERE}.hsigmoid': ['HSigmoid'],
    f'{_HERE}.hswish': ['HSwish'],
    f'{_HERE}.swish': ['Swish'],
})
PADDING_LAYERS = Registry('padding layer', base=nn.Module)
UPSAMPLE_LAYERS = Registry('upsample layer', base=nn.Module, modules={
    f'{_HERE}.upsample': ['pixel_shuffle'],
    f'{_OPS}.carafe': ['carafe'],
})
PLUGIN_LAYERS = Registry('plugin layer', base=nn.Module, modules={
    f'{_HERE}.context_block': ['ContextBlock'],
    f'{_HERE}.conv_module': ['ConvModule'],
    f'{_HERE}.generalized_attention': ['GeneralizedAttention'],
    f'{_HERE}.non_local': ['NonLocal2d'],
    f'{_OPS}.cc_attention': ['CrissCrossAttention'],
})
DROPOUT_LAYERS = Registry('dropout layer', base=nn.Module, modules={
    f'{_HERE}.drop': ['DropPath', 'Dropout'],
})
POSITIONAL_ENCODING = Registry('positional encoding', base=nn.Module)
ATTENTION = Registry('attention', base=nn.Module, modules={
    f'{_HERE}.transformer.attention': ['MultiheadAttention'],
    f'{_OPS}.multi_scale_deform_attn': ['MultiScaleDeformableAttention'],
})
FEEDFORWARD_NETWORK = Registry('feed-forward network', base=nn.Module, modules={
    f'{_HERE}.transformer.ffn': ['FFN'],
})
TRANSFORMER_LAYER = Registry('transformer layer', base=nn.Module, modules={
    f'{_HERE}.transformer.layer': ['BaseTransformerLayer'],
})
TRANSFORMER_LAYER_SEQUENCE = Registry('sequence of transformer layers', base=nn.Module, modules={
    f'{_HERE}.transformer.sequence': ['TransformerLayerSequence'],
})

for _registry, _layers in {
    CONV_LAYERS: dict(
        Conv1d=nn.Conv1d, Conv2d=nn.Conv2d, Conv=nn.Conv2d, Conv3d=nn.Conv3d,
        deconv=nn.ConvTranspose2d, ConvTranspose2d=nn.ConvTranspose2d,
        deconv3d=nn.ConvTranspose3d, ConvTranspose3d=nn.ConvTranspose3d),
    NORM_LAYERS: dict(
        BN=nn.BatchNorm2d, BN1d=nn.BatchNorm1d, BN2d=nn.BatchNorm2d, BN3d=nn.BatchNorm3d,
        SyncBN=nn.SyncBatchNorm, MMSyncBN=nn.SyncBatchNorm, GN=nn.GroupNorm, LN=nn.LayerNorm,
        IN=nn.InstanceNorm2d, IN1d=nn.InstanceNorm1d, IN2d=nn.InstanceNorm2d,
        IN3d=nn.InstanceNorm3d),
    ACTIVATION_LAYERS: dict(
        ReLU=nn.ReLU, LeakyReLU=nn.LeakyReLU, PReLU=nn.PReLU, RReLU=nn.RReLU, ReLU6=nn.ReLU6,
        ELU=nn.ELU, Sigmoid=nn.Sigmoid, Tanh=nn.Tanh, GELU=nn.GELU, SiLU=nn.SiLU),
    PADDING_LAYERS: dict(zero=nn.ZeroPad2d, reflect=nn.ReflectionPad2d,
                         replicate=nn.ReplicationPad2d),
    UPSAMPLE_LAYERS: dict(nearest=nn.Upsample, bilinear=nn.Upsample, deconv=nn.ConvTranspose2d,
                          deconv3d=nn.ConvTranspose3d),
}.items():
    for _name, _layer in _layers.items():
        _registry.register_module(_name, module=_layer)
