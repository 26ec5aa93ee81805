"""The normalisation classes of torch under the names that mmcv gives them."""
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

__all__ = ['SyncBatchNorm', '_BatchNorm', '_InstanceNorm']
