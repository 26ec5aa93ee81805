"""The shift in time of temporal interlacing networks (arXiv:2001.06499)."""
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from mmcv_replace.utils.errors import UsageError
from mmcv_replace.utils.trace import apply

from .function_names import as_function


def tin_shift(input: Tensor, shift: Tensor) -> Tensor:
    """Move groups of channels forward in time, each by its number of frames.

    input: [N, T, C, H W], shift: [N, groups] of integers, of which each is for C / groups
    neighbouring channels -> [N, T, C, H W], out[n, t] = input[n, t - shift], and 0 where that frame
    does not exist. Differentiable in input.
    Cost: one copy of the input, memory for the result alone.

    Raises UsageError for shapes that do not fit, and for a shift that is not of integers.
    """
    _check(input, shift)
    if shift.dtype != torch.int32:
        shift = shift.long().clamp(-input.shape[1], input.shape[1]).int()
    return apply(_Shift, input, shift)


TINShiftFunction = as_function('TINShiftFunction', tin_shift)


class TINShift(nn.Module):
    """`tin_shift` as a module."""

    def forward(self, input: Tensor, shift: Tensor) -> Tensor:
        return tin_shift(input, shift)


class _Shift(Function):
    """Its gradient is a shift, too: that adds no values up, as the one of index_select would."""

    @staticmethod
    def forward(ctx: FunctionCtx, input: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(shift)
        return _moved(input, shift)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        shift, = ctx.saved_tensors
        return _moved(grad, -shift), None


def _moved(input: Tensor, shift: Tensor) -> Tensor:
    batch, frames, channels, pixels = input.shape
    groups = shift.shape[1]
    frame, sample, group = (torch.arange(n, dtype=torch.int32, device=input.device)
                            for n in (frames, batch, groups))
    source = frame.unsqueeze(1) - shift.unsqueeze(1)
    missing = (source < 0) | (source >= frames)
    row = (sample.view(-1, 1, 1) * frames + source.clamp(0, frames - 1)) * groups + group
    table = input.reshape(batch * frames * groups, channels // groups * pixels)
    picked = table.index_select(0, row.flatten()).masked_fill_(missing.view(-1, 1), 0)
    return picked.view(input.shape)


def _check(input: Tensor, shift: Tensor) -> None:
    if input.dim() != 4 or shift.dim() != 2 or shift.is_floating_point():
        raise UsageError(f'tin_shift: input of shape {tuple(input.shape)} and shift of shape '
                         f'{tuple(shift.shape)} in {shift.dtype}; they must be [N, T, C, H W] and '
                         '[N, groups] of integers')
    if len(input) != len(shift):
        raise UsageError(f'tin_shift: {len(input)} samples in input and {len(shift)} in shift')
    channels, groups = input.shape[2], shift.shape[1]
    if groups == 0 or channels == 0 or channels % groups:
        raise UsageError(f'tin_shift: {channels} channels of input cannot be divided into the '
                         f'{groups} groups of shift')
