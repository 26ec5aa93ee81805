"""Read and write image files, with OpenCV, Pillow, simplejpeg, Wuffs, tifffile or NumPy."""
import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ..fileio.backends.disk import HardDiskBackend
from ..fileio.file_client import FileClient
from ..utils.errors import ArgumentError, DataError, MissingModuleError, UnsupportedImageError
from .colorspace import bgr2rgb, decoded_luma
from .formats.array_file import ZIP_STARTS, decode_array, is_array_file
from .formats.png import INSTALL as INSTALL_WUFFS
from .formats.png import decode_plain_png
from .formats.tiff import BANDS, INSTALL, USE_BANDS, decode_tiff, reverse_colours
from .formats.tiff_header import PALETTE, WHITE_IS_ZERO, is_tiff, read_pages
from .integrity import PNG_START, find_truncation
from .limits import UNKNOWN, explain_opencv, load_with_pillow, open_with_pillow
from .resize import check_choice

if TYPE_CHECKING:
    from PIL.Image import Image

imread_flags = {
    'color': cv2.IMREAD_COLOR,
    'grayscale': cv2.IMREAD_GRAYSCALE,
    'unchanged': cv2.IMREAD_UNCHANGED,
    'color_ignore_orientation': cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
    'grayscale_ignore_orientation': cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION,
}
_FLAG_NAMES = {number: name for name, number in imread_flags.items()}
# Positions of the bit depth and the colour type in a PNG, and the type of grey.
PNG_DEPTH, PNG_COLOUR, PNG_GREY = 24, 25, 0
STORED = ('unchanged', BANDS)  # flags that keep types and bands
GREY_MODES = ('1', 'L')  # of Pillow, in which its values equal OpenCV's
# The package of a backend, and how to install it.
_JPEG = ('simplejpeg', "pip install 'mmseg-ascend[jpeg]'")
EXTRAS = {'simplejpeg': _JPEG, 'turbojpeg': _JPEG, 'tifffile': ('tifffile', INSTALL),
          'wuffs': ('pywuffs', INSTALL_WUFFS), 'pillow': ('PIL', 'pip install pillow')}
# Names of mmcv in this module, with the backends that need them.
_NAMES = {'Image': ('pillow', 'PIL.Image'), 'TurboJPEG': ('turbojpeg', 'simplejpeg'),
          'tifffile': ('tifffile', 'tifffile')}


def __getattr__(name: str) -> Any:
    """`Image`, `TurboJPEG` or `tifffile`: the module, None if it is not installed, as in mmcv.

    Setting one to None refuses its backend, by which tests of users act as if it were absent.
    """
    if name not in _NAMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        return importlib.import_module(_NAMES[name][1])
    except ImportError:
        return None


class ImageFormatError(DataError, cv2.error):
    """An image that cannot be written in the format of its name."""


def imread(img_or_path: np.ndarray | str | os.PathLike, flag: str | int = 'color',
           channel_order: str = 'bgr', backend: str | None = None,
           file_client_args: dict[str, Any] | None = None) -> np.ndarray:
    """Read an image: [H, W, 3] for 'color', [H, W] for 'grayscale', as stored for 'unchanged'.

    'bands' gives [H, W], or [H, W, C] with all bands in the order of the file: red comes first.
    'color' and 'grayscale' turn the image upright by its EXIF orientation, 'unchanged', 'bands',
    'color_ignore_orientation' and 'grayscale_ignore_orientation' do not. A flag may also be one of
    OpenCV's numbers. 'unchanged' and 'bands' read .npy and .npz files too, see `decode_array`.
    All backends give the same pixels, except that 'pillow' with 'unchanged' gives
    the indices of a palette, and 0 and 1 for single bits. For TIFFs of several bands or pages see
    `decode_tiff`. `file_client_args` choose the place (see `FileClient`), by default the prefix of
    the name.

    An array is returned as it is. Raises DataError for a file that is missing, truncated or no
    image, and UnsupportedImageError for one that needs other settings or packages.
    """
    if isinstance(img_or_path, np.ndarray):
        return img_or_path
    path = path_of(img_or_path)
    content = FileClient.infer_client(file_client_args, path).get(path)
    return imfrombytes(content, flag, channel_order, backend, name=path)


