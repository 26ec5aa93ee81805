"""Parts that several models share."""
from .batch_statistics import check_statistics
from .conv_blocks import convolve_all
from .initial_weights import StartingModule, WrittenWeights, starting_from
from .inverted_residual import InvertedResidual, InvertedResidualV3
from .make_divisible import make_divisible
from .ppm import PPM, check_pool_scales, convolve_pyramid
from .res_layer import ResLayer
from .se_layer import SELayer
from .self_attention_block import SelfAttentionBlock
from .split_attention import SplitAttentionConv2d
from .up_conv_block import UpConvBlock

__all__ = ['InvertedResidual', 'InvertedResidualV3', 'PPM', 'ResLayer', 'SELayer',
           'SelfAttentionBlock', 'SplitAttentionConv2d', 'StartingModule', 'UpConvBlock',
           'WrittenWeights', 'check_statistics', 'check_pool_scales', 'convolve_all',
           'convolve_pyramid', 'make_divisible', 'starting_from']
