"""Distances between the pixels of two grids, one for queries and one for keys."""
import torch
from torch import Tensor


def embed_distances(queries: int, keys: int, q_stride: int, kv_stride: int, magnitude: float,
                    count: int, wave_length: float, device: torch.device,
                    dtype: torch.dtype) -> Tensor:
    """Sines and cosines of the distances along one axis: [queries, keys, 2 * count].

    Distances are in pixels times `magnitude`; the wave lengths grow from 1 to `wave_length`.
    """
    precise = torch.promote_types(dtype, torch.float32)
    distance = (torch.arange(queries, device=device).unsqueeze(1) * q_stride
                - torch.arange(keys, device=device) * kv_stride) * magnitude
    waves = wave_length ** (torch.arange(count, dtype=precise, device=device) / count)
    angle = distance.unsqueeze(2) / waves
    return torch.cat([angle.sin(), angle.cos()], 2).to(dtype)


def too_far(side: int, reach: int, kv_stride: int) -> Tensor:
    """1 where a key is more than `reach` pixels from a query: [qY, qX, kY, kX], queries: side^2."""
    query = torch.arange(side).unsqueeze(1)
    key = torch.arange((side - 1) // kv_stride + 1)
    first = (query - reach).clamp(min=0) // kv_stride
    last = (query + reach + 1) // kv_stride
    near = (key >= first) & (key <= last)
    return (~(near[:, None, :, None] & near[None, :, None, :])).byte()
