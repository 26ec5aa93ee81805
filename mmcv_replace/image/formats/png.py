"""PNGs of 8-bit colours by Wuffs, which gives the pixels of OpenCV in less time."""
import struct
from functools import lru_cache
from typing import Any

import numpy as np

INSTALL = "pip install 'mmseg-ascend[png]' (a C++ compiler builds it)"
# Behind the signature: length and name of the first chunk, width, height, bits, type of colour,
# compression, filter, interlacing.
HEADER = struct.Struct('>I4sIIBBBBB')
CHUNK = struct.Struct('>I4s')
SIGNATURE, CRC = 8, 4  # bytes
COLOUR = 2
# Chunks that leave the pixels alone; others, such as tRNS and eXIf, may change what OpenCV gives.
NEUTRAL = {b'IHDR', b'IDAT', b'IEND', b'gAMA', b'cHRM', b'sRGB', b'iCCP', b'pHYs', b'tIME',
           b'tEXt', b'zTXt', b'iTXt'}
# Whether larger images are decoded is up to OpenCV.
MOST_PIXELS = 2**26


def decode_plain_png(content: bytes) -> np.ndarray | None:
    """The BGR image [H, W, 3] of a PNG; None for one of another kind, and for a damaged one."""
    if not _is_plain(content):
        return None
    decoded = _decoder().decode(content)
    return None if decoded.error_message else decoded.pixbuf


def _is_plain(content: bytes) -> bool:
    """Whether it has 8-bit colours alone, row by row, and nothing that turns them into others."""
    if len(content) < SIGNATURE + HEADER.size:
        return False
    _, name, width, height, *kind = HEADER.unpack_from(content, SIGNATURE)
    if name != b'IHDR' or kind != [8, COLOUR, 0, 0, 0] or not 0 < width * height <= MOST_PIXELS:
        return False
    place = SIGNATURE
    while place + CHUNK.size <= len(content):
        length, name = CHUNK.unpack_from(content, place)
        if name not in NEUTRAL:
            return False
        if name == b'IEND':
            return True
        place += CHUNK.size + length + CRC
    return False


@lru_cache(1)
def _decoder() -> Any:
    from pywuffs import ImageDecoderType, PixelFormat
    from pywuffs.aux import ImageDecoder, ImageDecoderConfig
    config = ImageDecoderConfig()
    config.enabled_decoders = [ImageDecoderType.PNG]
    config.pixel_format = PixelFormat.BGR
    return ImageDecoder(config)
