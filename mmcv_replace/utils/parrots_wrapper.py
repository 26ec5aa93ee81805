"""Classes of torch under the names that mmcv gives them, and how torch was built."""
import torch
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.modules.pooling import (
    _AdaptiveAvgPoolNd,
    _AdaptiveMaxPoolNd,
    _AvgPoolNd,
    _MaxPoolNd,
)
from torch.utils.data import DataLoader

from .version_utils import TORCH_VERSION

_ConvTransposeMixin = _ConvTransposeNd
PoolDataLoader = DataLoader

__all__ = [
    'TORCH_VERSION', 'DataLoader', 'PoolDataLoader', 'SyncBatchNorm', '_AdaptiveAvgPoolNd',
    '_AdaptiveMaxPoolNd', '_AvgPoolNd', '_BatchNorm', '_ConvNd', '_ConvTransposeMixin',
    '_InstanceNorm', '_MaxPoolNd', 'get_build_config', 'is_rocm_pytorch']


def get_build_config() -> str:
    """The settings with which torch was compiled."""
    return torch.__config__.show()


def is_rocm_pytorch() -> bool:
    """Whether torch was built for devices of AMD."""
    return torch.version.hip is not None
