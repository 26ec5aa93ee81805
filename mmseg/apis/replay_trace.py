"""One training step that records where numbers first become infinite or NaN."""
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class Trace:
    """Results of a step: losses, and the first places with numbers that are not finite."""

    losses: dict[str, float] = field(default_factory=dict)
    weight: str | None = None  # the first weight that is not finite
    module: str | None = None  # the first module whose output is not finite
    gradient: str | None = None  # the parameter nearest to the loss whose gradient is not finite
    gradients: tuple[int, int] = (0, 0)  # number of such parameters, and of all with gradients
    norm: float = 0.0  # of all gradients together

    @property
    def finite(self) -> bool:
        values = torch.tensor([*self.losses.values(), self.norm])
        return self.module is None and bool(torch.isfinite(values).all())


def trace_step(model: nn.Module, batch: Any) -> Trace:
    """Run a batch forward and backward; `model`: from wrap_model, in training mode."""
    trace = Trace()
    trace.weight = next((name for name, value in model.module.state_dict().items()
                         if not is_finite(value)), None)
    with _watched(model.module, trace):
        outputs = model.train_step(batch, None)
    trace.losses = {name: float(value) for name, value in outputs['log_vars'].items()}
    outputs['loss'].backward()
    gradients = {name: parameter.grad for name, parameter in model.module.named_parameters()
                 if parameter.grad is not None}
    spoiled = [name for name, gradient in gradients.items() if not is_finite(gradient)]
    trace.gradient = spoiled[-1] if spoiled else None
    trace.gradients = len(spoiled), len(gradients)
    trace.norm = float(nn.utils.get_total_norm([value.float() for value in gradients.values()]))
    return trace


@contextmanager
def _watched(model: nn.Module, trace: Trace) -> Iterator[None]:
    """Record the first module whose output is not finite."""
    def watch(name: str, module: nn.Module) -> Any:
        def look(module: nn.Module, inputs: tuple, output: Any) -> None:
            if trace.module is None and not is_finite(output):
                origin = 'from finite inputs' if is_finite(inputs) else 'its inputs are not either'
                trace.module = f'{name} ({type(module).__name__}), {origin}'
        return module.register_forward_hook(look)

    handles = [watch(name, module) for name, module in model.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def is_finite(value: Any) -> bool:
    """Whether all tensors in nested dicts, lists and tuples are finite."""
    if isinstance(value, Tensor):
        return bool(torch.isfinite(value).all())
    if isinstance(value, dict):
        value = tuple(value.values())
    return all(map(is_finite, value)) if isinstance(value, list | tuple) else True
