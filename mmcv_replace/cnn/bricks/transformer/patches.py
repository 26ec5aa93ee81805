"""Images as sequences of patches, and patches merged to larger ones."""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from mmcv_replace.runner.base_module import BaseModule
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from ..conv import build_conv_layer
from ..conv2d_adaptive_padding import total_padding
from ..norm import build_norm_layer

_Size = int | tuple[int, int]


class AdaptivePadding(nn.Module):
    """Zeros around a map, so that a layer's windows cover all of it.

    `padding`: 'corner' puts them at the right and the bottom, 'same' on both sides.
    x: [N, C, H, W] -> [N, C, H', W']. Raises ConfigError for another `padding`.
    """

    def __init__(self, kernel_size: _Size = 1, stride: _Size = 1, dilation: _Size = 1,
                 padding: str = 'corner') -> None:
        super().__init__()
        if padding not in ('same', 'corner'):
            raise ConfigError(f"AdaptivePadding: padding={padding!r} must be 'same' or 'corner'")
        self.padding = padding
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.dilation = _pair(dilation)

    def get_pad_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """How many rows and columns a map of `input_shape` (height, width) lacks."""
        return total_padding(input_shape, self.kernel_size, self.stride, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        pad_h, pad_w = self.get_pad_shape(x.shape[-2:])
        if not (pad_h or pad_w):
            return x
        top, left = (pad_h // 2, pad_w // 2) if self.padding == 'same' else (0, 0)
        return F.pad(x, [left, pad_w - left, top, pad_h - top])


def _padding(padding: str | _Size, kernel_size: _Size, stride: _Size, dilation: _Size
             ) -> tuple[AdaptivePadding | None, tuple[int, int]]:
    """The layer that pads, and the padding of the layer after it."""
    if isinstance(padding, str):
        return AdaptivePadding(kernel_size, stride, dilation, padding), (0, 0)
    return None, _pair(padding)


def _windows(size: tuple[int, int], layer: nn.Conv2d | nn.Unfold) -> tuple[int, int]:
    """How many windows of a layer fit into a map of `size` (height, width)."""
    return tuple(
        (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for side, pad, dilation, kernel, stride in zip(
            size, _pair(layer.padding), _pair(layer.dilation), _pair(layer.kernel_size),
            _pair(layer.stride), strict=True))


class PatchEmbed(BaseModule):
    """Turn an image into a sequence of vectors by a convolution.

    `padding`: of the convolution, or 'corner' or 'same' (see AdaptivePadding). With `input_size`
    (height, width), `init_out_size` says how many patches there will be in each direction.
    x: [N, in_channels, H, W] -> [N, H' * W', embed_dims] and (H', W').
    """

    def __init__(self, in_channels: int = 3, embed_dims: int = 768, conv_type: str = 'Conv2d',
                 kernel_size: _Size = 16, stride: _Size | None = 16,
                 padding: str | _Size = 'corner', dilation: _Size = 1, bias: bool = True,
                 norm_cfg: dict | None = None, input_size: _Size | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        super().__init__(init_cfg)
        self.embed_dims = embed_dims
        stride = kernel_size if stride is None else stride
        self.adaptive_padding, pad = _padding(padding, kernel_size, stride, dilation)
        self.projection = build_conv_layer(
            dict(type=conv_type), in_channels=in_channels, out_channels=embed_dims,
            kernel_size=_pair(kernel_size), stride=_pair(stride), padding=pad,
            dilation=_pair(dilation), bias=bias)
        self.norm = build_norm_layer(norm_cfg, embed_dims)[1] if norm_cfg else None
        self.init_input_size = self.init_out_size = None
        if input_size:
            self.init_input_size = size = _pair(input_size)
            if self.adaptive_padding is not None:
                lacking = self.adaptive_padding.get_pad_shape(size)
                size = (size[0] + lacking[0], size[1] + lacking[1])
            self.init_out_size = _windows(size, self.projection)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        if self.adaptive_padding is not None:
            x = self.adaptive_padding(x)
        x = self.projection(x)
        out_size = (x.shape[2], x.shape[3])
        x = x.flatten(2).transpose(1, 2)
        return (x if self.norm is None else self.norm(x)), out_size


class PatchMerging(BaseModule):
    """Join the vectors of neighbouring patches into one (Swin Transformer, arXiv:2103.14030).

    The order of the joined values is that of nn.Unfold. x: [N, H * W, in_channels] with the size
    (H, W) -> [N, H' * W', out_channels] and (H', W'). Raises ConfigError for an x of another size.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Size = 2,
                 stride: _Size | None = None, padding: str | _Size = 'corner',
                 dilation: _Size = 1, bias: bool = False,
                 norm_cfg: dict | None = {'type': 'LN'},  # noqa: B006
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels
        kernel_size = _pair(kernel_size)
        stride = _pair(stride or kernel_size)
        self.adaptive_padding, pad = _padding(padding, kernel_size, stride, dilation)
        self.sampler = nn.Unfold(kernel_size, _pair(dilation), pad, stride)
        joined = kernel_size[0] * kernel_size[1] * in_channels
        self.norm = build_norm_layer(norm_cfg, joined)[1] if norm_cfg else None
        self.reduction = nn.Linear(joined, out_channels, bias=bias)

    def forward(self, x: Tensor, input_size: Sequence[int]) -> tuple[Tensor, tuple[int, int]]:
        if not isinstance(input_size, Sequence):
            raise ConfigTypeError(f'PatchMerging: input_size={input_size!r} must be (H, W)')
        height, width = input_size
        if x.shape[1] != height * width:
            raise ConfigError(f'PatchMerging: {x.shape[1]} patches are not {height} x {width}, as '
                              'input_size says')
        x = x.transpose(1, 2).unflatten(2, (height, width))
        if self.adaptive_padding is not None:
            x = self.adaptive_padding(x)
        out_size = _windows(x.shape[-2:], self.sampler)
        x = self.sampler(x).transpose(1, 2)
        return self.reduction(x if self.norm is None else self.norm(x)), out_size
