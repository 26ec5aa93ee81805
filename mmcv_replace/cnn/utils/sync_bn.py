"""SyncBatchNorm on one process or a CPU: an ordinary batch norm with the same state."""
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _BatchNormXd(_BatchNorm):
    """Batch norm of [N, C, ...] with any number of dimensions, as SyncBatchNorm takes them."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f'batch norm needs an input [N, C, ...], got {tuple(input.shape)}')


def _reverted(norm: nn.SyncBatchNorm) -> _BatchNormXd:
    plain = _BatchNormXd(norm.num_features, norm.eps, norm.momentum, norm.affine,
                         norm.track_running_stats)
    # The very tensors, so that optimizers and shared references stay valid.
    plain._parameters = norm._parameters
    plain._buffers = norm._buffers
    return plain.train(norm.training)


def revert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every SyncBatchNorm in `module` by a plain batch norm, in place; returns the module.

    Parameters, buffers, their names, and the training flag stay as they are. When `module` itself
    is a SyncBatchNorm, its replacement is returned.
    """
    if isinstance(module, nn.SyncBatchNorm):
        return _reverted(module)
    # Not named_children(): it would list a layer that stands here under two names only once.
    for name, child in module._modules.items():
        if child is not None:
            module._modules[name] = revert_sync_batchnorm(child)
    return module
