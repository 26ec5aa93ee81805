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
        img, normalize, pad = results['img'], self.normalize, self.pad
        padding = None if pad is None else pad.draw(results)
        size = None if padding is None else padding.size
        if not fits(img, size):
            results = normalize(results)
            return results if pad is None else pad(results)
        normalize.draw(results)
        img = imnormalize_chw(img, normalize.mean, normalize.std, normalize.to_rgb, size,
                              0 if pad is None else pad.pad_val).transpose(1, 2, 0)
        results = normalize.finish(results, img, None)
        return results if pad is None else pad.finish(results, img, padding)


def fits(img: np.ndarray, size: tuple[int, int] | None) -> bool:
    """Whether an image is uint8 [H, W, 3] and not larger than `size` (height, width)."""
    return (img.dtype == np.uint8 and img.ndim == 3 and img.shape[2] == 3
            and (size is None or (img.shape[0] <= size[0] and img.shape[1] <= size[1])))
