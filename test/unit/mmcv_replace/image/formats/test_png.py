"""PNGs that Wuffs decodes, and those that it leaves to OpenCV: the pixels are OpenCV's."""
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imfrombytes
from mmcv_replace.image.formats import png
from mmcv_replace.utils.errors import DataError

pywuffs = pytest.importorskip('pywuffs')
FLAGS = ('color', 'unchanged', 'color_ignore_orientation')
NOISE = np.random.RandomState(0).randint(0, 256, (37, 53, 3)).astype(np.uint8)
SMOOTH = cv2.GaussianBlur(NOISE, (9, 9), 0)


def chunk(name, content):
    return struct.pack('>I', len(content)) + name + content + struct.pack(
        '>I', zlib.crc32(name + content))


def save(img, colours=None, **options):
    file = io.BytesIO()
    img = Image.fromarray(img)
    (img if colours is None else img.quantize(colours)).save(file, 'png', **options)
    return file.getvalue()


def with_chunk(content, name, inside, before=b'IDAT'):
    place = content.index(before) - 4
    return content[:place] + chunk(name, inside) + content[place:]


def rows_of(filter_type):
    """A PNG of which all rows have one filter, so that the decoder has to undo it."""
    rows = b''.join(bytes([filter_type]) + row.tobytes() for row in SMOOTH)
    head = struct.pack('>IIBBBBB', 53, 37, 8, 2, 0, 0, 0)
    return png_of(head, rows)


def png_of(head, rows):
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(
        b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


PLAIN = {
    'smooth': save(SMOOTH), 'noise': save(NOISE), 'stored': save(NOISE, compress_level=0),
    **{f'filter {number}': rows_of(number) for number in range(5)},
    'of OpenCV': cv2.imencode('.png', SMOOTH)[1].tobytes(),
    'gamma': with_chunk(save(SMOOTH), b'gAMA', struct.pack('>I', 100000)),
    'sRGB and text': with_chunk(with_chunk(save(SMOOTH), b'sRGB', b'\0'), b'tEXt', b'a\0b'),
    'text at the end': with_chunk(save(SMOOTH), b'tEXt', b'a\0b', before=b'IEND'),
    'bytes behind': save(SMOOTH) + b'more',
}
GREY = SMOOTH[..., 0]
OTHERS = {
    'grey': save(GREY), 'alpha': save(np.dstack([SMOOTH, GREY])), '16 bits': cv2.imencode(
        '.png', SMOOTH.astype(np.uint16) * 200)[1].tobytes(),
    'palette': save(SMOOTH, colours=16),
    'transparent colour': with_chunk(save(SMOOTH), b'tRNS', struct.pack('>3H', 1, 2, 3)),
    'turned': with_chunk(save(SMOOTH), b'eXIf', b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01'
                                                b'\0\x06\0\0\0\0\0\0'),
    'turned, told at the end': with_chunk(
        save(SMOOTH), b'eXIf', b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0',
        before=b'IEND'),
    'suggested palette': with_chunk(save(SMOOTH), b'PLTE', bytes(range(6))),
}


@pytest.fixture
def by_wuffs(monkeypatch):
    """What Wuffs has decoded."""
    decode, seen = png._decoder().decode, []

    class Noting:
        def decode(self, content):
            seen.append(content)
            return decode(content)

    monkeypatch.setattr(png, '_decoder', lambda: Noting())
    return seen


@pytest.mark.parametrize('flag', FLAGS)
@pytest.mark.parametrize('name', PLAIN)
def test_plain_ones_are_decoded_by_wuffs(by_wuffs, name, flag):
    img = imfrombytes(PLAIN[name], flag, backend='wuffs')
    assert len(by_wuffs) == 1
    np.testing.assert_array_equal(img, imfrombytes(PLAIN[name], flag))
    assert img.dtype == np.uint8
    img[:] = 0


@pytest.mark.parametrize('flag', [*FLAGS, 'grayscale'])
@pytest.mark.parametrize('name', OTHERS)
def test_others_are_left_to_opencv(by_wuffs, name, flag):
    np.testing.assert_array_equal(imfrombytes(OTHERS[name], flag, backend='wuffs'),
                                  imfrombytes(OTHERS[name], flag))
    assert not by_wuffs


def test_grey_of_colours_is_that_of_opencv(by_wuffs):
    np.testing.assert_array_equal(imfrombytes(PLAIN['smooth'], 'grayscale', backend='wuffs'),
                                  imfrombytes(PLAIN['smooth'], 'grayscale'))
    assert not by_wuffs


def test_rgb_order():
    np.testing.assert_array_equal(
        imfrombytes(PLAIN['smooth'], 'color', 'rgb', backend='wuffs'), SMOOTH)


def test_large_images_are_left_to_the_limits_of_opencv(by_wuffs, monkeypatch):
    monkeypatch.setattr(png, 'MOST_PIXELS', 37 * 53 - 1)
    imfrombytes(PLAIN['smooth'], backend='wuffs')
    assert not by_wuffs


@pytest.mark.parametrize('content', [
    PLAIN['smooth'][:20] + PLAIN['smooth'][-12:], PLAIN['smooth'][:300] + PLAIN['smooth'][-12:],
    PLAIN['smooth'][:60] + b'other' + PLAIN['smooth'][65:]])
def test_damaged_ones_are_those_of_opencv(content):
    outcomes = []
    for backend in ('cv2', 'wuffs'):
        try:
            outcomes.append(imfrombytes(content, backend=backend).tolist())
        except DataError as error:
            outcomes.append(str(error).replace(backend, 'cv2'))
    assert outcomes[0] == outcomes[1]
