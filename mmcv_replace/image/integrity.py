"""Detect image files that are truncated, or whose header gives a wrong size.

Decoders fill the missing part with grey, however large it is, without an error.
"""
import struct

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'
PNG_START, PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82'
START_OF_SCAN = 0xda
START_OF_FRAME = {*range(0xc0, 0xd0)} - {0xc4, 0xc8, 0xcc}
# A JPEG takes at least a bit for a block of 8 x 8 pixels. A PNG takes at least a bit for a pixel,
# which deflate compresses to 1/1032 at best.
PIXELS_PER_BYTE = {JPEG_START: 512, PNG_START: 1032 * 8}


def find_truncation(content: bytes) -> str | None:
    """Describe what is wrong with an encoded image; None if it is complete or of another format.

    Bytes after the end of the image are allowed, as cameras and some tools append their own data.
    """
    if not content:
        return 'the file is empty'
    start, size = None, (0, 0)
    if content.startswith(JPEG_START):
        start = JPEG_START
        header_end, size = _read_jpeg_header(content)
        if content.rfind(JPEG_END, header_end) < 0:
            return 'the file is truncated: it is a JPEG without its end marker'
    elif content.startswith(PNG_START):
        start = PNG_START
        size = struct.unpack_from('>II', content.ljust(24, b'\0'), 16)
        if content.rfind(PNG_END) < 0:
            return 'the file is truncated: it is a PNG without its IEND chunk'
    if start and size[0] * size[1] > PIXELS_PER_BYTE[start] * len(content):
        return (f'the file is damaged: its header says {size[0]} x {size[1]} pixels, which its '
                f'{len(content)} bytes cannot hold')
    return None


def _read_jpeg_header(content: bytes) -> tuple[int, tuple[int, int]]:
    """Position of the first scan, and (width, height), which are 0 where the header lacks them.

    The search for the end marker begins there, since a thumbnail in the header has one too.
    """
    position, size = len(JPEG_START), (0, 0)
    while position + 4 <= len(content) and content[position] == 0xff:
        marker, length = struct.unpack_from('>BH', content, position + 1)
        if marker == START_OF_SCAN:
            break
        if marker in START_OF_FRAME and position + 9 <= len(content):
            height, width = struct.unpack_from('>HH', content, position + 5)
            size = (width, height)
        position += 2 + length
    return position, size
