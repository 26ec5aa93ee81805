"""Fold batch norms into the convolutions before them, for inference."""
import copy

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights


def fuse_conv_bn(module: nn.Module, declared_only: bool = False) -> nn.Module:
    """Fold each batch norm directly behind a convolution into it, in place; returns the module.

    Convolutions are Conv2d and ConvTranspose2d, the latter without groups.

    Children are taken to run in the order of their names. A class declares this by
    `runs_in_order = True` in its own body: subclasses do not inherit it, since they may run the
    same children in another order. `declared_only` leaves the children of other modules as they
    are, but not what is inside them. An instance whose `runs_in_order` is False is always left.
    The norm becomes an Identity. It is folded as it computes in eval mode, whichever mode is on.
    """
    cls = type(module)
    declared = cls is nn.Sequential or 'runs_in_order' in vars(cls)
    may_fold = getattr(module, 'runs_in_order', True) and (declared or not declared_only)
    previous = previous_name = None
    for name, child in list(module.named_children()):
        if may_fold and _foldable(previous, child):
            setattr(module, previous_name, _fold(previous, child))
            setattr(module, name, nn.Identity().train(child.training))
        else:
            fuse_conv_bn(child, declared_only)
        previous, previous_name = child, name
    return module


def _foldable(conv: nn.Module | None, norm: nn.Module) -> bool:
    # With its own forward (deformable, adaptive padding) a convolution is still linear in its
    # weight; where the weight is computed in each call (spectral norm, or by the word of the class)
    # there is nothing to fold into, and zeros of a masked result would get no shift. A norm
    # without running statistics takes those of the batch.
    known = isinstance(conv, nn.Conv2d) or (
        isinstance(conv, nn.ConvTranspose2d) and conv.groups == 1)
    return (known and isinstance(norm, _BatchNorm)
            and conv.out_channels == norm.num_features and 'weight' in conv._parameters
            and not getattr(conv, 'weight_is_computed', False)
            and not getattr(conv, 'result_is_masked', False) and norm.running_mean is not None)


def _fold(conv: nn.Module, norm: _BatchNorm) -> nn.Module:
    # A copy, for the convolution may stand before other norms, too.
    folded = copy.deepcopy(conv)
    folded.weight, folded.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight,
        norm.bias, transpose=isinstance(conv, nn.ConvTranspose2d))
    return folded
