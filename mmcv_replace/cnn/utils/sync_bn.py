"""Replace SyncBatchNorm by another batch norm with the same state."""
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class BatchNormXd(_BatchNorm):
    """Batch norm of [N, C, ...] with any number of dimensions, as SyncBatchNorm takes them."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f'batch norm needs an input [N, C, ...], got {tuple(input.shape)}')


def replace_sync_batchnorm(module: nn.Module, kind: type[BatchNormXd]) -> nn.Module:
    """Replace every SyncBatchNorm in `module` by a `kind`, in place; returns the module.

    Parameters, buffers, their names, and the training flag stay as they are. When `module` itself
    is a SyncBatchNorm, its replacement is returned.
    """
    if isinstance(module, nn.SyncBatchNorm):
        new = kind(module.num_features, module.eps, module.momentum, module.affine,
                   module.track_running_stats)
        # The same tensors, so that optimizers and shared references stay valid.
        new._parameters, new._buffers = module._parameters, module._buffers
        return new.train(module.training)
    # Not named_children(), which lists a layer with two names only once.
    for name, child in module._modules.items():
        if child is not None:
            module._modules[name] = replace_sync_batchnorm(child, kind)
    return module


def revert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every SyncBatchNorm by a plain batch norm, which in one process computes the same."""
    return replace_sync_batchnorm(module, BatchNormXd)
