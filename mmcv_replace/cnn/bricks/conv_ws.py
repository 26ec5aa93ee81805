"""Convolutions whose weights are standardised (arXiv:1903.10520)."""
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registry import CONV_LAYERS

_Size = int | tuple[int, int]


def conv_ws_2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: _Size = 1,
               padding: _Size = 0, dilation: _Size = 1, groups: int = 1,
               eps: float = 1e-5) -> Tensor:
    """Convolve by the weight of each filter with its mean taken away, over its deviation + eps.

    input: [N, C, H, W], weight: [O, C / groups, kH, kW] -> [N, O, H', W'].
    """
    std, mean = torch.std_mean(weight, (1, 2, 3), keepdim=True)
    return F.conv2d(input, (weight - mean) / (std + eps), bias, stride, padding, dilation, groups)


@CONV_LAYERS.register_module('ConvWS')
class ConvWS2d(nn.Conv2d):
    """Conv2d with standardised weights: see `conv_ws_2d`."""

    weight_is_computed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Size,
                 stride: _Size = 1, padding: _Size = 0, dilation: _Size = 1, groups: int = 1,
                 bias: bool = True, eps: float = 1e-5) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return conv_ws_2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation,
                          self.groups, self.eps)


@CONV_LAYERS.register_module('ConvAWS')
class ConvAWS2d(nn.Conv2d):
    """Conv2d with standardised weights that keep the scale and mean of pretrained ones.

    The effective weight is weight_gamma * (weight - mean) / deviation + weight_beta (DetectoRS,
    arXiv:2006.02334). A state of a plain convolution sets gamma and beta to the deviation and the
    mean of its filters, so that the layer then computes what that convolution does.
    """

    weight_is_computed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Size,
                 stride: _Size = 1, padding: _Size = 0, dilation: _Size = 1, groups: int = 1,
                 bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias)
        self.register_buffer('weight_gamma', torch.ones(out_channels, 1, 1, 1))
        self.register_buffer('weight_beta', torch.zeros(out_channels, 1, 1, 1))

    def _get_weight(self, weight: Tensor) -> Tensor:
        std, mean = _moments(weight)
        return self.weight_gamma * ((weight - mean) / std) + self.weight_beta

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self._get_weight(self.weight), self.bias)

    def _load_from_state_dict(
            self, state_dict: Mapping[str, Any], prefix: str, local_metadata: Mapping[str, Any],
            strict: bool, missing_keys: list[str], unexpected_keys: list[str],
            error_msgs: list[str]) -> None:
        # Negative values mark that the state has none.
        self.weight_gamma.fill_(-1)
        missing: list[str] = []
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing,
                                      unexpected_keys, error_msgs)
        found = {}
        if self.weight_gamma.mean() <= 0:
            found = {f'{prefix}weight_gamma', f'{prefix}weight_beta'}
            with torch.no_grad():
                for buffer, value in zip((self.weight_gamma, self.weight_beta),
                                         _moments(self.weight), strict=True):
                    buffer.copy_(value)
        missing_keys += [key for key in missing if key not in found]


def _moments(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Deviation and mean [O, 1, 1, 1] of each filter."""
    var, mean = torch.var_mean(weight, (1, 2, 3), keepdim=True)
    return (var + 1e-5).sqrt(), mean
