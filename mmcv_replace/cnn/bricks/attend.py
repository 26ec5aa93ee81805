"""Attention without the matrix of all weights in memory."""
import torch.nn.functional as F
from torch import Tensor


def softmax_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """softmax(scale * query @ key.T) @ value, by torch's fused kernels.

    query: [N, Q, C], key: [N, K, C], value: [N, K, D] -> [N, Q, D].
    """
    channels, wanted = query.shape[-1], value.shape[-1]
    # The fused kernels want as many channels everywhere, side by side; zeros change nothing.
    extra = wanted - channels
    if extra > 0:
        query, key = F.pad(query, (0, extra)), F.pad(key, (0, extra))
    elif extra < 0:
        value = F.pad(value, (0, -extra))
    out = F.scaled_dot_product_attention(
        *(x.contiguous().unsqueeze(1) for x in (query, key, value)), scale=scale)
    return out.squeeze(1)[..., :wanted]
