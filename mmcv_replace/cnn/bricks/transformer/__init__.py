"""The parts of transformers, each imported when it is first asked for."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.attention': ['MultiheadAttention'],
    '.build': ['build_attention', 'build_feedforward_network', 'build_positional_encoding',
               'build_transformer_layer', 'build_transformer_layer_sequence'],
    '.ffn': ['FFN'],
    '.layer': ['BaseTransformerLayer'],
    '.patches': ['AdaptivePadding', 'PatchEmbed', 'PatchMerging'],
    '.sequence': ['TransformerLayerSequence'],
    '..drop': ['build_dropout'],
    '..registry': ['ATTENTION', 'FEEDFORWARD_NETWORK', 'POSITIONAL_ENCODING', 'TRANSFORMER_LAYER',
                   'TRANSFORMER_LAYER_SEQUENCE'],
    'mmcv_replace.ops.multi_scale_deform_attn': ['MultiScaleDeformableAttention'],
})
