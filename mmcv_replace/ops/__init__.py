"""Operators in plain torch, for devices on which torch's own do not run."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.host_sync_bn': ['HostSyncBatchNorm', 'shares_statistics', 'use_host_sync_batchnorm'],
    '.wide_sync_bn': ['WideSyncBatchNorm', 'fit_sync_batchnorm'],
    'mmcv_replace.cnn.bricks.wrappers': ['Conv2d', 'ConvTranspose2d', 'Linear', 'MaxPool2d'],
    'torch.nn': ['SyncBatchNorm'],
})
