"""Fold batch norms into the convolutions before them, for inference."""
from collections.abc import Callable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mmcv_replace.utils.errors import ConfigError


def _foldable(conv: nn.Module | None, norm: nn.Module) -> bool:
    # With its own forward (deformable, adaptive padding) a convolution is still linear in its
    # weight; with a computed weight (spectral norm) there is nothing to fold into.
    return (isinstance(conv, nn.Conv2d) and isinstance(norm, _BatchNorm)
            and conv.out_channels == norm.num_features and 'weight' in conv._parameters)


def fuse_conv_bn(module: nn.Module,
                 runs_in_order: Callable[[nn.Module], bool] | None = None) -> nn.Module:
    """Fold each batch norm that directly follows a Conv2d into it, in place; returns the module.

    A module's children are taken to run in the order in which it names them; where that is not
    known of all, `runs_in_order` says it of each module, and the others are left as they are. The
    norm becomes an Identity. The module must be in eval mode: raises ConfigError otherwise.
    """
    if module.training:
        raise ConfigError('fuse_conv_bn is for inference: call model.eval() first')
    from ..bricks.conv_module import ConvModule  # which imports this package
    order = module.order if isinstance(module, ConvModule) else ('conv', 'norm')
    adjacent = (order.index('norm') == order.index('conv') + 1
                and (runs_in_order is None or runs_in_order(module)))
    previous = previous_name = None
    for name, child in list(module.named_children()):
        if adjacent and _foldable(previous, child):
            setattr(module, previous_name, fuse_conv_bn_eval(previous, child))
            setattr(module, name, nn.Identity().eval())
        else:
            fuse_conv_bn(child, runs_in_order)
        previous, previous_name = child, name
    return module
