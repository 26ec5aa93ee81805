"""Find image files that were cut off: decoders fill the missing part with grey and say nothing."""

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'
PNG_START, PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82'
START_OF_SCAN = 0xda


def find_truncation(content: bytes) -> str | None:
    """What is missing at the end of an encoded image; None where it is whole or of another format.

    Bytes after the end of the image are allowed, as cameras and some tools append their own.
    """
    if not content:
        return 'the file is empty'
    if content.startswith(JPEG_START) and content.rfind(JPEG_END, _jpeg_header_size(content)) < 0:
        return 'the file is truncated: it is a JPEG without its end marker'
    if content.startswith(PNG_START) and content.rfind(PNG_END) < 0:
        return 'the file is truncated: it is a PNG without its IEND chunk'
    return None


def _jpeg_header_size(content: bytes) -> int:
    """Where the scans begin. The header is skipped because its thumbnail has an end marker too."""
    position = len(JPEG_START)
    while position + 4 <= len(content) and content[position] == 0xff:
        if content[position + 1] == START_OF_SCAN:
            return position
        position += 2 + int.from_bytes(content[position + 2:position + 4], 'big')
    return position
