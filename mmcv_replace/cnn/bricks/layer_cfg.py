"""Build a layer from its config: the common part of all `build_*_layer` functions."""
from collections.abc import Callable
from functools import partial

from torch import nn

from mmcv_replace.utils import ConfigDict, Registry
from mmcv_replace.utils.checks.signature import check_arguments, check_values, explain_type_error
from mmcv_replace.utils.errors import (
    ArgumentError,
    ConfigKeyError,
    ConfigTypeError,
)

# Default arguments; no builder changes its config.
RELU = {'type': 'ReLU'}
BN = {'type': 'BN'}


def layer_class(registry: Registry, cfg: dict) -> tuple[Callable[..., nn.Module], dict]:
    """The class that `cfg['type']` names (or is), and the other entries of `cfg`."""
    if not isinstance(cfg, dict) or 'type' not in cfg:
        error = ConfigKeyError if isinstance(cfg, dict) else ConfigTypeError
        raise error(f"a {registry.name} is described by a dict with a 'type', not by {cfg!r}")
    options = dict(cfg)
    kind = options.pop('type')
    if not isinstance(kind, str) and not callable(kind):
        raise ConfigTypeError(f"the 'type' of a {registry.name} is a name or a class, not {kind!r}")
    return (registry.find(kind) if isinstance(kind, str) else kind), options


def instantiate(cls: Callable[..., nn.Module], cfg: dict, *args: object,
                **kwargs: object) -> nn.Module:
    """Call `cls`; raises ArgumentError, which names the key of `cfg`, for an unknown argument."""
    kind = cfg['type']
    label = f'layer {kind if isinstance(kind, str) else kind.__name__!r}'
    origin = cfg.origin if isinstance(cfg, ConfigDict) else lambda key: None
    check_arguments(label, partial(cls, *args), kwargs, origin)
    check_values(label, cls, kwargs, origin)
    try:
        return cls(*args, **kwargs)
    except TypeError as error:
        explained = explain_type_error(error, label, cls, kwargs, origin)
        if explained is None:
            raise
        raise explained from error


def build_layer(registry: Registry, cfg: dict, *args: object, **kwargs: object) -> nn.Module:
    """Build the layer that `cfg` describes; `args` and `kwargs` come from the module around it."""
    cls, options = layer_class(registry, cfg)
    twice = sorted(options.keys() & kwargs.keys())
    if twice:
        raise ArgumentError(f'{registry.name} {cfg["type"]!r}: {", ".join(twice)} is set by the '
                            f'module around it; leave it out of the config {dict(cfg)}')
    return instantiate(cls, cfg, *args, **kwargs, **options)


def name_with(postfix: int | str, abbr: str) -> str:
    """`abbr` and `postfix` as one name: 'bn', 1 -> 'bn1'. Raises ConfigTypeError for others."""
    if not isinstance(postfix, int | str):
        raise ConfigTypeError(f'postfix={postfix!r} must be a number or a str, as in {abbr}1')
    return f'{abbr}{postfix}'
