"""Images of any number of bands, as the files hold them."""
import numpy as np

from ..utils.errors import DataError, UnsupportedImageError

KEPT = (np.uint8, np.uint16)  # other values become float32, which every step takes


def as_bands(img: np.ndarray, channels: int | None, name: str) -> np.ndarray:
    """An image as steps take it: [H, W, C] (one band: [H, W]) of uint8, uint16 or float32.

    Where only the first length of an array is `channels`, its bands come first, as rasterio and
    torch have them, and are moved to the end. `name` is the file in messages. Raises DataError for
    another number of bands than `channels` (None: any).
    """
    if img.ndim == 3 and img.shape[2] != channels == img.shape[0]:
        img = np.ascontiguousarray(img.transpose(1, 2, 0))
    return as_bands_last(img, channels, name, img.shape[:2])


def as_bands_last(img: np.ndarray, channels: int | None, name: str, size: tuple[int, int]
                  ) -> np.ndarray:
    """`as_bands` of a part of an image of `size` (height, width), whose bands come last."""
    if img.ndim == 3 and img.shape[2] == 1:
        img = img[..., 0]
    found = band_count(img)
    if channels is not None and found != channels:
        raise UnsupportedImageError(
            f'{name}: the image has {found} band{"s" * (found > 1)} ({img.dtype}, '
            f'{[*size, *img.shape[2:]]}), but in_channels={channels}: take such files out of the '
            f'dataset, or set in_channels={found} if all have as many')
    if img.dtype.kind not in 'biuf':
        raise DataError(f'{name}: the image holds {img.dtype}; store whole or real numbers')
    if img.dtype in KEPT:
        return img
    return img.astype(np.uint8 if img.dtype == np.bool_ else np.float32, copy=False)


def band_count(img: np.ndarray) -> int:
    """The number of channels of an image [H, W] or [H, W, C]."""
    return 1 if img.ndim == 2 else img.shape[2]
