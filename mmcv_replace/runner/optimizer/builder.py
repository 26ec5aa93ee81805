"""Builds the optimizer of a config, with the fused kernels of its device."""
import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ...device import FUSED_OPTIMIZERS, fused_optimizer, kind_of
from ...utils import Registry, warn_once
from .fused import settle_kernels

OPTIMIZERS = Registry('optimizer', base=torch.optim.Optimizer)
OPTIMIZER_BUILDERS = Registry('optimizer constructor', base=Callable)
# Options of torch's optimizers that choose an implementation and do not change the result.
KERNEL_CHOICES = ('foreach', 'fused', 'differentiable', 'capturable')


def register_torch_optimizers() -> list[str]:
    """Enter the optimizers of torch; returns the names of all of them and of their base class."""
    found = [cls for _, cls in inspect.getmembers(torch.optim, inspect.isclass)
             if issubclass(cls, torch.optim.Optimizer)]
    for optimizer in found:
        if optimizer is not torch.optim.Optimizer:
            OPTIMIZERS.register_module(module=optimizer, force=True)
    return [optimizer.__name__ for optimizer in found]


TORCH_OPTIMIZERS = register_torch_optimizers()


def _device_dependent(name: str) -> Callable[..., torch.optim.Optimizer]:
    def make(params: Iterable, **options: Any) -> torch.optim.Optimizer:
        groups = list(params)
        parameters = _parameters(groups)
        make_it = fused_optimizer(name, parameters[0].device, _are_floating(parameters))
        return make_it(groups, **options)
    return make


def _parameters(groups: list) -> list[torch.Tensor]:
    """The parameters in an optimizer's first argument, which may consist of groups."""
    parts = [group['params'] if isinstance(group, dict) else group for group in groups]
    return [p for part in parts for p in ([part] if isinstance(part, torch.Tensor) else part)]


def _are_floating(parameters: Iterable[torch.Tensor]) -> bool:
    return all(parameter.is_floating_point() for parameter in parameters)


for _name in FUSED_OPTIMIZERS:
    OPTIMIZERS.register_module(_name, module=_device_dependent(_name))


def with_kernels(cfg: dict[str, Any], params: list) -> dict[str, Any]:
    """An optimizer's config with `fused=True`, if torch supports it and the config chooses nothing.

    A fused kernel steps all parameters at once and applies the loss scale without the host. torch
    refuses it for complex and integer parameters; for these `fused` is removed.
    """
    name = cfg.get('type')
    parameters = _parameters(params)
    if not _are_floating(parameters):
        if not cfg.get('fused'):
            return cfg
        warn_once(f'optimizer {name}: fused=True is left out, since not all parameters are real '
                  'floating-point numbers')
        return {key: value for key, value in cfg.items() if key != 'fused'}
    if not parameters or any(choice in cfg for choice in KERNEL_CHOICES) or any(
            name not in kind_of(device).fused_optimizers
            for device in {p.device for p in parameters}):
        return cfg
    if OPTIMIZERS.get(name) is not getattr(torch.optim, name):  # a user's, of the same name
        return cfg
    fused = copy.copy(cfg)  # keeps the origins of the settings
    fused['fused'] = True
    return fused


def build_optimizer_constructor(cfg: dict[str, Any]) -> Any:
    """The object that builds an optimizer for a model when called with it."""
    return OPTIMIZER_BUILDERS.build(cfg)


def build_optimizer(model: nn.Module, cfg: dict[str, Any],
                    master_dtype: torch.dtype | None = None,
                    joined: bool = False) -> torch.optim.Optimizer:
    """The optimizer of `optimizer = dict(type='SGD', lr=0.01, paramwise_cfg=dict(...))`.

    `constructor`: class that groups the parameters by `paramwise_cfg`, by default
    DefaultOptimizerConstructor. Fused kernels with wrong results are turned off (see fused.py);
    `master_dtype`: data type of the copies that will be stepped for weights in low precision.
    `joined`: let parameters with equal settings share a group, which steps faster than one a
    parameter; the groups of a constructor of the user's stay as they are.
    """
    optimizer_cfg = copy.deepcopy(cfg)
    constructor = optimizer_cfg.pop('constructor', 'DefaultOptimizerConstructor')
    paramwise_cfg = optimizer_cfg.pop('paramwise_cfg', None)
    build = build_optimizer_constructor({
        'type': constructor, 'optimizer_cfg': optimizer_cfg, 'paramwise_cfg': paramwise_cfg})
    if hasattr(build, 'joined'):
        build.joined = joined
    optimizer = build(model)
    if isinstance(optimizer, torch.optim.Optimizer):  # a user's constructor may return anything
        asked = bool(cfg.get('fused')) or cfg.get('type') in FUSED_OPTIMIZERS
        settle_kernels(optimizer, master_dtype, quiet=not asked)
    return optimizer
