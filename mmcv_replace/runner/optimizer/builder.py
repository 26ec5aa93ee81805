"""The optimizer that a config names."""
import copy
import inspect
from typing import Any

import torch
from torch import nn

from ...utils import Registry

OPTIMIZERS = Registry('optimizer')
OPTIMIZER_BUILDERS = Registry('optimizer constructor')

for _, _optimizer in inspect.getmembers(torch.optim, inspect.isclass):
    if issubclass(_optimizer, torch.optim.Optimizer) and _optimizer is not torch.optim.Optimizer:
        OPTIMIZERS.register_module(module=_optimizer)


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
