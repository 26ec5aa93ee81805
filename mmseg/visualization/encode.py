"""Pictures as the bytes of a file."""
import cv2
import numpy as np

from mmcv_replace.utils.errors import ConfigError, DataError

QUALITY = 85  # of JPEG, up to 100: pages hold hundreds of photographs
WEBP_QUALITY, LOSSLESS = 80, 101  # of WebP, where a value above 100 means without loss
# Format -> suffix, and settings: the colours of thin lines are kept, other than by default.
FORMATS = {
    'png': ('.png', ()),
    'jpeg': ('.jpg', (cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                      cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)),
    # For pages with many small pictures: half of the bytes of the two above.
    'webp': ('.webp', (cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)),
    'webp_lossless': ('.webp', (cv2.IMWRITE_WEBP_QUALITY, LOSSLESS)),
}


def encode_picture(bgr: np.ndarray, format: str = 'png') -> bytes:
    """A BGR [H, W, 3] or grey [H, W] picture of type uint8 in one of FORMATS.

    Raises ConfigError for another format, and DataError for what is no picture.
    """
    if format not in FORMATS:
        raise ConfigError(f'format={format!r} of a picture: choose one of {", ".join(FORMATS)}')
    if bgr.dtype != np.uint8 or bgr.ndim not in (2, 3) or bgr.size == 0 or (
            bgr.ndim == 3 and bgr.shape[2] != 3):
        raise DataError(f'an array {list(bgr.shape)} of {bgr.dtype} is no picture: give uint8 '
                        '[H, W, 3] or [H, W], as to_displayable returns')
    suffix, settings = FORMATS[format]
    done, encoded = cv2.imencode(suffix, bgr, settings)
    if not done:
        raise DataError(f'a picture {list(bgr.shape)} cannot be written as {format}, which has '
                        'fewer pixels a side')
    return encoded.tobytes()
