"""Steps that are left out when their loss or gradients are not finite, on all processes alike."""
import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from ...device import is_asynchronous


def gradient_seed(loss: Tensor) -> Tensor:
    """What to begin a backward pass with: 1, or NaN for a loss that is not finite.

    The NaN reaches the gradients and, as they are averaged, every process: so all of them see that
    the loss of one is not finite, and none has to ask.
    """
    return torch.where(torch.isfinite(loss.detach()), 1.0, torch.nan).to(loss.dtype)


def gradient_norm(optimizer: torch.optim.Optimizer) -> Tensor:
    """Norm of all gradients together; not finite when one of them is not."""
    return get_total_norm([parameter.grad for group in optimizer.param_groups
                           for parameter in group['params'] if parameter.grad is not None])


def _decides_on_device(optimizer: torch.optim.Optimizer) -> bool:
    return getattr(optimizer, '_step_supports_amp_scaling', False)


def fills_state_later(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a step that the optimizer itself leaves out would make state and not fill it.

    torch's fused optimizers do so in their first step: for that one the host has to look.
    """
    return _decides_on_device(optimizer) and not optimizer.state


def step_unless(bad: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Step the optimizer unless `bad`, a flag on the device.

    torch's fused optimizers decide on the device; for others the host has to wait for the flag.
    """
    decides = _decides_on_device(optimizer) and not fills_state_later(optimizer)
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
    """The buffers of a model (running statistics) as they were before a step.

    Those of one type are kept in one tensor, as a network has hundreds of small ones.
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
        """Remember the present values."""
        self._kept = [_flat(group) for group in self._groups]

    @torch.no_grad()
    def restore_if(self, bad: Tensor) -> None:
        """Go back to the remembered values if the flag `bad` is set."""
        if not is_asynchronous(bad.device) and not bad:
            return
        for kept, group in zip(self._kept, self._groups, strict=True):
            values = torch.where(bad, kept, _flat(group)).split([b.numel() for b in group])
            torch._foreach_copy_(group, [value.view_as(buffer) for value, buffer
                                         in zip(values, group, strict=True)])


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])
