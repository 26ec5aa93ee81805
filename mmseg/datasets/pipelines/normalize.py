"""Normalise the image, for most pipelines straight to the memory layout of a tensor."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imnormalize, imnormalize_chw
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Step, Transform, match
from .checks import check_numbers
from .formating import DefaultFormatBundle, ImageToTensor
from .geometric import Pad


@PIPELINES.register_module()
class Normalize(Transform):
    """Normalise to (img - mean) / std in float32, and with `to_rgb` turn BGR into RGB before it.

    `mean` and `std` hold a value for each channel of the result.
    """

    fusible = True

    def __init__(self, mean: Sequence[float], std: Sequence[float], to_rgb: bool = True) -> None:
        check_numbers('Normalize', 'mean', mean, len(mean))
        check_numbers('Normalize', 'std', std, len(mean))
        self.mean = np.array(mean, np.float32)
        self.std = np.array(std, np.float32)
        self.to_rgb = to_rgb
        if not (self.std > 0).all():
            raise ConfigError(f'Normalize: std={list(std)}: every value must be positive')
        if to_rgb and len(mean) != 3:
            raise ConfigError(f'Normalize: mean={list(mean)}: to_rgb, which is on by default, '
                              'takes three channels; for another number set to_rgb=False')

    def draw(self, results: Results) -> None:
        """Draws nothing; raises ConfigError for an image of another number of channels."""
        shape = results['img'].shape
        channels = 1 if len(shape) < 3 else shape[2]
        if len(self.mean) not in (1, channels):
            raise ConfigError(f'Normalize: mean and std have {len(self.mean)} values, the image '
                              f'{shape} has {channels} channel{"s" * (channels > 1)}: give a value '
                              'for each' + ', and to_rgb=False' * self.to_rgb)

    def apply_image(self, img: np.ndarray, params: None) -> np.ndarray:
        return imnormalize(img, self.mean, self.std, self.to_rgb)

    def record(self, results: Results, params: None) -> None:
        """Set `img_norm_cfg` to this normalisation and earlier ones, combined into one."""
        mean, std, to_rgb = self.mean, self.std, self.to_rgb
        before = results.get('img_norm_cfg')
        if before is not None and len(before['mean']) == len(mean):
            first_mean, first_std = (np.asarray(before[key], np.float32)[::-1 if to_rgb else 1]
                                     for key in ('mean', 'std'))
            mean, std = first_mean + first_std * mean, first_std * std
            to_rgb = to_rgb != before['to_rgb']
        results['img_norm_cfg'] = dict(mean=mean, std=std, to_rgb=to_rgb)

    def fuse_with(self, following: Sequence[Step]) -> tuple[Step, int] | None:
        if match(following, Pad, DefaultFormatBundle):
            return CHWNormalize(self, following[0]), 1
        if match(following, DefaultFormatBundle) or match(following, ImageToTensor):
            return CHWNormalize(self), 0
        return None


class CHWNormalize(Transform):
    """`Normalize` and, if given, the `Pad` after it, in the memory layout of a tensor.

    `img` is a view [H, W, C] of an array [C, H, W], which needs no later copy.
    """

    def __init__(self, normalize: Normalize, pad: Pad | None = None) -> None:
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
