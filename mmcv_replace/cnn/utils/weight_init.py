"""All that draws weights, under the path of mmcv that user code imports."""
from torch.nn.init import trunc_normal_

from .init_cfg import initialize
from .init_info import update_init_info
from .initializers import (
    INITIALIZERS,
    BaseInit,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    NormalInit,
    TruncNormalInit,
    UniformInit,
    XavierInit,
)
from .layer_init import (
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from .pretrained_init import PretrainedInit

__all__ = [
    'INITIALIZERS', 'BaseInit', 'Caffe2XavierInit', 'ConstantInit', 'KaimingInit', 'NormalInit',
    'PretrainedInit', 'TruncNormalInit', 'UniformInit', 'XavierInit', 'bias_init_with_prob',
    'caffe2_xavier_init', 'constant_init', 'initialize', 'kaiming_init', 'normal_init',
    'trunc_normal_', 'trunc_normal_init', 'uniform_init', 'update_init_info', 'xavier_init']