def path_of(image: object) -> str:
    """The file name of an image; ArgumentError, with a remedy, for an object of another type."""
    if isinstance(image, str | os.PathLike):
        return os.fspath(image)
    kind, remedy = type(image), ''
    if isinstance(image, bytes):
        remedy = '; the bytes of a file become an array by mmcv_replace.imfrombytes'
    elif kind.__module__.partition('.')[0] == 'PIL':
        remedy = "; np.array(image.convert('RGB'))[..., ::-1] is one"
    elif hasattr(image, 'permute'):
        remedy = ('; a tensor [3, H, W] of red, green and blue from 0 to 255 becomes one by '
                  'image.permute(1, 2, 0).byte().cpu().numpy()[..., ::-1]')
    raise ArgumentError('an image is a file name or a BGR array [H, W, 3] (grey: [H, W]), not '
                        f'{kind.__module__}.{kind.__qualname__}{remedy}')


def imfrombytes(content: bytes, flag: str | int = 'color', channel_order: str = 'bgr',
                backend: str | None = None, *, name: str = 'the image',
                key: str | None = None) -> np.ndarray:
    """Decode the bytes of an image file as `imread` does; `name` is the file in error messages.

    `key` names the array in an .npz file, which may be left out where there is one.
    """
    backend = backend or imread_backend
    _check_backend(backend)
    flag = _FLAG_NAMES.get(flag, flag)
    if not isinstance(flag, int):
        check_choice('image flag', flag, (*imread_flags, BANDS))
    check_choice('image channel_order', channel_order, ('bgr', 'rgb'))
    if not isinstance(content, bytes):  # a memoryview of an object store
        content = bytes(content)
    problem = find_truncation(content)
    if problem is not None:
        raise DataError(f'{name}: {problem}; fetch or make the file again')
    try:
        img = _decode(content, flag, backend, key)
        if img is None:
            raise ValueError(UNKNOWN)
    except UnsupportedImageError as error:
        raise UnsupportedImageError(f'{name}: {error}') from error
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        decoder = 'NumPy' if is_array_file(content) else backend
        raise DataError(f'{name}: {decoder} cannot decode the image: {error}; fetch or make the '
                        'file again') from error
    is_color = img.ndim == 3 and img.shape[2] == 3 and flag not in STORED
    return bgr2rgb(img) if is_color and channel_order == 'rgb' else img


def _decode(content: bytes, flag: str | int, backend: str, key: str | None) -> np.ndarray | None:
    if is_array_file(content):
        if flag not in STORED:
            what = ('an archive, such as an .npz file or a checkpoint,'
                    if content.startswith(ZIP_STARTS) else 'an array')
            raise UnsupportedImageError(f'{what} does not say what is red, green and blue: '
                                        f'{USE_BANDS} reads arrays as they are stored')
        return decode_array(content, key)
    if key is not None:
        raise UnsupportedImageError(f'{key!r} names an array of an .npz file, which this is not: '
                                    'leave npz_key and seg_map_key out')
    if isinstance(flag, int):  # a mix of OpenCV's flags that no other backend has
        return cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    if is_tiff(content):
        return decode_tiff(content, flag, DECODERS[backend], _decode_cv2, backend == 'tifffile')
    if flag == BANDS:
        img = DECODERS[backend](content, 'unchanged')
        return None if img is None else reverse_colours(img)
    return DECODERS[backend](content, flag)


def unscale_grey(img: np.ndarray, content: bytes) -> np.ndarray:
    """The values stored in a grey PNG or TIFF of up to 8 bits, decoded from `content` to `img`.

    Decoders scale 1, 2 or 4 bits to 0 to 255, and invert those of a TIFF in which 0 is white, as
    tifffile writes arrays of bool. Other images are returned as they are.
    """
    bits, inverted = 8, False
    if content.startswith(PNG_START) and content[PNG_COLOUR] == PNG_GREY:
        bits = content[PNG_DEPTH]
    elif is_tiff(content):
        page = next((page for page in read_pages(content) if page.photometric != PALETTE), None)
        if page is not None:
            bits, inverted = page.bits, page.photometric == WHITE_IS_ZERO and page.bits <= 8
    if inverted and img.dtype == np.bool_:
        return ~img
    if bits not in (1, 2, 4, 8) or img.ndim != 2 or img.dtype != np.uint8:
        return img
    levels = 2**bits - 1
    stored = img if bits == 8 else img // (255 // levels)
    return levels - stored if inverted else stored


def imwrite(img: np.ndarray, file_path: str | os.PathLike, params: list[int] | None = None,
            auto_mkdir: bool | None = None,
            file_client_args: dict[str, Any] | None = None) -> bool:
    """Write a BGR image in the format of the file's suffix, with `params` of `cv2.imencode`.

    `file_client_args` choose the place (see `FileClient`), by default the prefix of the name. A
    folder is created, on the disk unless `auto_mkdir` is False. Returns whether it was written.
    Raises ImageFormatError, a DataError, for a format that is not known.
    """
    path = path_of(file_path)
    client = FileClient.infer_client(file_client_args, path)
    try:
        done, encoded = cv2.imencode(Path(path).suffix, img, params or [])
    except cv2.error as error:
        raise ImageFormatError(f'cannot write the image {path}: {error.err}; use a suffix such as '
                               '.png or .jpg and a uint8 array [H, W] or [H, W, 3]') from error
    if not done:
        return False
    if type(client.client) is HardDiskBackend:
        # Not by its put(), which waits for the disk: pictures are many, and made again easily.
        if auto_mkdir is not False:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(encoded)
    else:
        client.put(encoded.tobytes(), path)
    return True


