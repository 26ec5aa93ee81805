"""Damaged, absurd and misnamed images and masks: decoded or refused, in a process of their own."""
import io
import re
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.masks.annotation import check_labels, decode_label

MANY, FEW = settings.get_profile('many'), settings.get_profile('few')
READERS = ('color cv2', 'grayscale cv2', 'unchanged cv2', 'color pillow', 'unchanged pillow',
           'bands cv2', 'mask')
FORMATS = ('JPEG', 'PNG', 'GIF', 'BMP', 'TIFF', 'WEBP', 'PPM', 'ICO')
# Not all 4.x do.
CV2_READS_GIF = re.search(r'(?m)^ *GIF: +YES', cv2.getBuildInformation()) is not None
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 17, 3), np.uint8)


def encode(format_name, mode='RGB', **options):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(buffer, format_name, **options)
    return buffer.getvalue()


def arrays(save, *args, **kwargs):
    buffer = io.BytesIO()
    save(buffer, *args, **kwargs)
    return buffer.getvalue()


SAMPLES = [encode(name) for name in FORMATS] + [
    encode('PNG', 'P'), encode('PNG', 'L'), encode('PNG', 'LA'), encode('PNG', '1'),
    encode('JPEG', progressive=True), encode('JPEG', 'CMYK'), arrays(np.save, PIXELS),
    arrays(np.savez, PIXELS), arrays(np.savez_compressed, a=PIXELS)]


@st.composite
def damaged(draw):
    """An image file with some bytes changed, cut out, repeated, or its end missing."""
    content = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content) - 1))
        length = draw(st.sampled_from((1, 2, 4, 40)))
        how = draw(st.sampled_from(('change', 'cut', 'repeat', 'end')))
        if how == 'change':
            content[start:start + length] = draw(st.binary(min_size=length, max_size=length))
        elif how == 'cut':
            del content[start:start + length]
        elif how == 'repeat':
            content[start:start] = content[start:start + length]
        else:
            del content[start:]
        if not content:
            break
    return bytes(content)


@MANY
@given(content=damaged(), reader=st.sampled_from(READERS))
def test_damaged_files(worker, content, reader):
    worker.read(reader, content)


@FEW
@given(content=st.binary(max_size=200), reader=st.sampled_from(READERS),
       start=st.sampled_from((b'', b'\xff\xd8', b'\x89PNG\r\n\x1a\n', b'GIF89a', b'BM', b'II*\x00',
                              b'RIFF\x00\x00\x00\x00WEBP', b'\x93NUMPY\x01\x00', b'PK\x03\x04')))
def test_noise_behind_a_magic_number(worker, content, reader, start):
    worker.read(reader, start + content)


def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def png(width, height, depth, colour, data=b''):
    header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(data))
            + chunk(b'IEND', b''))


def jpeg(width, height):
    content = encode('JPEG')
    place = content.index(b'\xff\xc0') + 5
    return content[:place] + struct.pack('>HH', height, width) + content[place + 4:]


@FEW
@given(width=st.sampled_from((0, 1, 30_000, 60_000, 2**31 - 1, 2**32 - 1)),
       height=st.sampled_from((0, 1, 30_000, 60_000, 2**31 - 1, 2**32 - 1)),
       depth=st.sampled_from((0, 1, 8, 16, 99)), colour=st.integers(0, 7),
       reader=st.sampled_from(READERS))
def test_absurd_png_headers(worker, width, height, depth, colour, reader):
    answer = worker.read(reader, png(width, height, depth, colour))
    assert answer.startswith('UserError: ') or (width, height) == (1, 1)


@pytest.mark.parametrize('size', [(60_000, 60_000), (65_535, 65_535), (30_000, 30_000), (0, 10)])
@pytest.mark.parametrize('reader', READERS)
def test_absurd_jpeg_headers(worker, size, reader):
    assert worker.read(reader, jpeg(*size)).startswith('UserError: ')


@pytest.mark.parametrize('reader', READERS[:5])
@pytest.mark.parametrize('content', SAMPLES[:7], ids=FORMATS[:7])
def test_the_content_decides_not_the_suffix(worker, reader, content):
    """The worker's file has no suffix at all."""
    if content.startswith(b'GIF') and 'cv2' in reader and not CV2_READS_GIF:
        pytest.skip('this OpenCV has no decoder for GIF')
    assert worker.read(reader, content) == 'ok'


MASKS = st.builds(
    lambda dtype, shape, seed: np.random.default_rng(seed).integers(0, 256, shape).astype(dtype),
    st.sampled_from(('uint8', 'uint16', 'int32', 'float32', 'bool')),
    st.sampled_from(((4, 5), (4, 5, 3), (4, 5, 4), (1, 1))), st.integers(0, 9))


@FEW
@given(mask=MASKS, suffix=st.sampled_from(('PNG', 'TIFF')), num_classes=st.integers(1, 300))
def test_masks_of_any_kind(attempt, mask, suffix, num_classes):
    """What gets through is one class a pixel, and none but the classes and the ignored value."""
    buffer = io.BytesIO()
    try:
        Image.fromarray(mask).save(buffer, suffix)
    except (TypeError, OSError, KeyError):
        return  # no such files
    label = attempt(decode_label, buffer.getvalue(), 'm.png')
    if isinstance(label, DataError):
        assert mask.ndim == 3 or mask.dtype == np.float32
        return
    np.testing.assert_array_equal(label, mask)
    error = attempt(check_labels, label, 'm.png', num_classes, 255)
    assert (error is None) == bool(((label < num_classes) | (label == 255)).all())


@pytest.mark.parametrize(('mode', 'options'), [
    ('1', dict(format='PNG', optimize=True)), ('P', dict(format='PNG', optimize=True)),
    ('L', dict(format='JPEG', optimize=True, quality=1)),
    ('RGB', dict(format='JPEG', optimize=True, progressive=True, quality=1))])
def test_the_smallest_honest_files_are_read(worker, mode, options):
    """The bound on pixels a byte is not met by pictures of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, (3000, 3000)).save(buffer, **options)
    assert worker.read('unchanged pillow', buffer.getvalue()) == 'ok'
