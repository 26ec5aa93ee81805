"""Criss-cross attention (CCNet, arXiv:1811.11721): pixels look along their column and their row."""
import math

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.cnn.bricks.registry import PLUGIN_LAYERS
from mmcv_replace.cnn.bricks.scale import Scale
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.trace import apply

from .precision import wide_type


def NEG_INF_DIAG(n: int, device: torch.device) -> Tensor:  # noqa: N802
    """Matrix [n, n] with minus infinity on the diagonal and 0 elsewhere, in float32."""
    return torch.zeros(n, n, device=device).masked_fill_(_diagonal(n, device), -math.inf)


@PLUGIN_LAYERS.register_module()
class CrissCrossAttention(nn.Module):
    """gamma * attention(x) + x, where a pixel attends to the pixels of its column and its row.

    x: [N, in_channels, H, W] -> the same shape. Queries and keys have in_channels // 8 channels,
    and a softmax over the H + W - 1 pixels weights the values. `gamma` starts as 0, the layer
    therefore as the identity. See `criss_cross` for the cost; besides it there are three 1 x 1
    convolutions. Raises ConfigError for fewer than 8 channels, which leave none to compare,
    and for an input of another shape.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        if in_channels < 8:
            raise ConfigError(f'CrissCrossAttention: in_channels={in_channels} is below 8, and '
                              'pixels are compared in an eighth of the channels')
        self.query_conv = nn.Conv2d(in_channels, in_channels // 8, 1)
        self.key_conv = nn.Conv2d(in_channels, in_channels // 8, 1)
        self.value_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.gamma = Scale(0.)
        self.in_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ConfigError(f'CrissCrossAttention: an input of shape {tuple(x.shape)} is not '
                              f'[N, {self.in_channels}, H, W]')
        return x + criss_cross(self.query_conv(x), self.key_conv(x), self.value_conv(x),
                               self.gamma.scale)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(in_channels={self.in_channels})'


def criss_cross(query: Tensor, key: Tensor, value: Tensor, gamma: Tensor) -> Tensor:
    """gamma times sums of the values of each pixel's column and row, by softmax(query . key).

    query, key: [N, C, H, W], value: [N, D, H, W], all of one type, gamma: a number ->
    [N, D, H, W]. The softmax is over both lines, in which a pixel itself counts once, and taken in
    float32 at least. Differentiable once.
    Cost: 2 N H W (H + W) (C + D) operations; memory: one copy of each argument, which serves the
    rows and the columns as it is, and the weights [N, H, W, H + W].
    """
    return apply(_CrissCross, query, key, value, gamma)


def _diagonal(n: int, device: torch.device) -> Tensor:
    places = torch.arange(n, device=device)  # not all runtimes of ONNX have torch.eye
    return places.unsqueeze(1) == places


def _by_line(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [H, N, W, C], in which both a row and a column of an image are a matrix."""
    return x.permute(2, 0, 3, 1).contiguous()


def _columns(x: Tensor) -> Tensor:
    """[H, N, W, C] -> matrices [N * W, H, C], a view."""
    return x.flatten(1, 2).transpose(0, 1)


def _products(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Products [H, N, W, H] of pixels of x and y [H, N, W, C] in a column, [H, N, W, W] in a row.
    """
    of_columns = torch.bmm(_columns(x), _columns(y).transpose(-2, -1))
    of_rows = torch.bmm(x.flatten(0, 1), y.flatten(0, 1).transpose(-2, -1))
    return of_columns.transpose(0, 1).unflatten(1, x.shape[1:3]), of_rows.unflatten(0, x.shape[:2])


def _weights(query: Tensor, key: Tensor) -> Tensor:
    """Softmax [H, N, W, H + W], in float32 at least, of query and key [H, N, W, C]."""
    of_columns, of_rows = _products(query, key)
    # The pixel itself is in its row as well.
    itself = _diagonal(query.shape[0], query.device)[:, None, None]
    energy = torch.cat([of_columns.masked_fill(itself, -math.inf), of_rows], dim=-1)
    return energy.softmax(-1, dtype=wide_type(energy.dtype))


def _sums(weight: Tensor, x: Tensor, transposed: bool = False) -> Tensor:
    """Sums [H, N, W, C] over columns and rows of x, by weights [H, N, W, H + W].

    `transposed`: the weights are those of the pixels that are summed, not of the results.
    """
    height = x.shape[0]
    of_columns, of_rows = _columns(weight[..., :height]), weight[..., height:].flatten(0, 1)
    if transposed:
        of_columns, of_rows = of_columns.transpose(-2, -1), of_rows.transpose(-2, -1)
    over_columns = torch.bmm(of_columns, _columns(x)).transpose(0, 1)
    over_rows = torch.bmm(of_rows, x.flatten(0, 1)).view(x.shape)
    return over_rows.add_(over_columns.unflatten(1, x.shape[1:3]))


class _CrissCross(Function):
    """Keeps one copy of each argument, by lines, and multiplies by gamma while that is cheap."""

    @staticmethod
    def forward(ctx: FunctionCtx, query: Tensor, key: Tensor, value: Tensor,
                gamma: Tensor) -> Tensor:
        query, key, value = map(_by_line, (query, key, value))
        weight = _weights(query, key)
        ctx.save_for_backward(query, key, value, gamma, weight)
        return _sums((weight * gamma).to(value.dtype), value).permute(1, 3, 0, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        query, key, value, gamma, weight = ctx.saved_tensors
        grad = _by_line(grad)
        for_value = _sums((weight * gamma).to(grad.dtype), grad, transposed=True)
        # The sum of gradient times output, without the output.
        share = torch.cat(_products(grad, value), dim=-1) * weight
        for_gamma = share.sum().to(gamma.dtype)
        for_energy = share - weight * share.sum(-1, keepdim=True)
        for_energy = (for_energy * gamma).to(query.dtype)
        found = _sums(for_energy, key), _sums(for_energy, query, transposed=True), for_value
        return *(x.permute(1, 3, 0, 2) for x in found), for_gamma
