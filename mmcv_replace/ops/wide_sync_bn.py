"""SyncBatchNorm for devices whose kernels do not take every floating-point type."""
import torch
from torch import Tensor, nn

from ..device import kind_of
from .host_sync_bn import use_host_sync_batchnorm

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class WideSyncBatchNorm(nn.SyncBatchNorm):
    """As torch.nn.SyncBatchNorm, computed in float32 where the input's type is not `accepted`.

    x: [N, C, ...]; the output has the type of the input.
    """

    accepted: tuple[torch.dtype, ...] = (torch.float32,)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype in self.accepted:
            return super().forward(x)
        return super().forward(x.float()).to(x.dtype)


def fit_sync_batchnorm(module: nn.Module, device: torch.device) -> nn.Module:
    """Replace every torch SyncBatchNorm in `module`, in place, by one that runs on `device`.

    Names, parameters and process groups are kept.
    """
    kind = kind_of(device)
    if not kind.sync_batchnorm:
        return use_host_sync_batchnorm(module)
    accepted = tuple(getattr(torch, name) for name in kind.sync_batchnorm_types)
    if set(FLOATS) <= set(accepted):
        return module
    for layer in module.modules():
        if type(layer) is nn.SyncBatchNorm:
            layer.__class__ = WideSyncBatchNorm
            layer.accepted = accepted
    return module
