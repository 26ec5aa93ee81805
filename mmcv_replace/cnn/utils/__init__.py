"""Weight initialisation and changes of layers, each imported when it is first asked for."""
from mmcv_replace.utils.lazy_names import lazy_names

from .fuse_conv_bn import fuse_conv_bn  # a name that is a module too cannot be imported late

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.flops_counter': ['get_model_complexity_info'],
    '.host_norm': ['HostBatchNorm2d', 'use_host_norms'],
    '.init_cfg': ['initialize'],
    '.initializers': ['INITIALIZERS', 'Caffe2XavierInit', 'ConstantInit', 'KaimingInit',
                      'NormalInit', 'TruncNormalInit', 'UniformInit', 'XavierInit'],
    '.layer_init': ['bias_init_with_prob', 'caffe2_xavier_init', 'constant_init', 'kaiming_init',
                    'normal_init', 'trunc_normal_init', 'uniform_init', 'xavier_init'],
    '.pretrained_init': ['PretrainedInit'],
    '.sync_bn': ['revert_sync_batchnorm'],
    '.depthwise': ['SplitDepthwiseConv2d', 'split_depthwise'],
    '.prelu': ['HostPReLU', 'host_prelu'],
    '.winograd_conv': ['WinogradConv2d', 'use_winograd'],
})
__all__ += ['fuse_conv_bn']
