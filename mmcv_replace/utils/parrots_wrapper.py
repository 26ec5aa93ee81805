"""The normalisation classes under the names by which user code tells them apart."""
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

__all__ = ['SyncBatchNorm', '_BatchNorm', '_InstanceNorm']
