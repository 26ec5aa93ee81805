"""Float32 copies (masters) of low-precision weights for the optimizer."""
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

# Stay in float32: statistics over many values need more than 8 or 11 bits.
NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)


def cast_weights(model: nn.Module, dtype: torch.dtype) -> None:
    """Convert the floating-point parameters to `dtype` in place, except those of norms."""
    for module in model.modules():
        if isinstance(module, NORMS):
            continue
        for parameter in module.parameters(recurse=False):
            if parameter.is_floating_point():
                parameter.data = parameter.data.to(dtype)


class MasterWeights:
    """A float32 master for every low-precision parameter of an optimizer.

    The masters replace the parameters in the optimizer's groups; its state is then float32 too.
    They are written in place and never replaced, since fused optimizers keep their addresses.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        model = getattr(model, 'module', model)  # without a wrapper, whose prefix no name has
        names = {parameter: name for name, parameter in model.named_parameters()}
        self._pairs: list[tuple[str, nn.Parameter, nn.Parameter]] = []
        for group in optimizer.param_groups:
            group['params'] = [self._master(names[parameter], parameter)
                               for parameter in group['params']]

    def _master(self, name: str, parameter: nn.Parameter) -> nn.Parameter:
        if parameter.dtype not in (torch.float16, torch.bfloat16):
            return parameter
        master = nn.Parameter(parameter.detach().float(), parameter.requires_grad)
        self._pairs.append((name, parameter, master))
        return master

    def take_gradients(self) -> None:
        """Move the gradients of the low-precision weights to their masters."""
        for _, parameter, master in self._pairs:
            if parameter.grad is None:
                master.grad = None
            elif master.grad is None:
                master.grad = parameter.grad.float()
            else:
                master.grad.copy_(parameter.grad)

    @torch.no_grad()
    def give_weights(self) -> None:
        """Round the masters into the low-precision weights."""
        for _, parameter, master in self._pairs:
            parameter.copy_(master)

    def zero_grad(self) -> None:
        """Clear the gradients of the low-precision weights, which the optimizer does not have."""
        for _, parameter, _ in self._pairs:
            parameter.grad = None

    def by_name(self) -> dict[str, nn.Parameter]:
        """The masters by the names of their parameters in a checkpoint."""
        return {name: master for name, _, master in self._pairs}

    def write_to(self, state_dict: dict[str, torch.Tensor]) -> None:
        """Replace the low-precision weights in a model's state_dict by the masters."""
        for name, _, master in self._pairs:
            state_dict[name] = master.detach().cpu()

    @torch.no_grad()
    def read_from(self, state_dict: Mapping[str, torch.Tensor]) -> None:
        """Load float32 values of a checkpoint, and round them into the weights."""
        for name, _, master in self._pairs:
            master.copy_(state_dict[name])
        self.give_weights()
