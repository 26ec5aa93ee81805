"""Attention without the matrix of all weights in memory."""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.trace import is_traced

# Bytes of the weights of the queries that are computed at a time: what fits into a host's caches,
# and enough to keep an accelerator busy.
_HOST_BYTES = 4 * 2**20
_DEVICE_BYTES = 128 * 2**20


def softmax_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """softmax(scale * query @ key.T) @ value, without second derivatives.

    query: [N, Q, C], key: [N, K, C], value: [N, K, D] -> [N, Q, D].
    """
    channels, wanted = query.shape[-1], value.shape[-1]
    if wanted > channels and not is_traced():
        return _by_parts(query, key, value, scale)
    # The fused kernels want as many channels everywhere, side by side; zeros change nothing.
    extra = wanted - channels
    if extra > 0:
        query, key = F.pad(query, (0, extra)), F.pad(key, (0, extra))
    elif extra < 0:
        value = F.pad(value, (0, -extra))
    out = F.scaled_dot_product_attention(
        *(x.contiguous().unsqueeze(1) for x in (query, key, value)), scale=scale)
    return out.squeeze(1)[..., :wanted]


def _by_parts(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """For more channels in the values than in the queries, which zeros would multiply in vain."""
    device = query.device.type
    if torch.is_autocast_enabled(device):
        low = torch.get_autocast_dtype(device)
        query, key, value = (x.to(low) for x in (query, key, value))
    return _Attention.apply(query, key, value, scale)


class _Attention(Function):
    """Some queries at a time. The weights, the cheaper product, are computed again for backward."""

    @staticmethod
    def forward(ctx: FunctionCtx, query: Tensor, key: Tensor, value: Tensor,
                scale: float) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.scale = scale
        out = query.new_empty(len(query), value.shape[2], query.shape[1]).transpose(1, 2)
        with torch.autocast(query.device.type, enabled=False):
            for part in _parts(query, key):
                out[:, part] = torch.bmm(_weights(query[:, part], key, scale).to(value.dtype),
                                         value)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        grad_query = torch.empty_like(query)
        grad_key, grad_value = torch.zeros_like(key), torch.zeros_like(value)
        with torch.autocast(query.device.type, enabled=False):
            for part in _parts(query, key):
                weights = _weights(query[:, part], key, ctx.scale)
                outer = grad[:, part].to(value.dtype)
                grad_value.baddbmm_(weights.to(value.dtype).transpose(1, 2), outer)
                inner = torch.bmm(outer, value.transpose(1, 2)).to(weights.dtype)
                inner = torch.ops.aten._softmax_backward_data(inner, weights, -1, weights.dtype)
                inner = (inner * ctx.scale).to(key.dtype)
                grad_query[:, part] = torch.bmm(inner, key)
                grad_key.baddbmm_(inner.transpose(1, 2), query[:, part])
        return grad_query, grad_key, grad_value, None


def _parts(query: Tensor, key: Tensor) -> list[slice]:
    """Slices of the queries whose weights take about _HOST_BYTES or _DEVICE_BYTES."""
    limit = _DEVICE_BYTES if is_asynchronous(query.device) else _HOST_BYTES
    row = len(query) * key.shape[1] * max(4, query.element_size())
    queries = query.shape[1]
    count = max(1, min(queries, -(-queries * row // limit)))
    edges = [queries * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _weights(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """Weights [N, Q, K]; in float32 at least, in which large products are still precise."""
    if query.element_size() < 4:
        query, key = query.float(), key.float()
    return torch.bmm(query * scale, key.transpose(1, 2)).softmax(-1)
