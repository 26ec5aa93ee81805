"""Dynamic multi-scale filters head."""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule, build_activation_layer, build_norm_layer
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_pool

from ..builder import HEADS
from ..utils import convolve_all
from .decode_head import BaseDecodeHead


class DCM(nn.Module):
    """Filters each channel of each image by a filter that is made from the image.

    x: [N, in_channels, h, w] and its means [N, in_channels, k, k] -> [N, channels, h, w].
    """

    def __init__(self, filter_size: int, fusion: bool, in_channels: int, channels: int,
                 conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__()
        self.filter_size = filter_size
        self.fusion = fusion
        block = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.filter_gen_conv = nn.Conv2d(in_channels, channels, 1)
        self.input_redu_conv = ConvModule(in_channels, channels, 1, **block)
        self.norm = None if norm_cfg is None else build_norm_layer(norm_cfg, channels)[1]
        self.activate = nn.Identity() if act_cfg is None else build_activation_layer(act_cfg)
        if fusion:
            self.fusion_conv = ConvModule(channels, channels, 1, **block)

    def forward(self, x: Tensor, pooled: Tensor) -> Tensor:
        out = filter_each(self.input_redu_conv(x), self.filter_gen_conv(pooled))
        if self.norm is not None:
            out = self.norm(out)
        out = self.activate(out)
        return self.fusion_conv(out) if self.fusion else out


def filter_each(x: Tensor, filters: Tensor) -> Tensor:
    """Filter each map by its own filter: x [N, C, h, w], filters [N, C, k, k] -> [N, C, h, w].

    Beyond the border there are zeros; the centre of an even filter is right of and below its
    middle.
    """
    n, c, h, w = x.shape
    k = filters.shape[2]
    if k == 1:
        return x * filters
    # The batch as one image with a group for each map.
    out = F.conv2d(x.reshape(1, n * c, h, w), filters.reshape(n * c, 1, k, k).to(x.dtype),
                   padding=k // 2, groups=n * c)
    return out[:, :, :h, :w].reshape(n, c, h, w)


@HEADS.register_module()
class DMHead(BaseDecodeHead):
    """Filters of several sizes, made for each image, beside the input (DMNet, ICCV 2019).

    `filter_sizes`: their sides; `fusion`: a further convolution of each result. By default
    (`fuse_pyramid`) nothing is concatenated for the last convolution, with the same result.
    """

    def __init__(self, filter_sizes: Sequence[int] = (1, 3, 5, 7), fusion: bool = False,
                 fuse_pyramid: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not isinstance(filter_sizes, list | tuple) or not filter_sizes or not all(
                isinstance(size, int) and size >= 1 for size in filter_sizes):
            raise ConfigError(f'DMHead: filter_sizes={filter_sizes!r} must be a list of sizes, '
                              'such as (1, 3, 5, 7)')
        self.filter_sizes = filter_sizes
        self.fusion = fusion
        self.fuse_pyramid = fuse_pyramid
        self.dcm_modules = nn.ModuleList(
            DCM(size, fusion, self.in_channels, self.channels, **self.layer_cfg)
            for size in filter_sizes)
        self.bottleneck = self.conv_module(self.in_channels + len(filter_sizes) * self.channels,
                                           self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        pooled = pyramid_pool(x, tuple(self.filter_sizes)) if self.fuse_pyramid else [
            F.adaptive_avg_pool2d(x, size) for size in self.filter_sizes]
        filtered = [module(x, part)
                    for module, part in zip(self.dcm_modules, pooled, strict=True)]
        return self.cls_seg(convolve_all(self.bottleneck, [x, *filtered], self.fuse_pyramid))
