"""Read and write image files, with OpenCV, Pillow or simplejpeg."""
import importlib.util
import io
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..fileio import HardDiskBackend
from ..utils.errors import ConfigError, DataError
from .colorspace import bgr2rgb
from .integrity import find_truncation

FLAGS = {
    'color': cv2.IMREAD_COLOR,
    'grayscale': cv2.IMREAD_GRAYSCALE,
    'unchanged': cv2.IMREAD_UNCHANGED,
}
# What shows through a grey image with transparency: about the mean colour of ImageNet.
CANVAS_RGB = (124, 117, 104)


def imread(
    img_or_path: np.ndarray | str | os.PathLike,
    flag: str = 'color',
    channel_order: str = 'bgr',
    backend: str | None = None,
) -> np.ndarray:
    """Read an image: [H, W, 3] for 'color', [H, W] for 'grayscale', as stored for 'unchanged'.

    'color' and 'grayscale' turn the image upright as its EXIF tag says, 'unchanged' does not. An
    array is returned as it is. Raises DataError, which names the file, for one that is missing,
    truncated or no image.
    """
    if isinstance(img_or_path, np.ndarray):
        return img_or_path
    path = os.fspath(img_or_path)
    content = HardDiskBackend().get(path)
    return imfrombytes(content, flag, channel_order, backend, name=path)


def imfrombytes(
    content: bytes,
    flag: str = 'color',
    channel_order: str = 'bgr',
    backend: str | None = None,
    name: str = 'the image',
) -> np.ndarray:
    """Decode the bytes of an image file, as `imread` does; `name` is for the error messages."""
    backend = backend or _default['backend']
    for value, known, what in ((backend, DECODERS, 'backend'), (flag, FLAGS, 'flag'),
                               (channel_order, ('bgr', 'rgb'), 'channel_order')):
        if value not in known:
            raise ConfigError(f'unknown image {what} {value!r}: choose one of {", ".join(known)}')
    _check_installed(backend)
    problem = find_truncation(content)
    if problem is not None:
        raise DataError(f'{name}: {problem}; fetch or make the file again')
    try:
        img = DECODERS[backend](content, flag)
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        raise DataError(_undecodable(name, backend, str(error))) from error
    if img is None:
        raise DataError(_undecodable(name, backend, 'no image format that it knows, or damaged'))
    return bgr2rgb(img) if flag == 'color' and channel_order == 'rgb' else img


def imwrite(
    img: np.ndarray,
    file_path: str | os.PathLike,
    params: list[int] | None = None,
    auto_mkdir: bool = True,
) -> bool:
    """Write an image in the format of the file's suffix; `params` are those of cv2.imencode."""
    path = Path(file_path)
    try:
        done, encoded = cv2.imencode(path.suffix, img, params or [])
    except cv2.error as error:
        raise DataError(f'cannot write the image {path}: {error.err}; use a suffix such as .png or '
                        '.jpg and a uint8 array [H, W] or [H, W, 3]') from error
    if auto_mkdir:
        path.parent.mkdir(parents=True, exist_ok=True)
    if done:
        path.write_bytes(encoded)
    return done


def use_backend(backend: str) -> None:
    """Choose who decodes images where no backend is given.

    'cv2' (the default), 'pillow', or 'simplejpeg' (an extra), which gives OpenCV's pixels faster.
    """
    if backend not in DECODERS:
        raise ConfigError(f'unknown image backend {backend!r}: choose one of '
                          f'{", ".join(DECODERS)}')
    _check_installed(backend)
    _default['backend'] = backend


def _check_installed(backend: str) -> None:
    if backend == 'simplejpeg' and importlib.util.find_spec('simplejpeg') is None:
        raise ConfigError('the image backend simplejpeg is not installed: pip install '
                          "'mmseg-ascend[jpeg]', or choose cv2")


def _undecodable(name: str, backend: str, reason: str) -> str:
    return f'{name}: {backend} cannot decode the image: {reason}; fetch or make the file again'


def _decode_cv2(content: bytes, flag: str) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(content, np.uint8), FLAGS[flag])


def _decode_pillow(content: bytes, flag: str) -> np.ndarray:
    from PIL import Image, ImageOps
    with Image.open(io.BytesIO(content)) as img:
        if flag == 'unchanged':
            array = np.array(img)
            if array.ndim == 3 and array.shape[2] >= 3:
                array[..., :3] = array[..., 2::-1]
            return array
        img = ImageOps.exif_transpose(img)
        if flag == 'grayscale':
            return np.array(img.convert('L'))
        if img.mode == 'LA':
            canvas = Image.new('RGBA', img.size, CANVAS_RGB)
            img = Image.alpha_composite(canvas, img.convert('RGBA'))
        return bgr2rgb(np.array(img.convert('RGB')))


def _decode_simplejpeg(content: bytes, flag: str) -> np.ndarray | None:
    """As OpenCV, to the last bit; upright colour JPEGs by a faster way to libjpeg-turbo."""
    if flag == 'color' and content.startswith(b'\xff\xd8') and b'Exif' not in content[:2**16]:
        import simplejpeg
        try:
            return simplejpeg.decode_jpeg(content, 'BGR', fastdct=False, fastupsample=False)
        except ValueError:  # a kind of JPEG that it does not know, or a damaged one
            pass
    return _decode_cv2(content, flag)


DECODERS: dict[str, Callable[[bytes, str], np.ndarray | None]] = {
    'cv2': _decode_cv2,
    'pillow': _decode_pillow,
    'simplejpeg': _decode_simplejpeg,
}
supported_backends = tuple(DECODERS)
_default = {'backend': 'cv2'}
