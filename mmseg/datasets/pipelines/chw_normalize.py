"""`Normalize` straight to the memory layout of a tensor: [C, H, W], which needs no later copy."""
from typing import TYPE_CHECKING

import numpy as np

from mmcv_replace.image import imnormalize_chw

from .base import Results, Transform

if TYPE_CHECKING:
    from .geometric import Pad
    from .photometric import Normalize


class CHWNormalize(Transform):
    """`Normalize` and, if given, the `Pad` after it; `img` is a view [H, W, C] of a [C, H, W]."""

    def __init__(self, normalize: 'Normalize', pad: 'Pad | None' = None) -> None:
        self.normalize = normalize
        self.pad = pad

    def __call__(self, results: Results) -> Results:
        padding = None if self.pad is None else self.pad.draw(results)
        size = None if padding is None else padding[0]
        if not _fits(results['img'], size):
            results = self.normalize(results)
            return results if self.pad is None else self.pad(results)
        self.normalize.draw(results)
        img = self.convert(results['img'], size).transpose(1, 2, 0)
        results = self.normalize.finish(results, img, None)
        return results if self.pad is None else self.pad.finish(results, img, padding)

    def convert(self, img: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
        """Turn a uint8 image [H, W, 3] into [3, H, W], padded to `size` (height, width)."""
        norm, pad_val = self.normalize, 0 if self.pad is None else self.pad.pad_val
        return imnormalize_chw(img, norm.mean, norm.std, norm.to_rgb, size, pad_val)


def _fits(img: np.ndarray, size: tuple[int, int] | None) -> bool:
    """Whether an image is uint8 [H, W, 3] and not larger than `size` (height, width)."""
    return (img.dtype == np.uint8 and img.ndim == 3 and img.shape[2] == 3
            and (size is None or (img.shape[0] <= size[0] and img.shape[1] <= size[1])))
