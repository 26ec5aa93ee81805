"""Focal loss: cross entropy in which what is classified well already counts little."""
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from ..device import kind_of
from ..utils.errors import ArgumentError
from ..utils.trace import apply, is_traced
from .function_names import as_function
from .parts import parts
from .precision import wide_type

REDUCTIONS = ('none', 'mean', 'sum')
# Temporary tensors hold one of PARTS parts of the input, or so many elements as a cache of the host
# takes, or as make the start of a kernel cheap on another device.
PARTS = 16
FEW = 2 ** 19
FEW_FOR_KERNELS = 2 ** 21


def sigmoid_focal_loss(input: Tensor, target: Tensor, gamma: float = 2.0, alpha: float = 0.25,
                       weight: Tensor | None = None, reduction: str = 'mean') -> Tensor:
    """Focal loss of one classifier per class, arXiv:1708.02002.

    input: [N, C, ...], logits of samples, which may be pixels; target: [N, ...], int64, the class
    of each sample, or any other number, such as C, where it has none; weight: [C], constant
    factors of the samples of each class. With the probability p of class c, its term is
    -alpha (1 - p)^gamma log(p) where the sample is of that class, and
    -(1 - alpha) p^gamma log(1 - p) where not. -> the terms [N, C, ...] for reduction='none', their
    sum for 'sum', and for 'mean' that over the number of samples, or 0 without samples. The type
    is that of the input; low precision is computed in float32.
    Cost: some 10 operations an element, in the forward and in the backward pass; memory of the
    result and of the gradient, and an eighth of them. Differentiable once, in the input.
    Raises ArgumentError for shapes that do not fit, for another type of target, and for an unknown
    reduction.
    """
    return _focal_loss('sigmoid', input, target, gamma, alpha, weight, reduction)


SigmoidFocalLossFunction = as_function('SigmoidFocalLossFunction', sigmoid_focal_loss)


def softmax_focal_loss(input: Tensor, target: Tensor, gamma: float = 2.0, alpha: float = 0.25,
                       weight: Tensor | None = None, reduction: str = 'mean') -> Tensor:
    """Focal loss of a classifier that chooses one class, arXiv:1708.02002.

    As `sigmoid_focal_loss`, but with one term a sample, -alpha (1 - p)^gamma log(p) of the softmax
    probability p of its class: [N, ...] for reduction='none'. It is 0 where the target is
    negative; a target of C or more is an error of torch.
    """
    return _focal_loss('softmax', input, target, gamma, alpha, weight, reduction)


SoftmaxFocalLossFunction = as_function('SoftmaxFocalLossFunction', softmax_focal_loss)


class SigmoidFocalLoss(nn.Module):
    """`sigmoid_focal_loss` with its options; `weight` is a buffer."""

    loss = staticmethod(sigmoid_focal_loss)

    def __init__(self, gamma: float, alpha: float, weight: Tensor | None = None,
                 reduction: str = 'mean') -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha
        self.register_buffer('weight', weight)
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Loss of logits [N, C, ...] for targets [N, ...]."""
        return self.loss(input, target, self.gamma, self.alpha, self.weight, self.reduction)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(gamma={self.gamma}, alpha={self.alpha}, '
                f'reduction={self.reduction})')


class SoftmaxFocalLoss(SigmoidFocalLoss):
    """`softmax_focal_loss` with its options; `weight` is a buffer."""

    loss = staticmethod(softmax_focal_loss)


def _focal_loss(form: str, x: Tensor, target: Tensor, gamma: float, alpha: float,
                weight: Tensor | None, reduction: str) -> Tensor:
    _check(x, target, weight, reduction)
    flat, classes = (x, target) if x.dim() == 2 else (x.flatten(2), target.flatten(1))
    terms = apply(_FocalLoss, flat, classes.unsqueeze(1), weight, form, float(gamma), float(alpha),
                  reduction)
    if reduction != 'none':
        return terms
    return terms.view(x.shape if form == 'sigmoid' else target.shape)


def _check(x: Tensor, target: Tensor, weight: Tensor | None, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ArgumentError(f'reduction={reduction!r} is not known: use one of {REDUCTIONS}')
    if x.dim() < 2 or target.shape != (len(x), *x.shape[2:]):
        raise ArgumentError(f'target {list(target.shape)} does not fit the input {list(x.shape)}: '
                            'give logits [N, C, ...] and classes [N, ...]')
    if target.dtype != torch.int64:
        raise ArgumentError(f'target is {target.dtype}: give the numbers of classes in int64')
    if weight is not None and weight.shape != x.shape[1:2]:
        raise ArgumentError(f'weight {list(weight.shape)} does not fit {x.shape[1]} classes: '
                            'give one number a class')


class _FocalLoss(Function):
    """Holds no more than its arguments for the backward pass, and works part by part.

    x: [N, C] or [N, C, L], target: [N, 1] or [N, 1, L].
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, target: Tensor, weight: Tensor | None, form: str,
                gamma: float, alpha: float, reduction: str) -> Tensor:
        ctx.save_for_backward(x, target, weight)
        ctx.options = form, gamma, alpha, reduction
        terms = FORMS[form].terms

        def compute(place: tuple[slice, ...]) -> Tensor:
            part, classes = _wide(x[place]), target[place]
            return _weigh(terms(part, classes, gamma, alpha), classes, weight)

        if reduction == 'none':
            return _fill(compute, x, x.shape[1] if form == 'sigmoid' else 1)
        total = sum(compute(place).sum() for place in _places(x))
        return (total if reduction == 'sum' else total / max(1, target.numel())).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, target, weight = ctx.saved_tensors
        form, gamma, alpha, reduction = ctx.options
        slopes, grad = FORMS[form].slopes, _wide(grad)
        if reduction == 'mean':
            grad = grad / max(1, target.numel())
        if reduction != 'none':
            grad = grad.expand(target.shape)

        def compute(place: tuple[slice, ...]) -> Tensor:
            part, classes = _wide(x[place]), target[place]
            share = _weigh(grad[place], classes, weight)
            return slopes(part, classes, gamma, alpha).mul_(share)

        return _fill(compute, x, x.shape[1]), None, None, None, None, None, None


