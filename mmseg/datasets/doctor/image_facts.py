"""Facts in the header of an image file: its size, orientation, depth and channels."""
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmcv_replace.image.formats.tiff_header import (
    BLACK_IS_ZERO,
    RGB,
    WHITE_IS_ZERO,
    YCBCR,
    is_tiff,
    read_pages,
)
from mmcv_replace.image.integrity import PNG_START
from mmcv_replace.image.io import PNG_DEPTH
from mmcv_replace.image.limits import open_with_pillow

if TYPE_CHECKING:
    from PIL.Image import Image

EXIF_ORIENTATION = 0x0112
GREY = ('1', 'L', 'I', 'F')
COLOUR = ('RGB', 'P', 'YCbCr')


@dataclass(frozen=True)
class ImageFacts:
    """`size` [height, width] is as stored; `orientation` is the EXIF tag (1: upright); `bits` of
    a channel are 8 at least.
    """

    size: tuple[int, int]
    orientation: int = 1
    bits: int = 8
    grey: bool = False
    channels: str = 'RGB'

    @property
    def turned(self) -> bool:
        """Whether the orientation swaps width and height."""
        return self.orientation in (5, 6, 7, 8)


def read_facts(content: bytes) -> ImageFacts | None:
    """Facts of an encoded image; None where its format is not known."""
    if is_tiff(content):
        return _tiff_facts(content)
    try:
        with open_with_pillow(content) as img:
            mode, size = img.mode, (img.height, img.width)
            orientation, bits = _orientation(img), _bits(img, content)
    except Exception:  # damaged headers make Pillow raise nearly anything
        return None
    return ImageFacts(size, orientation, bits, mode.split(';')[0] in GREY,
                      'RGB' if mode in COLOUR else mode)


def _tiff_facts(content: bytes) -> ImageFacts | None:
    """Facts of the first page; Pillow does not open TIFFs of several bands."""
    page = next(iter(read_pages(content)), None)
    if page is None:
        return None
    grey = page.bands == 1 and page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)
    rgb = page.bands == 3 and page.photometric in (RGB, YCBCR)
    channels = 'RGB' if page.bands == 1 or rgb else f'{page.bands} bands'
    orientation = page.orientation if page.orientation in range(1, 9) else 1
    return ImageFacts((page.height, page.width), orientation, max(page.bits, 8), grey, channels)


def _bits(img: 'Image', content: bytes) -> int:
    # Colours of 16 bits have no mode of their own in Pillow, so PNGs are asked.
    if content.startswith(PNG_START):
        return max(content[PNG_DEPTH], 8)
    return {'I': 32, 'F': 32}.get(img.mode, 16 if img.mode.startswith('I;16') else 8)


def _orientation(img: 'Image') -> int:
    try:
        value = img.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # a damaged tag turns nothing
        return 1
    return value if value in range(1, 9) else 1
