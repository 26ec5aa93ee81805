"""Switchable atrous convolutions (DetectoRS, arXiv:2006.02334)."""
import logging

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn.bricks.conv_ws import ConvAWS2d
from mmcv_replace.cnn.bricks.registry import CONV_LAYERS
from mmcv_replace.cnn.utils.layer_init import constant_init
from mmcv_replace.utils.errors import ConfigError, UsageError
from mmcv_replace.utils.logging import warn_once

from .deform_conv import deform_conv2d

_Size = int | tuple[int, int]
_WIDER = 3  # dilation of the second convolution over that of the first
_WINDOW = 5  # height and width of the means that the switch sees
_TAPS = 9  # of the kernel for which the layers of the offsets are made


@CONV_LAYERS.register_module('SAC')
class SAConv2d(ConvAWS2d):
    """Two convolutions of dilation d and 3 d, between which each pixel has a switch.

    x: [N, in_channels, H, W] -> S * conv(x, w, d) + (1 - S) * conv(x, w + weight_diff, 3 d):
    [N, out_channels, H', W'], where w is the standardised weight of ConvAWS2d, and the switch S
    [N, 1, H', W'] is a linear function of the means of x over 5 x 5 pixels, with mirrored borders.
    Before it x gets, and after it the result gets, a linear function of its mean over all pixels
    added. With `use_deform` the convolutions, of 3 x 3 pixels, are deformable
    (arXiv:1703.06211), with offsets that are 3 x 3 convolutions of the same means. Both need the
    same size of result, 2 padding = d (kernel_size - 1). At first S is 1, and all else
    0: the layer is the first convolution.

    `bias` is a parameter that has no effect, as in mmcv, whose weights have it; a warning in the
    log says so.
    Cost: twice that of a convolution, deformable or not, and about 4 operations an element of input
    and result; the means for offsets, of all channels, 25 more. Memory: two maps of the input, and
    two of the result.

    Raises ConfigError for `use_deform` with a kernel that has not 9 elements, UsageError where the
    two results have different sizes, and for a map of less than 3 pixels in height or width.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Size, stride: _Size = 1,
                 padding: _Size = 0, dilation: _Size = 1, groups: int = 1, bias: bool = True,
                 use_deform: bool = False) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias)
        if use_deform and self.kernel_size[0] * self.kernel_size[1] != _TAPS:
            raise ConfigError(f'SAConv2d: use_deform=True is for kernel_size=3, whose offsets have '
                              f'{2 * _TAPS} channels, not for {kernel_size}')
        if bias:
            warn_once('SAConv2d: its bias has no effect, as in mmcv; bias=False saves it',
                      logging.getLogger('mmseg.cnn'))
        self.use_deform = use_deform
        self.switch = nn.Conv2d(in_channels, 1, 1, stride=stride)
        self.weight_diff = nn.Parameter(torch.empty_like(self.weight))
        self.pre_context = nn.Conv2d(in_channels, in_channels, 1)
        self.post_context = nn.Conv2d(out_channels, out_channels, 1)
        if use_deform:
            self.offset_s = nn.Conv2d(in_channels, 2 * _TAPS, 3, stride=stride, padding=1)
            self.offset_l = nn.Conv2d(in_channels, 2 * _TAPS, 3, stride=stride, padding=1)
        self.init_weights()

    def init_weights(self) -> None:
        """Make the layer the first convolution alone; its weight stays as it is."""
        constant_init(self.switch, 0, bias=1)
        nn.init.zeros_(self.weight_diff)
        for layer in (self.pre_context, self.post_context):
            constant_init(layer, 0)
        if self.use_deform:
            constant_init(self.offset_s, 0)
            constant_init(self.offset_l, 0)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pre_context(F.adaptive_avg_pool2d(x, 1))
        switch, offset_s, offset_l = self._controls(x)
        weight = self._get_weight(self.weight)
        near = self._convolve(x, weight, 1, offset_s)
        far = self._convolve(x, weight + self.weight_diff, _WIDER, offset_l)
        if near.shape != far.shape:
            raise UsageError(
                f'SAConv2d: results of {tuple(near.shape[-2:])} and {tuple(far.shape[-2:])} pixels '
                f'with dilation={self.dilation} and {_WIDER} times that; padding={self.padding} '
                'must be dilation * (kernel_size - 1) / 2')
        # Autocast takes means in float32 on the host.
        out = torch.addcmul(far, switch.to(far.dtype), near - far)
        return out + self.post_context(F.adaptive_avg_pool2d(out, 1))

    def _controls(self, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The switch and the offsets of both convolutions."""
        switch = self.switch
        if not (self.use_deform or switch._forward_pre_hooks or switch._forward_hooks):
            # A sum over channels of means is a mean of sums: one map instead of in_channels.
            return _means(F.conv2d(x, switch.weight, switch.bias), self.stride), None, None
        means = _means(x)
        if not self.use_deform:
            return switch(means), None, None
        return switch(means), self.offset_s(means), self.offset_l(means)

    def _convolve(self, x: Tensor, weight: Tensor, wider: int, offset: Tensor | None) -> Tensor:
        padding = tuple(wider * size for size in self.padding)
        dilation = tuple(wider * size for size in self.dilation)
        if offset is None:
            return F.conv2d(x, weight, None, self.stride, padding, dilation, self.groups)
        return deform_conv2d(x, offset, weight, self.stride, padding, dilation, self.groups)


def _means(x: Tensor, stride: _Size = 1) -> Tensor:
    """Means over the window around each pixel."""
    margin = _WINDOW // 2
    if min(x.shape[-2:]) <= margin:
        raise UsageError(f'SAConv2d: a map of {tuple(x.shape[-2:])} pixels; at least {margin + 1} '
                         'in height and width can be mirrored at their borders')
    return F.avg_pool2d(F.pad(x, (margin,) * 4, mode='reflect'), _WINDOW, stride)
