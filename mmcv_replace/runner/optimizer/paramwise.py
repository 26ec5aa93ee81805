"""Reads `paramwise_cfg`: which factors of learning rate and weight decay a parameter has."""
from collections.abc import Collection, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ...utils import warn_once
from ...utils.errors import ConfigError, ConfigTypeError
from ...utils.suggest import did_you_mean

KEYS = ('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'dwconv_decay_mult',
        'dcn_offset_lr_mult', 'bypass_duplicate')
CUSTOM_KEYS = ('lr_mult', 'decay_mult')
# The configs of DNLNet have it, whose published scores were made with the whole weight decay.
WITHOUT_EFFECT = 'wd_mult'
MAX_VALUE = 1e30  # more would overflow in the arithmetic of float32
# By name, so that neither the operators need be imported nor those of other packages be left out.
DEFORMABLE = {'DeformConv2d', 'ModulatedDeformConv2d'}


def factors(paramwise_cfg: dict[str, Any], name: str, module: nn.Module,
            in_deformable: bool) -> tuple[float, float]:
    """Factors of the learning rate and of the weight decay of a parameter.

    `name`: full name of the parameter. `module`: the module that owns it. `in_deformable`: whether
    that is a child of a deformable convolution, such as the one that computes the offsets.
    """
    custom = paramwise_cfg.get('custom_keys', {})
    # Of equally long ones the first alphabetically.
    key = max(sorted(key for key in custom if key in name), key=len, default=None)
    if key is not None:
        return custom[key].get('lr_mult', 1.0), custom[key].get('decay_mult', 1.0)
    is_norm = isinstance(module, (_NormBase, nn.GroupNorm, nn.LayerNorm))
    is_depthwise = isinstance(module, nn.Conv2d) and module.in_channels == module.groups
    is_plain_bias = name.rpartition('.')[2] == 'bias' and not (is_norm or in_deformable)
    lr_key = 'bias_lr_mult' if is_plain_bias else None
    if in_deformable and isinstance(module, nn.Conv2d) and 'conv_offset' in name:
        lr_key = 'dcn_offset_lr_mult'
    if is_norm:
        decay_key = 'norm_decay_mult'
    elif is_depthwise:
        decay_key = 'dwconv_decay_mult'
    else:
        decay_key = 'bias_decay_mult' if is_plain_bias else None
    return paramwise_cfg.get(lr_key, 1.0), paramwise_cfg.get(decay_key, 1.0)


def is_deformable(module: nn.Module) -> bool:
    """Whether a module is a deformable convolution, or derived from one."""
    return not DEFORMABLE.isdisjoint(kind.__name__ for kind in type(module).__mro__)


def check_paramwise(optimizer_cfg: dict[str, Any], paramwise_cfg: dict[str, Any]) -> None:
    """Raise ConfigError for values that cannot be used, and for keys that are not known."""
    for key in ('lr', 'weight_decay'):
        _check_number(f'optimizer.{key}', optimizer_cfg.get(key))
    _check_factors('paramwise_cfg', paramwise_cfg, KEYS)
    custom = paramwise_cfg.get('custom_keys', {})
    check_dict('paramwise_cfg.custom_keys', custom)
    for name, given in custom.items():
        place = f'paramwise_cfg.custom_keys[{name!r}]'
        if isinstance(given, dict) and WITHOUT_EFFECT in given:
            warn_once(f'{place}: {WITHOUT_EFFECT} has no effect, as in mmcv; the factor of the '
                      'weight decay is decay_mult')
            given = {key: value for key, value in given.items() if key != WITHOUT_EFFECT}
        _check_factors(place, given, CUSTOM_KEYS)
    used = {*paramwise_cfg, *(key for given in custom.values() for key in given)}
    if optimizer_cfg.get('weight_decay') is None and any('decay_mult' in key for key in used):
        raise ConfigError('paramwise_cfg scales the weight decay, so the optimizer needs a '
                          'weight_decay of its own')
    if optimizer_cfg.get('lr') is None and any('lr_mult' in key for key in used):
        raise ConfigError('paramwise_cfg scales the learning rate, so the optimizer needs an lr of '
                          'its own')


def _check_number(place: str, value: object, needed: bool = False) -> None:
    """Raise ConfigError unless `value` is a number from 0; tensors are not checked."""
    if isinstance(value, torch.Tensor) or value is None and not needed:
        return
    if not isinstance(value, int | float) or not 0 <= value <= MAX_VALUE:
        raise ConfigError(f'{place}={value!r} is not a number from 0 to {MAX_VALUE:g}')


def check_dict(place: str, value: object) -> None:
    """Raise ConfigTypeError for a value that is no dict."""
    if not isinstance(value, dict):
        raise ConfigTypeError(f'{place} is a dict, not {value!r}')


def _check_factors(place: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    check_dict(place, given)
    for key in given:
        if key not in known:
            raise ConfigError(f'{place} has no key {key!r}{did_you_mean(key, known)}; its keys: '
                              f'{", ".join(known)}')
    for key, factor in given.items():
        if key.endswith('_mult'):
            _check_number(f'{place}.{key}', factor, needed=True)


def warn_unmatched(custom_keys: Iterable[str], names: Collection[str]) -> None:
    """Warn of keys that occur in the name of no parameter."""
    parts = {part for name in names for part in name.split('.')}
    for key in custom_keys:
        if not any(key in name for name in names):
            warn_once(f'paramwise_cfg.custom_keys[{key!r}] is in the name of no parameter'
                      f'{did_you_mean(key, parts)}')
