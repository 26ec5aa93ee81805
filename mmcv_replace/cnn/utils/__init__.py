"""Weight initialisation and surgery on layers."""
from .fuse_conv_bn import fuse_conv_bn
from .initializers import (
    INITIALIZERS,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    NormalInit,
    PretrainedInit,
    TruncNormalInit,
    UniformInit,
    XavierInit,
    initialize,
)
from .sync_bn import revert_sync_batchnorm
from .weight_init import (
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from .winograd_conv import WinogradConv2d, use_winograd

__all__ = [
    'INITIALIZERS', 'Caffe2XavierInit', 'ConstantInit', 'KaimingInit', 'NormalInit',
    'PretrainedInit', 'TruncNormalInit', 'UniformInit', 'WinogradConv2d', 'XavierInit',
    'bias_init_with_prob', 'caffe2_xavier_init', 'constant_init', 'fuse_conv_bn', 'initialize',
    'kaiming_init', 'normal_init', 'revert_sync_batchnorm', 'trunc_normal_init', 'uniform_init',
    'use_winograd', 'xavier_init',
]
