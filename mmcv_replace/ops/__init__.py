"""Operators, all in plain torch; kernels of a vendor are chosen through the device table."""
from torch.nn import SyncBatchNorm

from .host_sync_bn import HostSyncBatchNorm, shares_statistics, use_host_sync_batchnorm
from .wide_sync_bn import WideSyncBatchNorm, fit_sync_batchnorm

__all__ = ['HostSyncBatchNorm', 'SyncBatchNorm', 'WideSyncBatchNorm', 'fit_sync_batchnorm',
           'shares_statistics', 'use_host_sync_batchnorm']
