"""Operators in plain torch: nothing is compiled, and every device runs them.

Each has a file, which describes its shapes, its source and its cost; `kernels` has faster
implementations for some devices.
"""
from mmcv_replace.utils.lazy_names import lazy_names
from mmcv_replace.utils.trace import trust_sizes

trust_sizes(__name__)

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.bbox': ['bbox_overlaps'],
    '.carafe': ['CARAFE', 'CARAFENaive', 'CARAFEPack', 'carafe_naive'],
    '.cc_attention': ['CrissCrossAttention'],
    '.corner_pool': ['CornerPool'],
    '.deform_conv': ['DeformConv2d', 'DeformConv2dPack', 'deform_conv2d'],
    '.focal_loss': ['SigmoidFocalLoss', 'SoftmaxFocalLoss', 'sigmoid_focal_loss',
                    'softmax_focal_loss'],
    '.host_sync_bn': ['HostSyncBatchNorm', 'shares_statistics', 'use_host_sync_batchnorm'],
    '.masked_conv': ['MaskedConv2d', 'masked_conv2d'],
    '.merge_cells': ['BaseMergeCell', 'ConcatCell', 'GlobalPoolingCell', 'SumCell'],
    '.modulated_deform_conv': ['ModulatedDeformConv2d', 'ModulatedDeformConv2dPack',
                               'modulated_deform_conv2d'],
    '.multi_scale_deform_attn': ['MultiScaleDeformableAttention'],
    '.nms': ['batched_nms', 'soft_nms'],
    '.point_sample': ['SimpleRoIAlign', 'rel_roi_point_to_rel_img_point'],
    '.psa_mask': ['PSAMask'],
    '.roi_align': ['RoIAlign'],
    '.roi_pool': ['RoIPool'],
    '.saconv': ['SAConv2d'],
    '.tin_shift': ['TINShift'],
    '.wide_sync_bn': ['WideSyncBatchNorm', 'fit_sync_batchnorm'],
    'mmcv_replace.cnn.bricks.wrappers': ['Conv2d', 'ConvTranspose2d', 'Linear', 'MaxPool2d'],
    'torch.nn': ['SyncBatchNorm'],
})

# Functions with the name of their module, which Python would hand out in their place.
from .carafe import carafe  # noqa: E402
from .nms import nms  # noqa: E402
from .point_sample import point_sample  # noqa: E402
from .roi_align import roi_align  # noqa: E402
from .roi_pool import roi_pool  # noqa: E402
from .tin_shift import tin_shift  # noqa: E402

__all__ += ['carafe', 'nms', 'point_sample', 'roi_align', 'roi_pool', 'tin_shift']
