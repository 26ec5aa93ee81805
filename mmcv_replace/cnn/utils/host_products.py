"""Products of many matrices on the host, by the fastest library that torch is built with.

torch.bmm calls MKL, which takes its AVX-512 code on processors of Intel alone. oneDNN, which
torch's convolutions use, has twice the speed elsewhere (AMD Zen 4 and 5: 100 instead of 48 billion
multiplications per second and core).
"""
from functools import lru_cache

import torch
from torch import Tensor

# Multiplications for each thread in one product; threads share less than this at a loss.
_LEAST_WORK = 2 ** 21


def products(x: Tensor, y: Tensor, out: Tensor | None = None) -> Tensor:
    """x[i] @ y[i].T for each i, added to `out` in place where it is given.

    x: [B, M, K], y: [B, N, K], out: [B, M, N] -> [B, M, N]. Views of transposed matrices are taken
    as they are. There is no gradient.
    """
    if not by_onednn(x, y):
        if out is None:
            return torch.bmm(x, y.transpose(1, 2))
        return out.baddbmm_(x, y.transpose(1, 2))
    if out is None and len(x) == 1:
        return _linear(x[0], y[0])[None]
    if out is None:
        out = x.new_empty(len(x), x.shape[1], y.shape[1])
        for i in range(len(x)):
            out[i] = _linear(x[i], y[i])
    else:
        for i in range(len(x)):
            out[i] += _linear(x[i], y[i])
    return out


def affine(x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor:
    """x @ y.T + bias: [M, K], [N, K], [N] -> [M, N]. There is no gradient."""
    if by_onednn(x[None], y[None]):
        return _linear(x, y, bias)
    return torch.nn.functional.linear(x, y, bias)


def by_onednn(x: Tensor, y: Tensor) -> bool:
    """Whether products of x [B, M, K] and y [B, N, K] are left to oneDNN."""
    work = x.shape[1] * x.shape[2] * y.shape[1]
    return (x.dtype == y.dtype == torch.float32 and x.device.type == 'cpu'
            and torch.backends.mkldnn.enabled and has_products()
            and work >= _LEAST_WORK * torch.get_num_threads())


@lru_cache(maxsize=1)
def has_products() -> bool:
    """Whether oneDNN's products are the faster ones on this host, and torch lets us call them."""
    return (torch.backends.mkldnn.is_available()
            and torch.backends.cpu.get_cpu_capability() == 'AVX512'
            and hasattr(torch.ops.mkldnn, '_linear_pointwise'))


def _linear(x: Tensor, y: Tensor, bias: Tensor | None = None) -> Tensor:
    if not (y.is_contiguous() or y.t().is_contiguous()):
        y = y.contiguous()  # oneDNN is a thousand times slower where rows of y have gaps
    return _onednn(x, y, bias)


def _onednn(x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor:
    # The only access to oneDNN's product of matrices in float32; torch.compile uses it as well.
    return torch.ops.mkldnn._linear_pointwise(x, y, bias, 'none', [], '')
