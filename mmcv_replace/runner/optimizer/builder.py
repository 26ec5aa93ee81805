"""The optimizer that a config names."""
import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ...device import FUSED_OPTIMIZERS, fused_optimizer, fused_optimizers
from ...utils import Registry, warn_once
from .fused import settle_kernels

OPTIMIZERS = Registry('optimizer', torch.optim.Optimizer)
OPTIMIZER_BUILDERS = Registry('optimizer constructor', Callable)
# Options of torch's optimizers that say how a step is computed, not what.
KERNEL_CHOICES = ('foreach', 'fused', 'differentiable', 'capturable')

for _, _optimizer in inspect.getmembers(torch.optim, inspect.isclass):
    if issubclass(_optimizer, torch.optim.Optimizer) and _optimizer is not torch.optim.Optimizer:
        OPTIMIZERS.register_module(module=_optimizer)


def _device_dependent(name: str) -> Callable[..., torch.optim.Optimizer]:
    def make(params: Iterable, **options: Any) -> torch.optim.Optimizer:
        groups = list(params)
        parameters = _parameters(groups)
        make_it = fused_optimizer(name, parameters[0].device, _are_floating(parameters))
        return make_it(groups, **options)
    return make


def _parameters(groups: list) -> list[torch.Tensor]:
    """Those of an optimizer's first argument, which may have groups."""
    parts = [group['params'] if isinstance(group, dict) else group for group in groups]
    return [p for part in parts for p in ([part] if isinstance(part, torch.Tensor) else part)]


def _are_floating(parameters: Iterable[torch.Tensor]) -> bool:
    return all(parameter.is_floating_point() for parameter in parameters)


for _name in FUSED_OPTIMIZERS:
    OPTIMIZERS.register_module(_name, module=_device_dependent(_name))


def with_kernels(cfg: dict[str, Any], params: list) -> dict[str, Any]:
    """An optimizer's config, with `fused=True` where torch has that and nothing else is chosen.

    One kernel then steps all parameters, and the loss scale of mixed precision needs no host. torch
    refuses `fused` for complex parameters and whole numbers, where it is left out.
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
            name not in fused_optimizers(device) for device in {p.device for p in parameters}):
        return cfg
    # A user may have registered another class under torch's name.
    own = OPTIMIZERS.get(name) is getattr(torch.optim, name)
    if not own:
        return cfg
    fused = copy.copy(cfg)  # which keeps where its settings come from
    fused['fused'] = True
    return fused


def build_optimizer_constructor(cfg: dict[str, Any]) -> Any:
    """The object that makes an optimizer for a model."""
    return OPTIMIZER_BUILDERS.build(cfg)


def build_optimizer(model: nn.Module, cfg: dict[str, Any],
                    master_dtype: torch.dtype | None = None) -> torch.optim.Optimizer:
    """The optimizer of `optimizer = dict(type='SGD', lr=0.01, paramwise_cfg=dict(...))`.

    `constructor` names the class that groups the parameters, DefaultOptimizerConstructor unless
    given; `paramwise_cfg` is its to read. Fused kernels that do not step the weights right are
    turned off; `master_dtype` is the type of what will be stepped for weights in low precision.
    """
    optimizer_cfg = copy.deepcopy(cfg)
    constructor = optimizer_cfg.pop('constructor', 'DefaultOptimizerConstructor')
    paramwise_cfg = optimizer_cfg.pop('paramwise_cfg', None)
    optimizer = build_optimizer_constructor({
        'type': constructor, 'optimizer_cfg': optimizer_cfg, 'paramwise_cfg': paramwise_cfg})(model)
    if isinstance(optimizer, torch.optim.Optimizer):  # a constructor of the user's makes anything
        asked = bool(cfg.get('fused')) or cfg.get('type') in FUSED_OPTIMIZERS
        settle_kernels(optimizer, master_dtype, quiet=not asked)
    return optimizer
