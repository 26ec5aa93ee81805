"""Operators in plain torch, for devices on which torch's own do not run."""
from torch.nn import SyncBatchNorm

from .host_sync_bn import HostSyncBatchNorm, shares_statistics, use_host_sync_batchnorm
from .wide_sync_bn import WideSyncBatchNorm, fit_sync_batchnorm

__all__ = ['HostSyncBatchNorm', 'SyncBatchNorm', 'WideSyncBatchNorm', 'fit_sync_batchnorm',
           'shares_statistics', 'use_host_sync_batchnorm']
