"""The largest number of pixels of an image: OpenCV's limit, for Pillow too.

A file of a few bytes can claim any size, so a limit is needed. Pillow's own, 179 million, is below
OpenCV's, and masks (read by Pillow) have the size of their images (read by OpenCV).
"""
import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..utils.errors import UnsupportedImageError

if TYPE_CHECKING:
    from PIL.Image import Image

UNKNOWN = 'no image format that it knows, or damaged'  # what a decoder says of a file
VARIABLE = 'OPENCV_IO_MAX_IMAGE_PIXELS'
_UNITS = {'': 1, 'KB': 2**10, 'MB': 2**20}
_PILLOW = threading.Lock()


def _read_limit(text: str) -> int:
    """Parse OpenCV's variable as OpenCV does; 2**30 by default."""
    number = re.fullmatch(r'(\d+)\s*(|KB|MB)', text.strip(), re.IGNORECASE)
    return int(number[1]) * _UNITS[number[2].upper()] if number else 2**30


# OpenCV reads the variable once, when it is loaded.
MAX_PIXELS = _read_limit(os.environ.get(VARIABLE, ''))


def check_pixels(width: int, height: int) -> None:
    """Raise UnsupportedImageError for an image of more pixels than the limit."""
    if width * height > MAX_PIXELS:
        raise UnsupportedImageError(_too_large(f'{width} x {height} pixels', VARIABLE, MAX_PIXELS))


def explain_opencv(message: str) -> str | None:
    """The cause and remedy for an error message of OpenCV about the size of an image, else None."""
    limit = re.search(r'CV_IO_MAX_IMAGE_(WIDTH|HEIGHT|PIXELS)', message)
    return None if limit is None else _too_large(
        f'too large a size ({limit[1].lower()})', f'OPENCV_IO_MAX_IMAGE_{limit[1]}')


def open_with_pillow(content: bytes | Path, limited: bool = True) -> 'Image':
    """Open an encoded image, or the file of one, with this limit, or none, instead of Pillow's.

    Its pixels are not read yet.
    """
    from PIL import Image, UnidentifiedImageError
    with _without_pillows_limit():
        try:
            img = Image.open(io.BytesIO(content) if isinstance(content, bytes) else content)
        except UnidentifiedImageError as error:  # its text is the address of an object
            raise UnidentifiedImageError(UNKNOWN) from error
    if limited:
        check_pixels(*img.size)
    return img


def load_with_pillow(img: 'Image') -> None:
    """Read the pixels of an image of `open_with_pillow`.

    Of a TIFF, Pillow looks at its own limit once more; those of other formats are read as needed.
    """
    from PIL import Image
    if Image.MAX_IMAGE_PIXELS is not None and img.width * img.height > Image.MAX_IMAGE_PIXELS:
        with _without_pillows_limit():  # one image at a time
            img.load()


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    from PIL import Image
    with _PILLOW:
        own, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = own


def _too_large(found: str, variable: str, limit: int | None = None) -> str:
    most = '' if limit is None else f', which is {limit:,}'
    return (f'the image has {found}, more than the limit of OpenCV{most}: cut it into tiles, or, '
            f'where the file can be trusted, set the environment variable {variable} to more '
            'before the start')
