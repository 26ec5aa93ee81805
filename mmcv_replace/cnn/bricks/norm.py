"""Normalisation layers by name, and their attribute names inside a module."""
import re

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from .layer_cfg import instantiate, layer_class, name_with
from .registry import NORM_LAYERS

_SHORT_NAMES = ((_InstanceNorm, 'in'), (_BatchNorm, 'bn'), (nn.GroupNorm, 'gn'),
                (nn.LayerNorm, 'ln'))


def infer_abbr(class_type: type) -> str:
    """Short name of a norm class: its `_abbr_` if it has one, else bn, gn, ln or in.

    For a class that is not derived from torch's norms, its name decides; 'norm_layer' when that
    contains none of batch, group, layer, instance. Raises ConfigTypeError for what is no class.
    """
    if not isinstance(class_type, type):
        raise ConfigTypeError(f'infer_abbr needs a class, got {class_type!r}')
    if hasattr(class_type, '_abbr_'):
        return class_type._abbr_
    for family, name in _SHORT_NAMES:
        if issubclass(class_type, family):
            return name
    word = re.search('batch|group|layer|instance', class_type.__name__.lower())
    names = dict(batch='bn', group='gn', layer='ln', instance='in')
    return names[word[0]] if word else 'norm_layer'


def build_norm_layer(cfg: dict, num_features: int,
                     postfix: int | str = '') -> tuple[str, nn.Module]:
    """Build the norm layer that `cfg` names: (its name such as 'bn1', the layer).

    `requires_grad=False` in `cfg` freezes weight and bias; `eps` is 1e-5 unless it is given.
    """
    cls, options = layer_class(NORM_LAYERS, cfg)
    name = name_with(postfix, infer_abbr(cls))
    requires_grad = options.pop('requires_grad', True)
    options.setdefault('eps', 1e-5)
    if issubclass(cls, nn.GroupNorm):
        if 'num_groups' not in options:
            raise ConfigError(f'norm_cfg {dict(cfg)} lacks num_groups: GroupNorm needs it, such as '
                              "norm_cfg=dict(type='GN', num_groups=32)")
        options['num_channels'] = num_features
        layer = instantiate(cls, cfg, **options)
    else:
        layer = instantiate(cls, cfg, num_features, **options)
    for param in layer.parameters():
        param.requires_grad = requires_grad
    return name, layer


def is_norm(layer: nn.Module, exclude: type | tuple[type, ...] | None = None) -> bool:
    """Whether `layer` is one of torch's batch, instance, group or layer norms.

    `exclude`: a class, or several, that count as none. Raises ConfigTypeError for what is no class.
    """
    excluded = () if exclude is None else exclude if isinstance(exclude, tuple) else (exclude,)
    if not all(isinstance(cls, type) for cls in excluded):
        raise ConfigTypeError(f'is_norm: exclude={exclude!r} must be a class or a tuple of classes')
    return (isinstance(layer, tuple(family for family, _ in _SHORT_NAMES))
            and not isinstance(layer, excluded))
