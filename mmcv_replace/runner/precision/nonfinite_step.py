"""Skips steps whose loss or gradients are not finite, in all processes alike."""
import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from ...device import is_asynchronous


def gradient_seed(loss: Tensor) -> Tensor:
    """Gradient at the start of a backward pass: 1, or NaN for a loss that is not finite.

    The NaN spreads to the gradients and, as these are averaged, to every process: all of them
    notice without a further exchange that the loss of one is not finite.
    """
    return torch.where(torch.isfinite(loss.detach()), 1.0, torch.nan).to(loss.dtype)


def gradient_norm(optimizer: torch.optim.Optimizer) -> Tensor:
    """Norm of all gradients together; not finite if one of them is not."""
    return get_total_norm([parameter.grad for group in optimizer.param_groups
                           for parameter in group['params'] if parameter.grad is not None])


def _skips_on_device(optimizer: torch.optim.Optimizer) -> bool:
    return getattr(optimizer, '_step_supports_amp_scaling', False)


def first_step_needs_host(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a step that the optimizer skips on the device would leave uninitialised state.

    torch's fused optimizers do so in their first step: for that one the host has to decide.
    """
    return _skips_on_device(optimizer) and not optimizer.state


def step_unless(bad: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Step the optimizer unless the flag `bad`, which is on the device, is set.

    torch's fused optimizers read it on the device; for others the host has to wait for it.
    """
    decides = _skips_on_device(optimizer) and not first_step_needs_host(optimizer)
    if not (decides and is_asynchronous(bad.device)):
        if not bad:
            optimizer.step()
        return
    optimizer.grad_scale, optimizer.found_inf = None, bad.float()
    try:
        optimizer.step()
    finally:
        del optimizer.grad_scale, optimizer.found_inf


class BufferBackup:
    """A copy of a model's buffers (running statistics) from before a step.

    Buffers of one data type are kept in one tensor, since a network has hundreds of small ones.
    """

    def __init__(self, model: nn.Module) -> None:
        groups: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
        for buffer in model.buffers():
            groups.setdefault((buffer.dtype, buffer.device), []).append(buffer)
        self._groups = list(groups.values())
        self._kept: list[Tensor] = []
        self.keep()

    @torch.no_grad()
    def keep(self) -> None:
        """Copy the present values."""
        self._kept = [_flat(group) for group in self._groups]

    @torch.no_grad()
    def restore_if(self, bad: Tensor) -> None:
        """Restore the copied values if the flag `bad` is set."""
        if not is_asynchronous(bad.device) and not bad:
            return
        for kept, group in zip(self._kept, self._groups, strict=True):
            values = torch.where(bad, kept, _flat(group)).split([b.numel() for b in group])
            torch._foreach_copy_(group, [value.view_as(buffer) for value, buffer
                                         in zip(values, group, strict=True)])


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])
