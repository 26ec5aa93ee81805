"""Cells that merge two feature maps, for searched pyramids (NAS-FPN, arXiv:1904.07392)."""
import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn.bricks.conv_module import ConvModule
from mmcv_replace.utils.errors import ArgumentError, ConfigError, UsageError

_OUT_CONV = {'groups': 1, 'kernel_size': 3, 'padding': 1, 'bias': True}
_MODES = ('nearest', 'bilinear')


class BaseMergeCell(nn.Module):
    """Convolutions of both inputs, a common size, their merging, a convolution of the result.

    x1, x2: [N, C, H1, W1] and [N, C, H2, W2] -> [N, out_channels, H, W], where (H, W) is
    `out_size`, or else the larger size of the two. A subclass has `_binary_op(x1, x2)`, which
    merges maps of equal size, and calls the constructor with `fused_channels`, the channels of its
    result.

    The last convolution, `out_conv`, is left out by `with_out_conv=False`; `out_conv_cfg`,
    `out_norm_cfg` and `out_conv_order` are arguments of its ConvModule. `with_input1_conv` and
    `with_input2_conv` add 3 x 3 convolutions of `out_channels` to the inputs, with `input_conv_cfg`
    and `input_norm_cfg`. Smaller maps grow by `upsample_mode`, 'nearest' or 'bilinear'; larger ones
    shrink by the maximum over cells, after zeros around a map that cannot be divided into them.
    Cost: that of the convolutions, and a few operations an element of inputs and result; memory of
    both resized maps and the merged one.

    Raises ConfigError for another `upsample_mode`, ArgumentError for a convolution without a number
    of channels, UsageError for inputs of unequal batches or channels, and an `out_size` that has
    not two numbers above 0.
    """

    def __init__(self, fused_channels: int | None = 256, out_channels: int | None = 256,
                 with_out_conv: bool = True, out_conv_cfg: Mapping[str, Any] = _OUT_CONV,
                 out_norm_cfg: dict | None = None,
                 out_conv_order: tuple[str, str, str] = ('act', 'conv', 'norm'),
                 with_input1_conv: bool = False, with_input2_conv: bool = False,
                 input_conv_cfg: dict | None = None, input_norm_cfg: dict | None = None,
                 upsample_mode: str = 'nearest') -> None:
        super().__init__()
        if upsample_mode not in _MODES:
            raise ConfigError(f'{type(self).__name__}: upsample_mode={upsample_mode!r} is not one '
                              f'of {", ".join(_MODES)}')
        self.with_out_conv = with_out_conv
        self.with_input1_conv = with_input1_conv
        self.with_input2_conv = with_input2_conv
        self.upsample_mode = upsample_mode
        if with_out_conv:
            self.out_conv = ConvModule(
                self._known(fused_channels), self._known(out_channels), **out_conv_cfg,
                norm_cfg=out_norm_cfg, order=out_conv_order)
        for name, wanted in (('input1_conv', with_input1_conv), ('input2_conv', with_input2_conv)):
            setattr(self, name, self._build_input_conv(
                out_channels, input_conv_cfg, input_norm_cfg) if wanted else nn.Sequential())

    def _known(self, channels: int | None) -> int:
        if channels is None:
            raise ArgumentError(f'{type(self).__name__}: its convolutions need in_channels and '
                                'out_channels; with_out_conv=False and no convolutions of inputs '
                                'do without')
        return channels

    def _build_input_conv(self, channel: int | None, conv_cfg: dict | None,
                          norm_cfg: dict | None) -> ConvModule:
        channel = self._known(channel)
        return ConvModule(channel, channel, 3, padding=1, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                          bias=True)

    def _binary_op(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The merged map [N, fused_channels, H, W] of two [N, C, H, W]."""
        raise NotImplementedError(f'{type(self).__name__} has no _binary_op')

    def _resize(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Bring a map [N, C, H, W] to the size (H', W')."""
        old = tuple(x.shape[-2:])
        if old == size:
            return x
        # A map that is lower but wider counts as smaller, and so on: heights decide first.
        if old < size:
            return F.interpolate(x, size=size, mode=self.upsample_mode)
        cell = tuple(math.ceil(have / want) for have, want in zip(old, size, strict=True))
        rows, columns = (step * want - have
                         for step, want, have in zip(cell, size, old, strict=True))
        if rows or columns:
            left, top = columns // 2, rows // 2
            x = F.pad(x, (left, columns - left, top, rows - top))
        return F.max_pool2d(x, cell)

    def forward(self, x1: Tensor, x2: Tensor, out_size: tuple[int, int] | None = None) -> Tensor:
        if x1.shape[:2] != x2.shape[:2]:
            raise UsageError(f'{type(self).__name__}: inputs of shapes {tuple(x1.shape)} and '
                             f'{tuple(x2.shape)} differ in their batches or channels')
        if out_size is None:
            size = max(tuple(x1.shape[2:]), tuple(x2.shape[2:]))
        else:
            size = () if isinstance(out_size, int) else tuple(out_size)
            if len(size) != 2 or min(size) < 1:
                raise UsageError(f'{type(self).__name__}: out_size={out_size!r} must be a height '
                                 'and a width, from 1 on')
        x1 = self._resize(self.input1_conv(x1), size)
        x2 = self._resize(self.input2_conv(x2), size)
        merged = self._binary_op(x1, x2)
        return self.out_conv(merged) if self.with_out_conv else merged


class SumCell(BaseMergeCell):
    """x1 + x2: see BaseMergeCell."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels, out_channels, **kwargs)

    def _binary_op(self, x1: Tensor, x2: Tensor) -> Tensor:
        return x1 + x2


class ConcatCell(BaseMergeCell):
    """The channels of x1 and x2, side by side: see BaseMergeCell."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(2 * in_channels, out_channels, **kwargs)

    def _binary_op(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.cat([x1, x2], dim=1)


class GlobalPoolingCell(BaseMergeCell):
    """x2 + sigmoid(mean of x2 over its pixels) * x1: see BaseMergeCell."""

    def __init__(self, in_channels: int | None = None, out_channels: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(in_channels, out_channels, **kwargs)
        self.global_pool = nn.AdaptiveAvgPool2d((1, 1))

    def _binary_op(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.addcmul(x2, self.global_pool(x2).sigmoid(), x1)