def _wide(x: Tensor) -> Tensor:
    return x.to(wide_type(x.dtype))


def _places(x: Tensor) -> list[tuple[slice, ...]]:
    """Parts of [N, C] or [N, C, L], of all channels; one where a compiler sees to the memory."""
    if is_traced() or not x.numel():
        return [(slice(None),) * x.dim()]
    limit = max(FEW_FOR_KERNELS if kind_of(x.device).asynchronous else FEW, x.numel() // PARTS)
    rows = parts(len(x), x[0].numel(), limit)
    rest = [parts(size, x.shape[1], limit) for size in x.shape[2:]]
    return [(row, slice(None), *columns) for row, *columns in product(rows, *rest)]


def _fill(compute: Callable[[tuple[slice, ...]], Tensor], x: Tensor, channels: int) -> Tensor:
    """The values [N, channels(, L)] that `compute` gives for the parts of x, in the type of x."""
    places = _places(x)
    if len(places) == 1:
        return compute(places[0]).to(x.dtype)
    out = torch.empty_like(x[:, :channels])
    for place in places:
        out[place] = compute(place)
    return out


def _weigh(values: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Multiply by the weights of the classes, which are 1 where there is no class."""
    if weight is None:
        return values
    classes = len(weight)
    known = (target >= 0) & (target < classes)
    return values * torch.where(known, weight.to(values.dtype)[target.clamp(0, classes - 1)], 1)


def _by_class(negative: Callable[[Tensor], Tensor], x: Tensor, target: Tensor, alpha: float,
              sign: int) -> Tensor:
    """(1 - alpha) negative(x), but sign alpha negative(-x) in the channel of the target.

    A class is to a logit what all others are to its opposite.
    """
    out = negative(x).mul_(1 - alpha)
    known = (target >= 0) & (target < x.shape[1])
    index = target.clamp(0, x.shape[1] - 1)
    own = negative(-x.gather(1, index)) * (sign * alpha)
    own = torch.where(known, own, out.gather(1, index))
    return out.scatter(1, index, own) if torch.is_grad_enabled() else out.scatter_(1, index, own)


def _softplus(x: Tensor) -> Tensor:
    # Beyond this threshold, unlike that of torch, the logarithm is x even in float64.
    return F.softplus(x, threshold=40)


def _sigmoid_terms(x: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
    def term(x: Tensor) -> Tensor:
        p, loss = x.sigmoid(), _softplus(x)
        if torch.is_grad_enabled():  # in a trace: autograd needs the values
            return p.pow(gamma) * loss
        return p.pow_(gamma).mul_(loss)

    return _by_class(term, x, target, alpha, 1)


def _sigmoid_slopes(x: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
    def slope(x: Tensor) -> Tensor:
        p, loss = x.sigmoid(), _softplus(x)
        rise = loss.addcmul_(loss, p, value=-1).mul_(gamma).add_(p)
        return rise.mul_(p.pow_(gamma))

    return _by_class(slope, x, target, alpha, -1)


def _softmax_terms(x: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
    own = x.log_softmax(1).gather(1, target.clamp(min=0))
    half = (own / 2).tanh()
    rest = half * 2 / (half - 1)  # 1 - p, as exact as -expm1, which ONNX lacks
    return torch.where(target >= 0, rest.pow(gamma) * own * -alpha, 0)


def _softmax_slopes(x: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
    index, p = target.clamp(min=0), x.softmax(1)
    own = p.gather(1, index)
    # Neither a logarithm of 0 nor, for a gamma below 1, a negative power of 0.
    log_own, rest = own.clamp(min=1e-37).log(), (1 - own).clamp(min=1e-30)
    slope = rest.pow(gamma) * (1 - gamma * own * log_own / rest)
    slope = torch.where(target >= 0, slope * alpha, 0)  # over the difference from the target
    return p.mul_(slope).scatter_(1, index, -slope * rest)


class _Form(NamedTuple):
    """Terms [N, C(, L)] or [N, 1(, L)] of logits [N, C(, L)], and their derivatives [N, C(, L)]."""

    terms: Callable[[Tensor, Tensor, float, float], Tensor]
    slopes: Callable[[Tensor, Tensor, float, float], Tensor]


FORMS = {'sigmoid': _Form(_sigmoid_terms, _sigmoid_slopes),
         'softmax': _Form(_softmax_terms, _softmax_slopes)}
