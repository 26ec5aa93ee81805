"""Decode TIFFs: by OpenCV or Pillow where they are right, otherwise by tifffile.

Without an error OpenCV mixes several bands that are not tagged as RGB to grey, multiplies colours
by their alpha, and reads only the first of several pages.
"""
import importlib.util
import io
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ...utils.errors import UnsupportedImageError
from ..colorspace import decoded_luma, gray2bgr
from ..limits import check_pixels
from ..orientation import turn, unturn
from . import tiff_header as tags
from .tiff_header import Page, read_pages

INSTALL = "pip install 'mmseg-ascend[tiff]'"
BANDS = 'bands'  # the flag of all bands in the order of the file
USE_BANDS = f'color_type={BANDS!r}'
_COLOURS = (tags.RGB, tags.YCBCR)  # the latter as decoders turn it into the former
_GREY = (tags.WHITE_IS_ZERO, tags.BLACK_IS_ZERO)

Decoder = Callable[[bytes, str], np.ndarray | None]


def has_tifffile() -> bool:
    return importlib.util.find_spec('tifffile') is not None


def _has_all_compressions() -> bool:
    """Whether tifffile reads what OpenCV does and more, without its errors in the terminal."""
    return has_tifffile() and importlib.util.find_spec('imagecodecs') is not None


def decode_tiff(content: bytes, flag: str, decode: Decoder, opencv: Decoder,
                prefer_tifffile: bool = False) -> np.ndarray | None:
    """Decode a TIFF by `decode` if that is right, otherwise, or if preferred, by tifffile.

    More than 8 bits are left to `opencv`, as Pillow truncates them. 'bands' gives [H, W] or
    [H, W, bands] as stored, where pages of one band each become bands; 'unchanged' turns red, green
    and blue of it into BGR. 'color' and 'grayscale' drop the other bands. Raises
    UnsupportedImageError for a file without colours or grey, and where tifffile is needed and not
    installed.
    """
    pages = read_pages(content)
    if not pages:
        return decode(content, flag)
    for page in pages:
        check_pixels(page.width, page.height)
    _check_flag(pages, flag)
    if not _is_plain(pages):
        return _decode_bands(content, pages, flag)
    page = pages[0]
    if page.bands == 1 and page.bits > 8 and flag not in ('unchanged', BANDS):
        # OpenCV, which has libtiff do this, garbles tiles that reach beyond the right border.
        img = decode_tiff(content, BANDS, decode, opencv, prefer_tifffile)
        return None if img is None else _finish(img, page, flag)
    readers = [opencv, decode] if page.bits > 8 else [decode, opencv]
    converted = is_converted(page)
    if not converted and (prefer_tifffile or flag == BANDS and _has_all_compressions()):
        return _decode_bands(content, pages, flag)
    img = _first_to_decode(content, 'unchanged' if flag == BANDS else flag,
                           readers[:1] if converted else readers)
    if img is None:
        _check_end(content, pages)
        # OpenCV lacks tiles of 16 x 16 pixels and some compressions.
        return None if converted else _decode_bands(content, pages, flag)
    # Both libraries turn a TIFF upright for every flag.
    if flag in ('color', 'grayscale'):
        return img
    img = unturn(img, page.orientation)
    return reverse_colours(img) if flag == BANDS else img


def _first_to_decode(content: bytes, flag: str, readers: Sequence[Decoder]) -> np.ndarray | None:
    """The image from the first reader that decodes the file, or None."""
    for reader in dict.fromkeys(readers):
        try:
            img = reader(content, flag)
        except UnsupportedImageError:
            raise
        except Exception:  # damaged bytes make decoders raise nearly anything
            continue
        if img is not None:
            return img
    return None


def describe(pages: Sequence[Page]) -> str:
    """Bands, bits and pages of a TIFF in words."""
    page = pages[0]
    pictures = sum(page.is_picture for page in pages)
    return (f'a TIFF of {_number(page.bands, "band")} of {page.bits} bits ({page.type}), '
            f'{_number(pictures, "page")}')


def _number(count: int, what: str) -> str:
    return f'{count} {what}' + ('s' if count != 1 else '')


def _is_plain(pages: Sequence[Page]) -> bool:
    """Whether OpenCV and Pillow are right: one page of grey, of a palette or of RGB."""
    page = pages[0]
    if not page.is_picture or any(other.is_picture for other in pages[1:]):
        return False
    if page.bands == 1:
        return True
    # OpenCV reads separate planes of more than 8 bits as if they were interleaved.
    return (page.bands == 3 and page.photometric in (tags.RGB, tags.YCBCR)
            and (page.bits == 8 or page.planar != tags.SEPARATE))


def is_converted(page: Page) -> bool:
    """Whether OpenCV and Pillow convert the stored values of a plain page even for 'unchanged'."""
    return page.photometric in (tags.PALETTE, tags.YCBCR) or page.bits < 8 or (
        page.photometric == tags.WHITE_IS_ZERO and page.bits == 8)


def check_flag(pages: Sequence[Page], flag: str, name: str) -> None:
    """Raise UnsupportedImageError where a flag cannot be had from the pages of the file `name`."""
    try:
        _check_flag(pages, flag)
    except UnsupportedImageError as error:
        raise UnsupportedImageError(f'{name}: {error}') from error


