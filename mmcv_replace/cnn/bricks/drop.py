"""Dropout of values and of whole paths."""
from typing import Any

import torch
from torch import Tensor, nn

from mmcv_replace.utils import build_from_cfg

from .registry import DROPOUT_LAYERS


def drop_path(x: Tensor, drop_prob: float = 0., training: bool = False) -> Tensor:
    """Set whole samples of x [N, ...] to 0 and divide the others by the share that stays.

    In a residual block this leaves out the block (stochastic depth, arXiv:1603.09382).
    """
    if drop_prob == 0. or not training:
        return x
    keep = 1 - drop_prob
    shape = (x.shape[0],) + (1,) * (x.dim() - 1)
    # In an x of low precision, sums would be rounded up to 1 too often.
    dtype = torch.promote_types(x.dtype, torch.float32)
    kept = (keep + torch.rand(shape, dtype=dtype, device=x.device)).floor().to(x.dtype)
    return x / keep * kept if keep else torch.zeros_like(x)


@DROPOUT_LAYERS.register_module()
class DropPath(nn.Module):
    """`drop_path` in training."""

    def __init__(self, drop_prob: float = 0.1) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        return drop_path(x, self.drop_prob, self.training)


@DROPOUT_LAYERS.register_module()
class Dropout(nn.Dropout):
    """nn.Dropout whose probability is called `drop_prob`."""

    def __init__(self, drop_prob: float = 0.5, inplace: bool = False) -> None:
        super().__init__(drop_prob, inplace)


def build_dropout(cfg: dict[str, Any], default_args: dict[str, Any] | None = None) -> nn.Module:
    """Build the dropout layer that `cfg` names: Dropout or DropPath."""
    return build_from_cfg(cfg, DROPOUT_LAYERS, default_args)
