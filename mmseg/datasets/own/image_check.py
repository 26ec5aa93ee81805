"""A look at image files: whether they are sound and of the size of their masks, and small pictures.
"""
import cv2
import numpy as np

from mmcv_replace.fileio.backends.disk import read_bytes
from mmcv_replace.image import imfrombytes
from mmcv_replace.image.integrity import find_truncation
from mmcv_replace.utils.errors import DataError

from ..doctor.image_facts import ImageFacts, read_facts

ARRAYS = ('.npy', '.npz')


def check_image(image: str, mask: str, size: tuple[int, int]) -> None:
    """Raise DataError where an image cannot be read, or has another size than its mask's `size`.

    `size` is height and width.
    """
    content = read_bytes(image, 'the image ')
    lack = find_truncation(content)
    if lack is not None:
        raise DataError(f'{image}: {lack}; fetch or make the file again')
    facts = read_facts(content)
    if facts is None:
        if image.lower().endswith(ARRAYS):
            return  # the loading step knows how these are stored
        facts = ImageFacts(imfrombytes(content, 'unchanged', name=image).shape[:2])
    upright = facts.size[::-1] if facts.turned else facts.size
    if size == upright:
        return
    text = (f'{mask}: the mask is {size[0]} x {size[1]} (height x width), its image {image} '
            f'{upright[0]} x {upright[1]}')
    if size == facts.size:
        raise DataError(f'{text} after its EXIF orientation {facts.orientation}; store the image '
                        'upright (mogrify -auto-orient), then turn the mask as well')
    raise DataError(f'{text}; make both again from one source: a mask must not be resized with '
                    'interpolation')


def shrink(image: str, size: tuple[int, int]) -> np.ndarray | None:
    """A grey picture of `size` (width, height) of an image file, None if it cannot be decoded."""
    try:
        content = read_bytes(image)
        grey = imfrombytes(content, cv2.IMREAD_REDUCED_GRAYSCALE_8, name=image)
        if min(grey.shape) < max(size):
            grey = imfrombytes(content, 'grayscale', name=image)
    except DataError:
        return None
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
