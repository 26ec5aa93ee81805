"""Point-wise spatial attention head."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn.utils.winograd_conv import is_plain_conv
from mmcv_replace.ops.psa_mask import psa_mask
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_conv, resize

from ..builder import HEADS
from .decode_head import BaseDecodeHead

_TYPES = ('collect', 'distribute', 'bi-direction')


@HEADS.register_module()
class PSAHead(BaseDecodeHead):
    """Each pixel predicts how much it takes from each place around it (PSANet, ECCV 2018).

    With `psa_type` 'collect' the predicted mask weights what the pixel takes, with 'distribute'
    what it gives; 'bi-direction' does both. A mask has `mask_size` (height, width) entries, the
    middle of which is the pixel itself; with `compact` it has one for each pixel of the map, which
    then has this size. `shrink_factor`: this happens on a map that is so much smaller.
    `psa_softmax`: turn the weights into a softmax; `normalization_factor` divides the sums, None
    stands for the number of entries of a mask.

    `fuse_attention`: compute only the entries of masks that lie on the map; `fuse_pyramid`:
    convolve what was collected at its small size, see `mmseg.ops.pyramid_conv`. Neither changes the
    result.
    """

    def __init__(self, mask_size: Sequence[int], psa_type: str = 'bi-direction',
                 compact: bool = False, shrink_factor: int = 2,
                 normalization_factor: float | None = 1.0, psa_softmax: bool = True,
                 fuse_attention: bool = True, fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        _check(mask_size, psa_type, shrink_factor, normalization_factor)
        self.psa_type = psa_type
        self.compact = compact
        self.shrink_factor = shrink_factor
        self.mask_size = tuple(mask_size)
        entries = mask_size[0] * mask_size[1]
        self.normalization_factor = normalization_factor or entries
        self.psa_softmax = psa_softmax
        self.fuse_attention = fuse_attention
        self.fuse_pyramid = fuse_pyramid
        both = psa_type == 'bi-direction'
        self.reduce, self.attention = self._branch(entries)
        if both:
            self.reduce_p, self.attention_p = self._branch(entries)
        self.proj = self.conv_module((1 + both) * self.channels, self.in_channels, 1, padding=1)
        self.bottleneck = self.conv_module(2 * self.in_channels, self.channels, 3)

    def _branch(self, entries: int) -> tuple[nn.Module, nn.Module]:
        """Layers that make the values [N, channels, h, w], and of these the masks."""
        return (self.conv_module(self.in_channels, self.channels, 1),
                nn.Sequential(self.conv_module(self.channels, self.channels, 1),
                              nn.Conv2d(self.channels, entries, 1, bias=False)))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        size, align_corners = self._shrunk(*x.shape[2:])
        if self.psa_type == 'bi-direction':
            out = torch.cat([
                self._attend(self.reduce, self.attention, 'collect', x, size, align_corners),
                self._attend(self.reduce_p, self.attention_p, 'distribute', x, size,
                             align_corners)], dim=1)
        else:
            out = self._attend(self.reduce, self.attention, self.psa_type, x, size, align_corners)
        return self.cls_seg(self._join(x, self.proj(out), align_corners))

    def _shrunk(self, height: int, width: int) -> tuple[tuple[int, int], bool]:
        """Size of the map that attention works on, and whether the corners of both maps meet."""
        factor = self.shrink_factor
        if factor == 1:
            return (height, width), self.align_corners
        if height % factor and width % factor:
            return ((height - 1) // factor + 1, (width - 1) // factor + 1), True
        if min(height, width) < factor:
            raise ConfigError(f'PSAHead: shrink_factor={factor} leaves nothing of a map of '
                              f'{height} x {width} pixels: lower it, or take larger images')
        return (height // factor, width // factor), False

    def _attend(self, reduce: nn.Module, attention: nn.Sequential, kind: str, x: Tensor,
                size: tuple[int, int], align_corners: bool) -> Tensor:
        """What the pixels collect, or are given: [N, channels, *size] of x [N, in_channels, h, w].
        """
        values = reduce(x)
        if self.shrink_factor != 1:
            values = resize(values, size, mode='bilinear', align_corners=align_corners)
        weights = self._weights(attention, kind, values)
        if self.psa_softmax:
            weights = weights.softmax(1)
        sums = torch.bmm(values.flatten(2), weights.to(values.dtype)).view(values.shape)
        return sums if self.normalization_factor == 1 else sums / self.normalization_factor

    def _weights(self, attention: nn.Sequential, kind: str, values: Tensor) -> Tensor:
        """Weights [N, places, pixels] of values [N, channels, h, w], by their masks."""
        hidden, last = attention[0](values), attention[1]
        if self.compact:
            return self._turned(last(hidden).flatten(2), kind, values.shape[2:])
        if self.fuse_attention and is_plain_conv(last):
            weight, mask_size = entries_on_map(last.weight, self.mask_size, values.shape[2:])
            return psa_mask(F.conv2d(hidden, weight), kind, mask_size).flatten(2)
        return psa_mask(last(hidden), kind, self.mask_size).flatten(2)

    def _turned(self, masks: Tensor, kind: str, size: Sequence[int]) -> Tensor:
        """Weights [N, places, pixels] of compact masks [N, entries, pixels]."""
        if self.mask_size[0] * self.mask_size[1] != size[0] * size[1]:
            raise ConfigError(
                f'PSAHead: with compact=True, mask_size={self.mask_size} must have an entry for '
                f'each pixel of the map, which has {size[0]} x {size[1]}')
        # The reference turns those of the other direction where both are there.
        turned = 'distribute' if self.psa_type == 'bi-direction' else 'collect'
        return masks.transpose(1, 2) if kind == turned else masks

    def _join(self, x: Tensor, found: Tensor, align_corners: bool) -> Tensor:
        """The bottleneck of x and the enlarged map: [N, channels, h, w]."""
        smaller = found.shape[2] * found.shape[3] < x.shape[2] * x.shape[3]
        if self.fuse_pyramid and smaller and self.bottleneck.is_plain:
            conv = self.bottleneck.conv
            return self.bottleneck.after_conv(pyramid_conv(
                x, [found], conv.weight, conv.bias, align_corners, conv._conv_forward))
        found = resize(found, x.shape[2:], mode='bilinear', align_corners=align_corners)
        return self.bottleneck(torch.cat([x, found], dim=1))


def entries_on_map(weight: Tensor, mask_size: tuple[int, int],
                   size: Sequence[int]) -> tuple[Tensor, tuple[int, int]]:
    """The weight [entries, C, 1, 1] of the entries that lie on a map of `size`, for some pixel.

    Returns them with the size of such masks, in whose middle is the pixel as before.
    """
    rows, columns = (
        slice(max(0, (mask - 1) // 2 - (pixels - 1)), min(mask, (mask - 1) // 2 + pixels))
        for mask, pixels in zip(mask_size, size, strict=True))
    part = weight.unflatten(0, mask_size)[rows, columns]
    return part.flatten(0, 1), (rows.stop - rows.start, columns.stop - columns.start)


def _check(mask_size: Sequence[int], psa_type: str, shrink_factor: int,
           normalization_factor: float | None) -> None:
    if len(mask_size) != 2 or not all(isinstance(size, int) and size > 0 for size in mask_size):
        raise ConfigError(f'PSAHead: mask_size={mask_size!r} must be (height, width), each 1 or '
                          'more')
    if psa_type not in _TYPES:
        raise ConfigError(f'PSAHead: psa_type={psa_type!r} is not one of {", ".join(_TYPES)}')
    if shrink_factor < 1:
        raise ConfigError(f'PSAHead: shrink_factor={shrink_factor} must be 1 or more')
    if normalization_factor is not None and normalization_factor <= 0:
        raise ConfigError(f'PSAHead: normalization_factor={normalization_factor} must be above 0, '
                          'or None, which stands for the number of entries of a mask')
