"""SyncBatchNorm for devices whose kernels do not take every floating-point type."""
import torch
from torch import Tensor, nn

from ..device import supports_sync_batchnorm, sync_batchnorm_types
from .host_sync_bn import use_host_sync_batchnorm

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class WideSyncBatchNorm(nn.SyncBatchNorm):
    """As torch.nn.SyncBatchNorm; an input that is none of `accepted` is computed in float32.

    x: [N, C, ...]; the output has the type of the input.
    """

    accepted: tuple[torch.dtype, ...] = (torch.float32,)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype in self.accepted:
            return super().forward(x)
        return super().forward(x.float()).to(x.dtype)


def fit_sync_batchnorm(module: nn.Module, device: torch.device) -> nn.Module:
    """Make every torch SyncBatchNorm in `module` one that runs on `device`.

    Parameters, names and process groups stay.
    """
    if not supports_sync_batchnorm(device):
        return use_host_sync_batchnorm(module)
    accepted = sync_batchnorm_types(device)
    if set(FLOATS) <= set(accepted):
        return module
    for layer in module.modules():
        if type(layer) is nn.SyncBatchNorm:
            layer.__class__ = WideSyncBatchNorm
            layer.accepted = accepted
    return module
