"""Decode .npy and .npz files to images and masks.

Source of the format: numpy.lib.format, versions 1.0 and 2.0.
"""
import io
import zipfile
from typing import IO

import numpy as np
from numpy.lib import format as npy

from ...utils.errors import UnsupportedImageError
from ..limits import check_pixels

ZIP_STARTS = (b'PK\x03\x04', b'PK\x05\x06')  # the second of one without files
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def is_array_file(content: bytes) -> bool:
    """Whether the bytes are those of an .npy file, or of an archive as .npz files are."""
    return content.startswith((npy.MAGIC_PREFIX, *ZIP_STARTS))


def decode_array(content: bytes, key: str | None = None) -> np.ndarray:
    """The numbers of an .npy file, or of the array `key` in an .npz file, in the machine's order.

    Without `key` there must be one array. Raises UnsupportedImageError for a key that does not fit
    and for other contents than numbers, which are never unpickled, and ValueError for a damaged
    file.
    """
    if not content.startswith(ZIP_STARTS):
        if key is not None:
            raise UnsupportedImageError(f'{key!r} names an array of an .npz file, and this is an '
                                        '.npy file of one: leave npz_key and seg_map_key out')
        return _read(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(
            f'{_choose(archive.namelist(), key)}.npy') as member:
        return _read(member)


def _choose(files: list[str], key: str | None) -> str:
    names = [file.removesuffix('.npy') for file in files if file.endswith('.npy')]
    if not names:
        raise UnsupportedImageError('an archive without arrays: write it by numpy.savez')
    if key is None and len(names) == 1:
        return names[0]
    if key not in names:
        wanted = 'several arrays' if key is None else f'no array {key!r}'
        raise UnsupportedImageError(
            f'the .npz file has {wanted}, but {", ".join(names)}: choose one, by npz_key of '
            'LoadImageFromFile for images and by seg_map_key of the dataset for masks')
    return key


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape of the array in an .npy file, whether it lies there by columns, and its type.

    Raises UnsupportedImageError for one that is no image, ValueError for a damaged file.
    """
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise UnsupportedImageError(f'an array in version {version} of the format, as records have '
                                    'it: store one array of numbers')
    shape, by_columns, dtype = HEADERS[version](stream)
    if dtype.kind not in 'biuf':
        raise UnsupportedImageError(f'an array of {dtype}: store whole or real numbers')
    if len(shape) not in (2, 3) or 0 in shape:
        raise UnsupportedImageError(f'an array {list(shape)} is no image: store [H, W] or '
                                    '[H, W, C]')
    return shape, by_columns, dtype


def _read(stream: IO[bytes]) -> np.ndarray:
    shape, by_columns, dtype = read_header(stream)
    check_pixels(*sorted(shape)[-2:])  # the bands may come first
    values = np.empty(shape, dtype, order='F' if by_columns else 'C')
    if stream.readinto(values.ravel('K').view(np.uint8)) != values.nbytes:
        raise ValueError(f'the array is cut off: {list(shape)} of {dtype} are {values.nbytes:,} '
                         'bytes')
    return np.ascontiguousarray(values, dtype.newbyteorder('='))
