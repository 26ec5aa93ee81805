"""The sum of sigmoid cross entropies over pixels and classes, in few passes over the logits."""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

# log(1 + exp(x)) is x from here on, also in double precision, and exp(x) is finite in float32.
_LINEAR = 40


def binary_cross_entropy_sum(logits: Tensor, label: Tensor, valid: Tensor) -> Tensor:
    """Sum over the classes and the valid pixels, a scalar.

    logits: [N, C, ...], label: class numbers [N, ...], valid: a mask of these. A pixel without a
    class, such as one of a number above C, is a negative example of all. There are no second
    derivatives.
    """
    return _Sum.apply(logits, label, valid)


class _Sum(Function):
    """With t = 1 for a pixel's class and 0 elsewhere, log(1 + exp(x)) - t x, of slope sigmoid - t.

    Only the logit of that class is picked out, so that t is never made.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, label: Tensor, valid: Tensor) -> Tensor:
        known = valid & (label >= 0) & (label < logits.size(1))
        index = (label * known).long().unsqueeze(1)
        valid, known = valid.to(logits.dtype), known.to(logits.dtype)
        ctx.save_for_backward(logits, index, valid, known)
        own = logits.gather(1, index).squeeze(1)
        return (F.softplus(logits, threshold=_LINEAR).sum(1) * valid - own * known).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        logits, index, valid, known = ctx.saved_tensors
        slope = torch.sigmoid(logits).mul_((valid * grad).unsqueeze(1))
        own = slope.gather(1, index) - (known * grad).unsqueeze(1)
        return slope.scatter_(1, index, own), None, None
