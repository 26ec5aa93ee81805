"""Sets learning rate and weight decay by kind and name of the parameters."""
import copy
import logging
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ...parallel import is_module_wrapper
from ...utils import build_from_cfg, warn_once
from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean
from .builder import OPTIMIZER_BUILDERS, OPTIMIZERS, with_kernels
from .fused import watch_kernels

KEYS = ('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'dwconv_decay_mult',
        'bypass_duplicate')
CUSTOM_KEYS = ('lr_mult', 'decay_mult')
MAX_VALUE = 1e30  # more would overflow in the arithmetic of float32


@OPTIMIZER_BUILDERS.register_module()
class DefaultOptimizerConstructor:
    """Builds an optimizer; parameters with equal settings share one group.

    Keys of `paramwise_cfg`, each a factor of the optimizer's lr or weight_decay:
        custom_keys: {part of a name: dict(lr_mult=1, decay_mult=1)}; of the parts that occur in a
            parameter's name the longest is used, and the other keys are not
        bias_lr_mult, bias_decay_mult: for biases, except those of normalisation layers
        norm_decay_mult: for all parameters of normalisation layers
        dwconv_decay_mult: for all parameters of depth-wise convolutions
    and `bypass_duplicate`: accept that modules share parameters, and step these once.
    """

    def __init__(self, optimizer_cfg: dict[str, Any],
                 paramwise_cfg: dict[str, Any] | None = None) -> None:
        if not isinstance(optimizer_cfg, dict):
            raise ConfigError(f'optimizer is a dict with a type, not {optimizer_cfg!r}')
        self.optimizer_cfg = optimizer_cfg
        self.paramwise_cfg = paramwise_cfg or {}
        self.base_lr = optimizer_cfg.get('lr')
        self.base_wd = optimizer_cfg.get('weight_decay')
        self._check()

    def _check(self) -> None:
        for key in ('lr', 'weight_decay'):
            _check_number(f'optimizer.{key}', self.optimizer_cfg.get(key))
        _check_factors('paramwise_cfg', self.paramwise_cfg, KEYS)
        custom = self.paramwise_cfg.get('custom_keys', {})
        _check_dict('paramwise_cfg.custom_keys', custom)
        for name, factors in custom.items():
            _check_factors(f'paramwise_cfg.custom_keys[{name!r}]', factors, CUSTOM_KEYS)
        used = {*self.paramwise_cfg, *(key for factors in custom.values() for key in factors)}
        if self.base_wd is None and any('decay_mult' in key for key in used):
            raise ConfigError('paramwise_cfg scales the weight decay, so the optimizer needs a '
                              'weight_decay of its own')
        if self.base_lr is None and any('lr_mult' in key for key in used):
            raise ConfigError('paramwise_cfg scales the learning rate, so the optimizer needs an '
                              'lr of its own')

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimizer for all parameters of a model, including frozen ones."""
        if is_module_wrapper(model):
            model = model.module
        params = self._groups(model) if self.paramwise_cfg else list(model.parameters())
        cfg = with_kernels(copy.copy(self.optimizer_cfg), params)
        optimizer = build_from_cfg(cfg, OPTIMIZERS, {'params': params})
        if isinstance(optimizer, torch.optim.Optimizer):
            watch_kernels(optimizer)
        return optimizer

    def _groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Groups of parameters with equal settings, in the order of their first parameters."""
        groups: dict[tuple[tuple[str, float], ...], list[nn.Parameter]] = {}
        names: dict[nn.Parameter, str] = {}
        custom = self.paramwise_cfg.get('custom_keys', {})
        for name, parameter, module in _walk(model):
            if parameter in names:
                self._meet_again(name, names[parameter])
                continue
            names[parameter] = name
            # Of equally long ones the first alphabetically.
            key = max(sorted(key for key in custom if key in name), key=len, default=None)
            settings = self._settings(name, module, custom.get(key))
            groups.setdefault(tuple(settings.items()), []).append(parameter)
        _warn_unmatched(custom, names.values())
        return [{'params': parameters, **dict(settings)} for settings, parameters in groups.items()]

    def _meet_again(self, name: str, first_name: str) -> None:
        if not self.paramwise_cfg.get('bypass_duplicate', False):
            raise ConfigError(f'{name} and {first_name} are one parameter: set '
                              'paramwise_cfg.bypass_duplicate=True to train it once')
        logging.getLogger('mmseg').warning('%s is the same parameter as %s and keeps its settings',
                                           name, first_name)

    def _settings(self, name: str, module: nn.Module,
                  custom: dict[str, float] | None) -> dict[str, float]:
        """Learning rate and weight decay of one parameter, if the optimizer sets them."""
        if custom is not None:
            lr_mult, decay_mult = custom.get('lr_mult', 1.0), custom.get('decay_mult', 1.0)
        else:
            lr_mult, decay_mult = self._factors(name.rpartition('.')[2] == 'bias', module)
        settings = {}
        if self.base_lr is not None:
            settings['lr'] = self.base_lr * lr_mult
        if self.base_wd is not None:
            settings['weight_decay'] = self.base_wd * decay_mult
        return settings

    def _factors(self, is_bias: bool, module: nn.Module) -> tuple[float, float]:
        """Factors of learning rate and weight decay for the kind of a parameter."""
        is_norm = isinstance(module, (_NormBase, nn.GroupNorm, nn.LayerNorm))
        is_depthwise = isinstance(module, nn.Conv2d) and module.in_channels == module.groups
        lr_key = 'bias_lr_mult' if is_bias and not is_norm else None
        if is_norm:
            decay_key = 'norm_decay_mult'
        elif is_depthwise:
            decay_key = 'dwconv_decay_mult'
        else:
            decay_key = 'bias_decay_mult' if is_bias else None
        return self.paramwise_cfg.get(lr_key, 1.0), self.paramwise_cfg.get(decay_key, 1.0)


def _check_number(place: str, value: object, needed: bool = False) -> None:
    """Raise ConfigError unless `value` is a number from 0; tensors are not checked."""
    if isinstance(value, torch.Tensor) or value is None and not needed:
        return
    if not isinstance(value, int | float) or not 0 <= value <= MAX_VALUE:
        raise ConfigError(f'{place}={value!r} is not a number from 0 to {MAX_VALUE:g}')


def _check_dict(place: str, value: object) -> None:
    if not isinstance(value, dict):
        raise ConfigError(f'{place} is a dict, not {value!r}')


def _check_factors(place: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    _check_dict(place, given)
    for key in given:
        if key not in known:
            raise ConfigError(f'{place} has no key {key!r}{did_you_mean(key, known)}; its keys: '
                              f'{", ".join(known)}')
    for key, factor in given.items():
        if key.endswith('_mult'):
            _check_number(f'{place}.{key}', factor, needed=True)


def _warn_unmatched(custom_keys: Iterable[str], names: Collection[str]) -> None:
    parts = {part for name in names for part in name.split('.')}
    for key in custom_keys:
        if not any(key in name for name in names):
            warn_once(f'paramwise_cfg.custom_keys[{key!r}] is in the name of no parameter'
                      f'{did_you_mean(key, parts)}')


def _walk(model: nn.Module) -> Iterator[tuple[str, nn.Parameter, nn.Module]]:
    """Name, parameter and the module that owns it; shared parameters once for each module."""
    for prefix, module in model.named_modules(remove_duplicate=False):
        for name, parameter in module.named_parameters(recurse=False):
            yield f'{prefix}.{name}', parameter, module
