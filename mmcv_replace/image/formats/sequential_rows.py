"""Rows of PNGs and JPEGs, which are decoded from top to bottom, by libvips."""
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...utils.errors import DataError

if TYPE_CHECKING:
    from pyvips import Image

INSTALL = "pip install 'mmseg-ascend[large]'"
STARTS = {b'\x89PNG': 'pngload', b'\xff\xd8\xff': 'jpegload'}
UPRIGHT = (0, 1)  # values of the orientation, 0 where the file says none
ALPHA, COLOURS, GREY = 4, 3, 1  # bands; ALPHA: colours with transparency


def has_vips() -> bool:
    return importlib.util.find_spec('pyvips') is not None


def open_sequential(path: Path, start: bytes, flag: str, name: str) -> 'SequentialRows | None':
    """Rows of a PNG or JPEG that begins with the bytes `start`; None where it is to be decoded as
    a whole: for want of pyvips, or since that would give other pixels.
    """
    loader = next((loader for sign, loader in STARTS.items() if start.startswith(sign)), None)
    if loader is None or not has_vips():
        return None
    load = _Loader(path, loader, name)
    img = load()
    convert = _CONVERT.get((img.bands, flag.removesuffix('_ignore_orientation')))
    return SequentialRows(load, name, convert) if convert is not None and _is_plain(img) else None


def _is_plain(img: 'Image') -> bool:
    """Whether the rows are stored from top to bottom, as grey or colours of 8 bits."""
    known = {key: img.get(key) for key in ('interlaced', 'orientation') if img.get_typeof(key)}
    return (img.format == 'uchar' and img.interpretation != 'cmyk'
            and known.get('orientation', 1) in UPRIGHT
            and not known.get('interlaced') and not img.get_typeof('palette'))


class SequentialRows:
    """Rows of an image file that is opened anew by `load` where rows above are asked for again."""

    def __init__(self, load: Callable[[], 'Image'], name: str,
                 convert: Callable[[np.ndarray], np.ndarray]) -> None:
        self._load, self._name, self._convert = load, name, convert
        img = load()
        self.height, self.width, self._bands = img.height, img.width, img.bands
        self._region: Any = None
        self._kept = np.empty((0, self.width, self._bands), np.uint8)  # what was read last
        self._end = self.height  # the row after these

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        first = self._end - len(self._kept)
        if self._region is None or top < first:
            import pyvips
            self._region = pyvips.Region.new(self._load())
            self._kept, self._end = self._kept[:0], top
        elif top > first:
            self._kept = self._kept[top - first:]
            self._end = max(self._end, top)
        if bottom > self._end:
            new = self._fetch(self._end, bottom)
            self._kept = np.concatenate([self._kept, new]) if len(self._kept) else new
            self._end = bottom
        return self._convert(self._kept[:bottom - top, left:right])

    def _fetch(self, top: int, bottom: int) -> np.ndarray:
        from pyvips import Error
        try:
            content = self._region.fetch(0, top, self.width, bottom - top)
        except Error as error:
            raise DataError(f'{self._name}: rows {top} to {bottom} cannot be decoded: '
                            f'{_words(error)}; fetch or make the file again') from error
        return np.frombuffer(content, np.uint8).reshape(bottom - top, self.width, self._bands)


class _Loader:
    """Opens a file; nothing of its pixels is read then."""

    def __init__(self, path: Path, loader: str, name: str) -> None:
        self._path, self._loader, self._name = path, loader, name

    def __call__(self) -> 'Image':
        import pyvips
        try:
            return getattr(pyvips.Image, self._loader)(
                str(self._path), access='sequential', fail_on='truncated')
        except pyvips.Error as error:
            raise DataError(f'{self._name}: libvips cannot decode the image: '
                            f'{_words(error)}; fetch or make the file again') from error


def _words(error: Exception) -> str:
    return ' '.join(str(error).split())


def _reverse(img: np.ndarray) -> np.ndarray:
    return img[..., 2::-1]


def _plane(img: np.ndarray) -> np.ndarray:
    return img[..., 0]


# By bands and flag: what makes of rows [R, W, bands] those of OpenCV.
_CONVERT = {
    (ALPHA, 'color'): _reverse, (COLOURS, 'color'): _reverse, (COLOURS, 'unchanged'): _reverse,
    (COLOURS, 'bands'): lambda img: img,
    (GREY, 'color'): lambda img: np.repeat(img, 3, axis=2),
    **dict.fromkeys([(GREY, flag) for flag in ('grayscale', 'unchanged', 'bands')], _plane)}
