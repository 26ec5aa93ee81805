"""How many pixels an image may have: OpenCV's limit, which holds for Pillow here too.

A file of a few bytes can claim any size, so some limit has to be. Pillow has its own, 179 million,
which is less than what OpenCV reads, and masks have the size of their images.
"""
import io
import os
import re
import threading
from typing import TYPE_CHECKING

from ..utils.errors import UnsupportedImageError

if TYPE_CHECKING:
    from PIL.Image import Image

VARIABLE = 'OPENCV_IO_MAX_IMAGE_PIXELS'
_UNITS = {'': 1, 'KB': 2**10, 'MB': 2**20}
_PILLOW = threading.Lock()


def _read_limit(text: str) -> int:
    """What OpenCV makes of its variable; 2**30 where that is not set."""
    number = re.fullmatch(r'(\d+)\s*(|KB|MB)', text.strip(), re.IGNORECASE)
    return int(number[1]) * _UNITS[number[2].upper()] if number else 2**30


# OpenCV reads the variable when it is loaded, and never again.
MAX_PIXELS = _read_limit(os.environ.get(VARIABLE, ''))


def check_pixels(width: int, height: int) -> None:
    """Raise UnsupportedImageError for an image of more pixels than the limit."""
    if width * height > MAX_PIXELS:
        raise UnsupportedImageError(_told(f'{width} x {height} pixels', VARIABLE, MAX_PIXELS))


def explain_opencv(message: str) -> str | None:
    """The remedy where an error of OpenCV's is about one of its limits on the size of images."""
    limit = re.search(r'CV_IO_MAX_IMAGE_(WIDTH|HEIGHT|PIXELS)', message)
    return None if limit is None else _told(
        f'too large a size ({limit[1].lower()})', f'OPENCV_IO_MAX_IMAGE_{limit[1]}')


def open_with_pillow(content: bytes) -> 'Image':
    """Open an encoded image, whose pixels are not read yet, under our limit instead of Pillow's."""
    from PIL import Image
    with _PILLOW:
        own, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            img = Image.open(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = own
    check_pixels(*img.size)
    return img


def _told(found: str, variable: str, limit: int | None = None) -> str:
    most = '' if limit is None else f', which is {limit:,}'
    return (f'the image has {found}, more than the limit of OpenCV{most}: cut it into tiles, or, '
            f'where the file can be trusted, set the environment variable {variable} to more '
            'before the start')
