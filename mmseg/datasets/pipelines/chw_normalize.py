"""Images whose channels lie apart in memory, which become tensors [3, H, W] without a copy."""
import numpy as np

from mmcv_replace.image import imnormalize_planar

from .base import Results, Transform
from .geometric import Pad
from .photometric import Normalize


class PlanarNormalize(Transform):
    """`Normalize` and the `Pad` behind it, where the step to come makes a tensor."""

    def __init__(self, normalize: Normalize, pad: Pad | None = None) -> None:
        self.normalize = normalize
        self.pad = pad

    def __call__(self, results: Results) -> Results:
        img, normalize, pad = results['img'], self.normalize, self.pad
        size = None if pad is None else pad.choose_size(img)
        if not fits(img, size):
            results = normalize(results)
            return results if pad is None else pad(results)
        planes = imnormalize_planar(img, normalize.mean, normalize.std, normalize.to_rgb, size,
                                    0 if pad is None else pad.pad_val)
        results['img'] = planes.transpose(1, 2, 0)
        normalize.note(results)
        return results if pad is None else pad.finish(results, results['img'])


def fits(img: np.ndarray, size: tuple[int, int] | None) -> bool:
    """Whether an image is of bytes in three channels, and not larger than `size`."""
    return (img.dtype == np.uint8 and img.ndim == 3 and img.shape[2] == 3
            and (size is None or (img.shape[0] <= size[0] and img.shape[1] <= size[1])))
