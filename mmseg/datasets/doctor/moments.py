"""Mean and standard deviation of the bands of images, in one pass over their pixels."""
from dataclasses import dataclass

import numpy as np

from mmcv_replace.utils.errors import DataError

BLOCK = 2**18  # pixels that are converted to float64 at once


@dataclass(frozen=True)
class Moments:
    """Of `count` pixels: mean, sum of the squared deviations from it, lowest and highest value.

    All are float64 [C], a value for each band. The mean is `pivot + offset`, where the pivot is a
    value of a pixel: differences of means keep their digits however far these are from 0.
    """

    count: int
    pivot: np.ndarray
    offset: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean [C] of all pixels."""
        return self.pivot + self.offset

    @property
    def std(self) -> np.ndarray:
        """Standard deviation [C] of all pixels, without Bessel's correction."""
        return np.sqrt(self.squares / self.count)

    def __add__(self, other: 'Moments') -> 'Moments':
        """Those of both sets of pixels together (Chan, Golub, LeVeque 1979, STAN-CS-79-773)."""
        count = self.count + other.count
        apart = (other.pivot - self.pivot) + (other.offset - self.offset)
        share = other.count / count
        return Moments(
            count, self.pivot, self.offset + apart * share,
            self.squares + other.squares + apart**2 * (self.count * share),
            np.minimum(self.low, other.low), np.maximum(self.high, other.high))


def moments_of(img: np.ndarray) -> Moments:
    """Moments of an image [H, W] or [H, W, C] of integers or floats.

    Raises DataError for other types, for no pixels, and for values that are not finite.
    """
    if img.dtype.kind not in 'buif':
        raise DataError(f'the image holds values of type {img.dtype}, which have no mean: convert '
                        'them to integers or floats')
    bands = img.shape[2] if img.ndim == 3 else 1
    pixels = img.reshape(-1, bands)
    if not pixels.size:
        raise DataError(f'the image of the shape {img.shape} has no pixel')
    total = None
    for start in range(0, len(pixels), BLOCK):
        # A band lies together: numpy adds long rows pairwise, short ones one by one.
        block = np.array(pixels[start:start + BLOCK].T, np.float64, order='C')
        part = _moments(block, img)
        total = part if total is None else total + part
    return total


def _moments(block: np.ndarray, img: np.ndarray) -> Moments:
    """Moments of float64 values [C, P] of an image; they are overwritten."""
    low, high = block.min(axis=1), block.max(axis=1)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        wrong = ~np.isfinite(img.reshape(-1, len(block)))
        raise DataError(
            f'{np.count_nonzero(wrong):,} of its {wrong.size:,} values are infinite or no numbers '
            f'(in band {", ".join(str(band) for band in np.flatnonzero(wrong.any(axis=0)))}): '
            'give such pixels a number, and the ignored label in the mask')
    pivot = block[:, 0].copy()
    block -= pivot[:, None]
    offset = block.mean(axis=1)
    block -= offset[:, None]
    return Moments(block.shape[1], pivot, offset, np.einsum('cp,cp->c', block, block), low, high)