def use_backend(backend: str) -> None:
    """Set the decoder of images that are read without naming a backend.

    'cv2' (the default), 'pillow', 'simplejpeg' or 'turbojpeg', which are the same and give OpenCV's
    pixels of JPEGs faster, 'wuffs', which does so for PNGs, or 'tifffile', which reads TIFFs and
    leaves other formats to OpenCV.
    """
    _check_backend(backend)
    global imread_backend
    imread_backend = backend


def _check_backend(backend: str) -> None:
    check_choice('image backend', backend, DECODERS)
    package, remedy = EXTRAS.get(backend, (None, ''))
    refused = [use for name, (use, _) in _NAMES.items() if globals().get(name, name) is None]
    if backend in refused or package and importlib.util.find_spec(package) is None:
        needed = '' if package == backend else f': it is the package {package}, which'
        raise MissingModuleError(f'the image backend {backend}{needed} is not installed: {remedy},'
                                  ' or choose cv2')


def _decode_cv2(content: bytes, flag: str) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), imread_flags[flag])
    except cv2.error as error:
        limit = explain_opencv(str(error))
        if limit is None:
            raise
        raise UnsupportedImageError(limit) from error


def _decode_pillow(content: bytes, flag: str) -> np.ndarray:
    from PIL import ImageOps
    with open_with_pillow(content) as img:
        if not _reads_alike(img, content, flag):
            array = _decode_cv2(content, flag)
            if array is not None:
                return array
        load_with_pillow(img)
        if flag == 'unchanged':
            array = np.array(img)
            if img.mode == 'RGB':
                return bgr2rgb(array)
            if array.ndim == 3 and array.shape[2] >= 3:
                array[..., :3] = array[..., 2::-1]
            return array
        if not flag.endswith('_ignore_orientation'):
            img = ImageOps.exif_transpose(img)
        if flag.startswith('grayscale') and img.mode in GREY_MODES:
            return np.array(img.convert('L'))
        array = bgr2rgb(np.array(img.convert('RGB')))
        return decoded_luma(array) if flag.startswith('grayscale') else array


def _reads_alike(img: 'Image', content: bytes, flag: str) -> bool:
    """Whether Pillow gives the pixels of OpenCV.

    It truncates colours of 16 bits to 8, clips grey of 16 bits, and has other formulas for luma,
    CMYK and grey with transparency.
    """
    if content.startswith(PNG_START) and content[PNG_DEPTH] == 16:
        return False
    if flag.startswith('grayscale'):
        return img.mode in GREY_MODES
    if flag == 'unchanged' and img.mode == 'RGB':
        return 'transparency' not in img.info
    return img.mode in (*GREY_MODES, 'P', 'RGB', 'RGBA')


def _decode_simplejpeg(content: bytes, flag: str) -> np.ndarray | None:
    """The pixels of OpenCV; faster for colour JPEGs without EXIF, by libjpeg-turbo alone."""
    if content.startswith(b'\xff\xd8') and (
            flag == 'color_ignore_orientation'
            or flag == 'color' and b'Exif' not in content[:2**16]):
        import simplejpeg
        try:
            return simplejpeg.decode_jpeg(content, 'BGR', fastdct=False, fastupsample=False)
        except ValueError:  # an unsupported kind of JPEG, or a damaged one
            pass
    return _decode_cv2(content, flag)


def _decode_wuffs(content: bytes, flag: str) -> np.ndarray | None:
    """The pixels of OpenCV; faster for PNGs of 8-bit colours."""
    img = None
    if content.startswith(PNG_START) and not flag.startswith('grayscale'):
        img = decode_plain_png(content)
    return _decode_cv2(content, flag) if img is None else img


DECODERS: dict[str, Callable[[bytes, str], np.ndarray | None]] = {
    'cv2': _decode_cv2,
    'pillow': _decode_pillow,
    'simplejpeg': _decode_simplejpeg,
    'turbojpeg': _decode_simplejpeg,
    'wuffs': _decode_wuffs,
    'tifffile': _decode_cv2,  # all but TIFFs
}
supported_backends = list(DECODERS)
imread_backend = 'cv2'  # of images that are read without naming one
