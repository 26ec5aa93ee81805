"""Images of any number of bands, in the order of the file."""
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import as_bands, imfrombytes
from mmcv_replace.utils.errors import DataError, UnsupportedImageError

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (12, 16, 4)).astype(np.uint8)
BACKENDS = ('cv2', 'pillow', 'simplejpeg', 'tifffile')


def encoded(img, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(img).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def decode():
    def decode(content):
        results = []
        for backend in BACKENDS:
            if backend == 'simplejpeg':
                pytest.importorskip('simplejpeg')
            if backend == 'tifffile':
                pytest.importorskip('tifffile')
            results.append(imfrombytes(content, 'bands', backend=backend))
        return results
    return decode


@pytest.mark.parametrize('img', [BYTES[..., 0], BYTES[..., :3], BYTES])
@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'WEBP'])
def test_red_comes_first_as_in_the_file(img, kind):
    if kind == 'WEBP' and img.ndim == 2:
        return  # it has no grey
    content = encoded(img, kind, **(dict(lossless=True, exact=True) if kind == 'WEBP' else {}))
    if kind == 'TIFF' and img.shape[2:] == (4,):
        pytest.importorskip('tifffile')
    for backend in ('cv2', 'pillow'):
        np.testing.assert_array_equal(imfrombytes(content, 'bands', backend=backend), img)


def test_sixteen_bits_stay_sixteen():
    deep = RNG.integers(0, 2**16, (12, 16, 3)).astype(np.uint16)
    content = cv2.imencode('.png', deep[..., ::-1])[1].tobytes()
    for backend in ('cv2', 'pillow'):
        found = imfrombytes(content, 'bands', backend=backend)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, deep)


def test_a_jpeg_is_its_unturned_rgb():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(BYTES[..., :3], 'JPEG', exif=exif)
    found = imfrombytes(content, 'bands')
    assert found.shape == (12, 16, 3)
    np.testing.assert_array_equal(found, imfrombytes(content, 'unchanged')[..., ::-1])


@pytest.mark.parametrize('kind', ['uint8', 'uint16', 'int16', 'uint32', 'float16', 'float32',
                                  'float64'])
@pytest.mark.parametrize('bands', [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize('how', [
    {}, dict(planarconfig='separate'), dict(compression='deflate', tile=(16, 16)),
    dict(compression='lzw', predictor=True), dict(compression='zstd')])
def test_tiffs_of_every_kind(kind, bands, how):
    tifffile = pytest.importorskip('tifffile')
    if how.get('compression') in ('lzw', 'zstd'):
        pytest.importorskip('imagecodecs')
    img = (RNG.random((20, 24, bands)) * 200).astype(kind)
    stored, how = img, dict(how)
    if bands == 1:
        stored = img = img[..., 0]
        how.pop('planarconfig', None)
    elif how.get('planarconfig'):
        stored = np.ascontiguousarray(img.transpose(2, 0, 1))
    else:
        how['planarconfig'] = 'contig'
    for meaning in ('minisblack', 'rgb') if bands > 2 else ('minisblack',):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, stored, photometric=meaning, **how)
        found = imfrombytes(buffer.getvalue(), 'bands')
        assert found.dtype == img.dtype
        np.testing.assert_array_equal(found, img)


@pytest.mark.parametrize(('kind', 'kept'), [
    ('uint8', 'uint8'), ('uint16', 'uint16'), ('bool', 'uint8'), ('int16', 'float32'),
    ('uint32', 'float32'), ('float16', 'float32'), ('float64', 'float32')])
def test_types(kind, kept):
    img = (RNG.random((6, 7, 5)) * 99).astype(kind)
    found = as_bands(img, 5, 'a.tif')
    assert found.dtype == kept
    np.testing.assert_array_equal(found, img.astype(kept))


def test_bands_may_come_first():
    img = BYTES.transpose(2, 0, 1)
    np.testing.assert_array_equal(as_bands(img, 4, 'a'), BYTES)
    np.testing.assert_array_equal(as_bands(img[:1], 1, 'a'), BYTES[..., 0])
    square = np.arange(4 * 5 * 4, dtype=np.uint8).reshape(4, 5, 4)
    np.testing.assert_array_equal(as_bands(square, 4, 'a'), square)  # as [H, W, C]
    np.testing.assert_array_equal(as_bands(img, None, 'a'), img)


def test_one_band_has_no_axis():
    assert as_bands(BYTES[..., :1], 1, 'a').shape == (12, 16)
    assert as_bands(BYTES[..., 0], 1, 'a').shape == (12, 16)


@pytest.mark.parametrize(('img', 'channels', 'message'), [
    (BYTES, 5, r'a.tif: the image has 4 bands \(uint8, \[12, 16, 4\]\), but in_channels=5: take '
               'such files out of the dataset, or set in_channels=4'),
    (BYTES[..., 0], 3, 'the image has 1 band .*set in_channels=1')])
def test_another_number_of_bands(img, channels, message):
    with pytest.raises(UnsupportedImageError, match=message):
        as_bands(img, channels, 'a.tif')


def test_numbers_that_are_no_values():
    with pytest.raises(DataError, match='a.tif: the image holds complex128; store whole or real'):
        as_bands(BYTES + 1j, None, 'a.tif')
