"""`init_cfg`: how a config chooses the initial weights of a module.

    init_cfg=[dict(type='Kaiming', layer='Conv2d'),
              dict(type='Constant', val=1, layer='BatchNorm2d')]
    init_cfg=dict(type='Normal', std=0.01, override=dict(name='conv_seg'))

`layer` names classes, or their base classes, of layers anywhere inside the module. `override`
treats one attribute of the module differently, with all that is inside it.
"""
import logging
from collections.abc import Mapping, Sequence

from torch import nn

from mmcv_replace.utils import build_from_cfg, warn_once
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError, UsageError

from .initializers import INITIALIZERS, BaseInit


def _configs(value: object, what: str) -> list[dict]:
    """One config or a list of them as a list. Raises ConfigTypeError for anything else."""
    configs = [value] if isinstance(value, Mapping) else value
    if not isinstance(configs, list | tuple) or not all(isinstance(c, Mapping) for c in configs):
        raise ConfigTypeError(f'{what} must be a dict or a list of dicts, not {value!r}')
    return list(configs)


def _initialize_override(module: nn.Module, override: dict | Sequence[dict], cfg: dict) -> None:
    for item in _configs(override, "'override' of an init_cfg"):
        own = dict(item)
        name = own.pop('name', None)
        if name is None:
            raise ConfigError(f"init_cfg override {dict(item)} lacks 'name': the attribute of "
                              f'{type(module).__name__} to treat')
        if own and 'type' not in own:
            raise ConfigError(f"init_cfg override {dict(item)} lacks 'type': give the "
                              'initializer too, or the name alone to use the outer one')
        if not hasattr(module, name):
            raise UsageError(f'init_cfg override {dict(item)}: {type(module).__name__} has no '
                             f'attribute {name!r}')
        initializer = build_from_cfg(own or cfg, INITIALIZERS)
        initializer.wholemodule = True
        initializer(getattr(module, name))


def initialize(module: nn.Module, init_cfg: dict | Sequence[dict]) -> None:
    """Draw or load the weights of `module` by one initializer config, or by several in turn.

    Raises ConfigTypeError for what is no dict or list of dicts, and UsageError for an
    `override` of an attribute that the module does not have.
    """
    for item in _configs(init_cfg, 'init_cfg'):
        cfg = item.copy()
        override = cfg.pop('override', None)
        initializer = build_from_cfg(cfg, INITIALIZERS)
        if isinstance(initializer, BaseInit) and not initializer.layer and override is None:
            warn_once(f'init_cfg {dict(item)} of {type(module).__name__} changes nothing: name the '
                      "classes of layers in 'layer', or attributes in 'override'",
                      logging.getLogger('mmseg.cnn'))
        initializer(module)
        if override is not None:
            cfg.pop('layer', None)
            _initialize_override(module, override, cfg)
