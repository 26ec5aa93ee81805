"""What the header of an image file tells: its orientation, depth and channels."""
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

PNG_START, PNG_DEPTH = b'\x89PNG\r\n\x1a\n', 24
EXIF_ORIENTATION = 0x0112
TIFF_BITS = 258
GREY = ('1', 'L', 'I', 'F')
COLOUR = ('RGB', 'P', 'YCbCr')


@dataclass(frozen=True)
class ImageFacts:
    """`size` [height, width] is as stored; `orientation` is the EXIF tag, 1 = upright."""

    size: tuple[int, int]
    orientation: int = 1
    bits: int = 8
    grey: bool = False
    channels: str = 'RGB'

    @property
    def turned(self) -> bool:
        """Whether an image viewer swaps width and height."""
        return self.orientation in (5, 6, 7, 8)


def read_facts(content: bytes) -> ImageFacts | None:
    """Facts of an encoded image; None where Pillow does not know its format."""
    from PIL import Image
    try:
        with Image.open(io.BytesIO(content)) as img:
            mode, size = img.mode, (img.height, img.width)
            orientation, bits = _orientation(img), _bits(img, content)
    except Exception:  # damaged headers make Pillow raise nearly anything
        return None
    return ImageFacts(size, orientation, bits, mode.split(';')[0] in GREY,
                      'RGB' if mode in COLOUR else mode)


def _bits(img: 'Image', content: bytes) -> int:
    """Bits of a channel, 8 at least. Colours of 16 bits have no mode of their own in Pillow."""
    if content.startswith(PNG_START):
        return max(content[PNG_DEPTH], 8)
    if img.format == 'TIFF':
        return max(8, *img.tag_v2.get(TIFF_BITS, (8,)))
    return {'I': 32, 'F': 32}.get(img.mode, 16 if img.mode.startswith('I;16') else 8)


def _orientation(img: 'Image') -> int:
    try:
        value = img.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # a damaged tag turns nothing
        return 1
    return value if value in range(1, 9) else 1
