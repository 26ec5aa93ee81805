"""Recomputes the running statistics of batch norms for the present weights of a model."""
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

STATISTICS = ('running_mean', 'running_var')


def is_running_statistic(module: nn.Module, name: str) -> bool:
    """Whether the buffer `name` of a module is updated from its input in training."""
    return name in STATISTICS or (isinstance(module, _NormBase)
                                  and module._buffers[name].is_floating_point())


@torch.no_grad()
def estimate_statistics(model: nn.Module, batches: Iterable[Any],
                        step: Callable[[Any], object]) -> dict[str, Tensor]:
    """Mean and variance of each batch norm's input over `batches`, by the names of the buffers.

    `step` runs the model on one batch as training does. Frozen norms, and those that no batch
    reaches, are not in the result. The model's buffers and modes are restored.

    Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(module, name, buffer, buffer.clone()) for module in model.modules()
               for name, buffer in module._buffers.items() if buffer is not None]
    model.train()  # a model's own method, which may keep norms in evaluation mode
    norms = {name: module for name, module in model.named_modules()
             if isinstance(module, _BatchNorm) and module.training
             and module.running_mean is not None}
    momenta = [norm.momentum for norm in norms.values()]
    try:
        for norm in norms.values():
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean
        for batch in batches:
            step(batch)
        return {f'{name}.{key}': getattr(norm, key).clone() for name, norm in norms.items()
                if norm.num_batches_tracked > 0 for key in STATISTICS}
    finally:
        for norm, momentum in zip(norms.values(), momenta, strict=True):
            norm.momentum = momentum
        for module, name, buffer, values in buffers:
            module._buffers[name] = buffer.copy_(values)
        for module, mode in modes:
            module.training = mode
