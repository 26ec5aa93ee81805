"""The optimizer that a config names."""
import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ...device import FUSED_OPTIMIZERS, fused_optimizer, fused_optimizers
from ...utils import Registry

OPTIMIZERS = Registry('optimizer')
OPTIMIZER_BUILDERS = Registry('optimizer constructor')
# Options of torch's optimizers that say how a step is computed, not what.
KERNEL_CHOICES = ('foreach', 'fused', 'differentiable', 'capturable')

for _, _optimizer in inspect.getmembers(torch.optim, inspect.isclass):
    if issubclass(_optimizer, torch.optim.Optimizer) and _optimizer is not torch.optim.Optimizer:
        OPTIMIZERS.register_module(module=_optimizer)


def _device_dependent(name: str) -> Callable[..., torch.optim.Optimizer]:
    def make(params: Iterable, **options: Any) -> torch.optim.Optimizer:
        groups = list(params)
        return fused_optimizer(name, _device_of(groups))(groups, **options)
    return make


def _device_of(groups: list) -> torch.device:
    first = groups[0]['params'] if isinstance(groups[0], dict) else groups
    return next(iter(first if isinstance(first, list) else [first])).device


for _name in FUSED_OPTIMIZERS:
    OPTIMIZERS.register_module(_name, module=_device_dependent(_name))


def with_kernels(cfg: dict[str, Any], params: list) -> dict[str, Any]:
    """An optimizer's config, with `fused=True` where torch has that and nothing else is chosen.

    One kernel then steps all parameters, and the loss scale of mixed precision needs no host.
    """
    name = cfg.get('type')
    if not params or any(choice in cfg for choice in KERNEL_CHOICES) or (
            name not in fused_optimizers(_device_of(params))):
        return cfg
    # A user may have registered another class under torch's name.
    own = OPTIMIZERS.get(name) is getattr(torch.optim, name)
    return {**cfg, 'fused': True} if own else cfg


def build_optimizer_constructor(cfg: dict[str, Any]) -> Any:
    """The object that makes an optimizer for a model."""
    return OPTIMIZER_BUILDERS.build(cfg)


def build_optimizer(model: nn.Module, cfg: dict[str, Any]) -> torch.optim.Optimizer:
    """The optimizer of `optimizer = dict(type='SGD', lr=0.01, paramwise_cfg=dict(...))`.

    `constructor` names the class that groups the parameters, DefaultOptimizerConstructor unless
    given; `paramwise_cfg` is its to read.
    """
    optimizer_cfg = copy.deepcopy(cfg)
    constructor = optimizer_cfg.pop('constructor', 'DefaultOptimizerConstructor')
    paramwise_cfg = optimizer_cfg.pop('paramwise_cfg', None)
    return build_optimizer_constructor({'type': constructor, 'optimizer_cfg': optimizer_cfg,
                                        'paramwise_cfg': paramwise_cfg})(model)