def _check_flag(pages: Sequence[Page], flag: str) -> None:
    _check_stack(pages)
    if flag not in ('unchanged', BANDS):
        _check_picture(pages)


def _check_stack(pages: Sequence[Page]) -> None:
    """Raise UnsupportedImageError for several pages that are not the bands of one image."""
    pictures = [page for page in pages if page.is_picture]
    if len(pictures) > 1 and any(
            page.bands > 1 or (page.height, page.width, page.type) !=
            (pictures[0].height, pictures[0].width, pictures[0].type) for page in pictures):
        raise UnsupportedImageError(
            f'{describe(pages)}, which differ or have several bands each: store one image a file')


def _check_picture(pages: Sequence[Page]) -> None:
    """Raise UnsupportedImageError for a file without grey or red, green and blue."""
    pictures = [page for page in pages if page.is_picture] or list(pages)
    page = pictures[0]
    problem = None
    if len(pictures) > 1:
        problem = 'it does not say which page is the image'
    elif page.format != tags.UNSIGNED or page.bits > 16:
        problem = f'values of type {page.type} are no colours'
    elif page.photometric in (tags.RGB, tags.YCBCR):
        problem = None if page.bands >= 3 else 'it lacks a colour'
    elif page.bands > 1 and not (page.bands == 2 and page.photometric in _GREY
                                 and page.extra in tags.ALPHA):
        problem = 'it does not say which bands are red, green and blue'
    if problem is not None:
        how = '' if _is_plain(pages) or has_tifffile() else f' ({INSTALL} brings what that needs)'
        raise UnsupportedImageError(f'{describe(pages)}, and {problem}: {USE_BANDS} '
                                    f'reads all of it as it is stored{how}')


def _check_end(content: bytes, pages: Sequence[Page]) -> None:
    end = max(page.end for page in pages)
    if end > len(content):
        raise ValueError(f'the file is truncated: its pixels end at byte {end:,}, the file at '
                         f'{len(content):,}')


def _decode_bands(content: bytes, pages: Sequence[Page], flag: str) -> np.ndarray:
    chosen = [number for number, page in enumerate(pages) if page.is_picture] or [0]
    page = pages[chosen[0]]
    _check_end(content, [pages[number] for number in chosen])
    if not has_tifffile():
        raise UnsupportedImageError(
            f'{describe(pages)}, which OpenCV and Pillow cannot read right: {INSTALL} brings '
            'tifffile, which can')
    import tifffile
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            planes = [_read_page(file.pages[number]) for number in chosen]
    except ValueError as error:
        if 'imagecodecs' not in str(error):
            raise
        raise UnsupportedImageError(
            f'{describe(pages)}, whose compression needs a further package: {INSTALL} brings it '
            f'({error})') from error
    img = planes[0] if len(planes) == 1 else np.stack(planes, axis=2)
    return _finish(img, page, flag)


def _finish(img: np.ndarray, page: Page, flag: str) -> np.ndarray:
    """What a flag asks for, upright where it says so, of the stored bands of an image."""
    picture = converter(page, flag)(img)
    return turn(picture, page.orientation) if flag in ('color', 'grayscale') else picture


def converter(page: Page, flag: str) -> Callable[[np.ndarray], np.ndarray]:
    """What makes of stored bands, [H, W] or [H, W, bands], what a flag asks for."""
    if flag == BANDS:
        return lambda img: img
    if flag == 'unchanged':
        return lambda img: reverse_colours(img) if page.photometric in _COLOURS else img
    return partial(_as_colour, page=page, flag=flag.removesuffix('_ignore_orientation'))


def _read_page(page: 'tifffile.TiffPage') -> np.ndarray:  # noqa: F821
    """The array [H, W] or [H, W, bands] of one page, in the machine's byte order."""
    img = page.asarray()
    if page.axes == 'SYX':
        img = img.transpose(1, 2, 0)
    elif page.axes not in ('YX', 'YXS'):
        raise UnsupportedImageError(f'a TIFF page of the axes {page.axes}: store one image a page')
    return np.ascontiguousarray(img, img.dtype.newbyteorder('='))


def reverse_colours(img: np.ndarray) -> np.ndarray:
    """Reverse the first three of several bands, red, green and blue; those after them stay."""
    if img.ndim == 2 or img.shape[2] < 3:
        return img
    return np.concatenate([img[..., 2::-1], img[..., 3:]], axis=2)


def _as_colour(img: np.ndarray, page: Page, flag: str) -> np.ndarray:
    """Convert to BGR [H, W, 3] or grey [H, W] of 8 bits, by libtiff's formulas, as OpenCV does."""
    if page.photometric in _COLOURS:
        img = reverse_colours(img[..., :3])
        if img.dtype != np.uint8:
            img = ((img.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return img if flag == 'color' else decoded_luma(img)
    grey = img if img.ndim == 2 else np.ascontiguousarray(img[..., 0])
    if page.photometric == tags.WHITE_IS_ZERO:
        grey = ~grey
    if grey.dtype != np.uint8:
        grey = (grey >> 8).astype(np.uint8)
    return gray2bgr(grey) if flag == 'color' else grey
