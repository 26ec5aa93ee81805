"""Layers by name and the blocks made of them, each imported when it is first asked for."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.activation': ['build_activation_layer'],
    '.conv': ['build_conv_layer'],
    '.conv2d_adaptive_padding': ['Conv2dAdaptivePadding'],
    '.context_block': ['ContextBlock'],
    '.conv_module': ['ConvModule'],
    '.conv_ws': ['ConvAWS2d', 'ConvWS2d', 'conv_ws_2d'],
    '.depthwise_separable_conv_module': ['DepthwiseSeparableConvModule'],
    '.drop': ['DropPath', 'Dropout'],
    '.generalized_attention': ['GeneralizedAttention'],
    '.hsigmoid': ['HSigmoid'],
    '.hswish': ['HSwish'],
    '.non_local': ['NonLocal1d', 'NonLocal2d', 'NonLocal3d'],
    '.norm': ['build_norm_layer', 'is_norm'],
    '.padding': ['build_padding_layer'],
    '.plugin': ['build_plugin_layer'],
    '.registry': ['ACTIVATION_LAYERS', 'CONV_LAYERS', 'NORM_LAYERS', 'PADDING_LAYERS',
                  'PLUGIN_LAYERS', 'UPSAMPLE_LAYERS'],
    '.scale': ['Scale'],
    '.swish': ['Swish'],
    '.upsample': ['build_upsample_layer'],
    '.wrappers': ['Conv2d', 'Conv3d', 'ConvTranspose2d', 'ConvTranspose3d', 'Linear', 'MaxPool2d',
                  'MaxPool3d'],
})
