"""Attention without the matrix of all weights in memory."""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.autocast import autocast_dtype, no_autocast
from mmcv_replace.utils.trace import is_traced

from ..utils.host_products import by_onednn, products

# Bytes of the weights of the queries that are computed at a time: what fits into a host's caches,
# and enough to keep an accelerator busy.
_HOST_BYTES = 8 * 2**20
_DEVICE_BYTES = 128 * 2**20


def softmax_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """softmax(scale * query @ key.T) @ value, without second derivatives.

    query: [N, Q, C], key: [N, K, C], value: [N, K, D] -> [N, Q, D]. By torch's fused kernels, or
    for some queries at a time: where values have more channels than queries, which the kernels want
    padded with zeros, and where the products of the parts are faster (see `host_products`).
    """
    if is_traced():
        return _fused(query, key, value, scale)
    low = autocast_dtype(query)
    if low is not None:
        query, key, value = (x.to(low) for x in (query, key, value))
    if value.shape[2] > query.shape[2] or (
            query.dtype == value.dtype and by_onednn(query[:, _parts(query, key)[0]], key)):
        return _Attention.apply(query, key, value, scale)
    return _fused(query, key, value, scale)


def _fused(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    channels, wanted = query.shape[-1], value.shape[-1]
    # The kernels want as many channels everywhere, side by side; zeros change nothing.
    extra = wanted - channels
    if extra > 0:
        query, key = F.pad(query, (0, extra)), F.pad(key, (0, extra))
    elif extra < 0:
        value = F.pad(value, (0, -extra))
    out = F.scaled_dot_product_attention(
        *(x.contiguous().unsqueeze(1) for x in (query, key, value)), scale=scale)
    return out.squeeze(1)[..., :wanted]


class _Attention(Function):
    """Some queries at a time. The weights, the cheaper product, are computed again for backward."""

    @staticmethod
    def forward(ctx: FunctionCtx, query: Tensor, key: Tensor, value: Tensor,
                scale: float) -> Tensor:
        wide_query, wide_key = _wide(query) * scale, _wide(key).contiguous()
        channels = value.transpose(1, 2)
        images, queries, wanted = *query.shape[:2], value.shape[2]
        # By channels, as maps are; no view, which nobody may change in place behind a Function.
        out = value.new_empty_strided((images, queries, wanted), (queries * wanted, 1, queries))
        logs = wide_query.new_empty(*query.shape[:2], 1)
        with no_autocast(query):
            for part in _parts(query, key):
                weights = products(wide_query[:, part], wide_key)
                largest = weights.amax(-1, keepdim=True)
                total = weights.sub_(largest).exp_().sum(-1, keepdim=True)
                torch.add(total.log(), largest, out=logs[:, part])
                if weights.dtype == value.dtype:
                    out[:, part] = products(weights, channels).div_(total)
                else:  # undivided sums may be too large for a type of 16 bits
                    out[:, part] = products(weights.div_(total).to(value.dtype), channels)
        ctx.save_for_backward(query, key, value, out, logs)
        ctx.scale = scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, out, logs = ctx.saved_tensors
        wide_query, wide_key = _wide(query) * ctx.scale, _wide(key).contiguous()
        share = (_wide(grad) * _wide(out)).sum(-1, keepdim=True)
        grad = grad.to(value.dtype).contiguous()
        grad_query = torch.empty_like(query)
        # By channels, in which order the sums are faster, and the maps come that way.
        grad_key = wide_key.new_zeros(wide_key.transpose(1, 2).shape)
        grad_value = value.new_zeros(value.transpose(1, 2).shape)
        with no_autocast(query):
            for part in _parts(query, key):
                own, slope = wide_query[:, part], grad[:, part]
                weights = products(own, wide_key).sub_(logs[:, part]).exp_()
                products(slope.transpose(1, 2), weights.to(value.dtype).transpose(1, 2),
                         out=grad_value)
                inner = products(slope, value).to(weights.dtype)
                inner = inner.sub_(share[:, part]).mul_(weights)
                grad_query[:, part] = products(inner, wide_key.transpose(1, 2)).mul_(ctx.scale)
                products(own.transpose(1, 2), inner.transpose(1, 2), out=grad_key)
        return (grad_query, grad_key.transpose(1, 2).to(key.dtype), grad_value.transpose(1, 2),
                None)


def _wide(x: Tensor) -> Tensor:
    """In float32 at least, in which large products are still precise."""
    return x.float() if x.element_size() < 4 else x


def _parts(query: Tensor, key: Tensor) -> list[slice]:
    """Slices of the queries whose weights take about _HOST_BYTES or _DEVICE_BYTES."""
    limit = _DEVICE_BYTES if is_asynchronous(query.device) else _HOST_BYTES
    row = len(query) * key.shape[1] * max(4, query.element_size())
    queries = query.shape[1]
    count = max(1, min(queries, -(-queries * row // limit)))
    edges = [queries * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
