"""Resizing of feature maps."""
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.utils import warn_once

Size = tuple[int, int] | int


def resize(input: Tensor, size: Size | None = None,
           scale_factor: float | tuple[float, float] | None = None, mode: str = 'nearest',
           align_corners: bool | None = None, warning: bool = True) -> Tensor:
    """Resize maps to `size` (h, w) or by `scale_factor`, as F.interpolate does.

    input: [N, C, H, W]. With align_corners, sizes that do not fit cause a warning (see
    `warn_unaligned`), unless `warning` is off.
    """
    if warning and align_corners and size is not None:
        warn_unaligned(tuple(input.shape[-2:]), (size, size) if isinstance(size, int) else size)
    return F.interpolate(input, size, scale_factor, mode, align_corners)


def warn_unaligned(source: tuple[int, int], target: tuple[int, int]) -> None:
    """Warn, once per pair of sizes, about enlarging from `source` to `target` with align_corners.

    Pixels of the source meet pixels of the target only where target - 1 is a multiple of
    source - 1, in both directions (height, width).
    """
    pairs = list(zip(source, target, strict=True))
    if min(*source, *target) > 1 and any(b > a for a, b in pairs) and all(
            (b - 1) % (a - 1) for a, b in pairs):
        warn_once(f'resize with align_corners=True from {tuple(source)} to {tuple(target)}: '
                  'pixels line up best when the sizes are x + 1 and n * x + 1; a crop size such '
                  'as 769 gives such sizes')


class Upsample(nn.Module):
    """`resize` as a layer, to `size` or to H and W times `scale_factor`, rounded down."""

    def __init__(self, size: Size | None = None,
                 scale_factor: float | tuple[float, float] | None = None, mode: str = 'nearest',
                 align_corners: bool | None = None) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = (tuple(map(float, scale_factor)) if isinstance(scale_factor, tuple)
                             else scale_factor and float(scale_factor))
        self.mode = mode
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor:
        size = self.size
        if size is None:
            factor = self.scale_factor
            h_factor, w_factor = factor if isinstance(factor, tuple) else (factor, factor)
            size = (_times(x.shape[-2], h_factor), _times(x.shape[-1], w_factor))
        return resize(x, size, None, self.mode, self.align_corners)


def _times(size: int, factor: float) -> int:
    # A graph holds the product of whole numbers for any size, but not what int() rounds.
    return size * int(factor) if factor.is_integer() else int(size * factor)
