"""TIFFs as geographic tools, cameras and microscopes write them, against what was written."""
import importlib.util
import io
import re
import struct

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imfrombytes, imread
from mmcv_replace.image.formats import tiff, tiff_header
from mmcv_replace.utils.errors import DataError, UnsupportedImageError

BACKENDS = ('cv2', 'pillow', 'tifffile')
BANDS = dict(photometric='minisblack', planarconfig='contig')


@pytest.fixture(scope='module')
def tifffile():
    return pytest.importorskip('tifffile')


@pytest.fixture
def write(tifffile):
    def encode(img, **kwargs):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, img, **kwargs)
        return buffer.getvalue()
    return encode


@pytest.fixture
def deep():
    """Four bands of 16 bits: [40, 50, 4]."""
    return np.random.RandomState(0).randint(0, 2**16, (40, 50, 4)).astype(np.uint16)


@pytest.fixture
def without_tifffile(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec',
                        lambda name, *more: None if name == 'tifffile' else real(name, *more))


def bgr(img):
    return np.concatenate([img[..., 2::-1], img[..., 3:]], axis=2)


def assert_read(content, expected, flag='unchanged', backends=BACKENDS):
    for backend in backends:
        found = imfrombytes(content, flag, backend=backend)
        assert found.dtype == expected.dtype, backend
        np.testing.assert_array_equal(found, expected, backend)


@pytest.mark.parametrize('how', [
    {}, dict(byteorder='>'), dict(bigtiff=True), dict(bigtiff=True, byteorder='>'),
    dict(compression='deflate', tile=(16, 32)), dict(compression='lzw', predictor=True),
    dict(rowsperstrip=7)])
@pytest.mark.parametrize('bands', [2, 3, 4, 5])
def test_bands_are_read_as_they_are_stored(write, deep, bands, how):
    if how.get('compression') == 'lzw':
        pytest.importorskip('imagecodecs')
    img = np.dstack([deep, deep[..., 0] ^ 99])[..., :bands]

    for values in (img, img.astype(np.uint8), img.astype(np.float32)):
        if how.get('predictor') and values.dtype.kind == 'f':
            continue
        assert_read(write(values, **BANDS, **how), values)


def test_planes_and_pages_are_bands(write, deep):
    planes = np.ascontiguousarray(deep.transpose(2, 0, 1))

    assert_read(write(planes, photometric='minisblack', planarconfig='separate'), deep)
    assert_read(write(planes, photometric='minisblack'), deep)
    assert_read(write(planes[:3], photometric='rgb', planarconfig='separate'), bgr(deep[..., :3]))


@pytest.mark.parametrize('alpha', ['unassalpha', 'assocalpha', 'unspecified'])
def test_colours_are_not_multiplied_by_their_alpha(write, deep, alpha):
    for img in (deep, deep.astype(np.uint8)):
        content = write(img, photometric='rgb', extrasamples=[alpha])
        colours = img[..., 2::-1]
        if img.dtype == np.uint16:
            colours = ((colours.astype(int) + 128) // 257).astype(np.uint8)
        assert_read(content, bgr(img))
        assert_read(content, colours, 'color')
        assert imfrombytes(content, 'grayscale').shape == (40, 50)


def test_grey_with_alpha_is_grey(write, deep):
    img = deep[..., :2].astype(np.uint8)
    content = write(img, **BANDS, extrasamples=['unassalpha'])

    assert_read(content, img)
    assert_read(content, np.dstack([img[..., 0]] * 3), 'color')
    assert_read(content, img[..., 0], 'grayscale')


def plain(deep):
    """(image, how it is written) of what OpenCV reads by itself."""
    byte = deep.astype(np.uint8)
    return [
        (byte[..., 0], dict(photometric='minisblack')),
        (byte[..., 0], dict(photometric='miniswhite')),
        (byte[..., :3], dict(photometric='rgb')),
        (byte[..., :3], dict(photometric='rgb', byteorder='>', bigtiff=True)),
        (byte[..., :3], dict(photometric='rgb', tile=(32, 48), compression='deflate')),
        (byte[..., :3].transpose(2, 0, 1), dict(photometric='rgb', planarconfig='separate')),
        (deep[..., 0], dict(photometric='minisblack')),
        (deep[..., 0], dict(photometric='miniswhite')),
        (deep[..., :3], dict(photometric='rgb')),
        (deep[..., 0] > 2**15, dict(photometric='minisblack'))]


@pytest.mark.parametrize('flag', ['color', 'grayscale', 'unchanged'])
@pytest.mark.parametrize('number', range(10))
def test_all_backends_give_the_same_pixels_of_plain_files(write, deep, number, flag):
    img, how = plain(deep)[number]
    content = write(np.ascontiguousarray(img), **how)
    mask = img.dtype == bool and flag == 'unchanged'  # of which Pillow gives 0 and 1

    assert_read(content, imfrombytes(content, flag, backend='cv2'), flag,
                [name for name in BACKENDS if not (mask and name == 'pillow')])


def test_plain_files_need_no_tifffile(write, deep, without_tifffile):
    for img, how in plain(deep):
        content = write(np.ascontiguousarray(img), **how)
        for backend in ('cv2', 'pillow'):
            assert imfrombytes(content, backend=backend).shape == (40, 50, 3)


@pytest.mark.parametrize('dtype', ['int16', 'int32', 'float32', 'float64'])
def test_measured_values_are_kept_and_are_no_colours(write, deep, dtype, without_tifffile):
    """Such as heights, in one band, for which OpenCV is enough."""
    img = (deep[..., 0] * 0.4 - 9000).astype(dtype)
    content = write(img, photometric='minisblack')

    assert_read(content, img, backends=('cv2', 'pillow'))
    for backend in ('cv2', 'pillow'):
        with pytest.raises(UnsupportedImageError, match=(
                rf'a TIFF of 1 band of \d+ bits \({dtype}\), 1 page, and values of type {dtype} '
                "are no colours: color_type='bands' reads all of it as it is stored$")):
            imfrombytes(content, backend=backend)


@pytest.mark.parametrize('flag', ['color', 'grayscale'])
def test_bands_without_a_colour_make_no_picture(write, deep, flag):
    for bands in (2, 3, 4):
        with pytest.raises(UnsupportedImageError, match=(
                rf'it: a TIFF of {bands} bands of 16 bits \(uint16\), 1 page, and it does not say '
                "which bands are red, green and blue: color_type='bands'")):
            imfrombytes(write(deep[..., :bands], **BANDS), flag, name='it')
    pages = write(deep.transpose(2, 0, 1).copy(), photometric='minisblack')
    with pytest.raises(UnsupportedImageError, match=r'4 pages, and it does not say which page'):
        imfrombytes(pages, flag)


def test_pages_that_are_no_bands_of_one_image(tifffile, write, deep):
    colours = write(deep[None, ..., :3].repeat(2, 0), photometric='rgb')
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(deep[..., 0], photometric='minisblack')
        file.write(deep[:9, :, 0], photometric='minisblack')

    for content in (colours, buffer.getvalue()):
        for flag in ('color', 'unchanged'):
            with pytest.raises(UnsupportedImageError, match='2 pages, which differ or have several '
                                                            'bands each: store one image a file'):
                imfrombytes(content, flag)


def test_smaller_copies_and_masks_are_no_pages(tifffile, deep, without_tifffile):
    """As in a cloud-optimised GeoTIFF: an image, its overviews and what of it is transparent."""
    img = deep[..., :3].astype(np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(img, photometric='rgb')
        file.write(img[::2, ::2], photometric='rgb', subfiletype=1)
        file.write(img[..., 0] > 9, photometric='mask', subfiletype=4)

    assert_read(buffer.getvalue(), img[..., ::-1], 'color', ('cv2', 'pillow'))


def test_a_thumbnail_before_the_image_is_not_taken_for_it(tifffile, deep):
    img = deep[..., :3].astype(np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(img[::4, ::4], photometric='rgb', subfiletype=1)
        file.write(img, photometric='rgb')

    assert_read(buffer.getvalue(), img[..., ::-1], 'color')


@pytest.mark.parametrize('bands', [3, 4])
def test_the_orientation_is_applied_except_to_unchanged(write, deep, bands):
    img = deep[..., :bands].astype(np.uint8)
    more = dict(extrasamples=['unassalpha']) if bands == 4 else {}
    content = write(img, photometric='rgb', extratags=[(274, 'H', 1, 6, True)], **more)

    assert_read(content, bgr(img))
    assert_read(content, np.rot90(img[..., 2::-1], -1), 'color')


@pytest.mark.parametrize('flag', ['color', 'grayscale'])
@pytest.mark.parametrize('kind', [np.uint8, np.uint16])
def test_the_orientation_can_be_ignored(write, deep, flag, kind):
    content = write(deep[..., :3].astype(kind), photometric='rgb',
                    extratags=[(274, 'H', 1, 6, True)])
    for backend in BACKENDS:
        stored = imfrombytes(content, f'{flag}_ignore_orientation', backend=backend)
        np.testing.assert_array_equal(np.rot90(stored, -1),
                                      imfrombytes(content, flag, backend=backend))


@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
@pytest.mark.parametrize('tile', [(16, 16), (32, 48)])
def test_grey_tiles_beyond_the_border(tifffile, tile, photometric):
    img = np.random.default_rng(0).integers(0, 2**16, (70, 61), np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, img, tile=tile, photometric=photometric, metadata=None)
    expected = ((img if photometric == 'minisblack' else ~img) >> 8).astype(np.uint8)
    np.testing.assert_array_equal(imfrombytes(file.getvalue(), 'grayscale'), expected)
    np.testing.assert_array_equal(imfrombytes(file.getvalue()),
                                  np.repeat(expected[..., None], 3, axis=2))


def test_what_opencv_cannot_read_goes_to_tifffile(write, deep):
    """Tiles of 16 x 16 pixels are too small for it."""
    img = deep[..., :3].astype(np.uint8)

    assert_read(write(img, photometric='rgb', tile=(16, 16)), img[..., ::-1], 'color')


def test_a_palette_gives_colours_or_the_indices_of_a_mask(write, label):
    colours = np.random.RandomState(0).randint(0, 256, (3, 256)) * 257
    content = write(label, photometric='palette', colormap=colours.astype(np.uint16))
    expected = (colours[::-1, label] // 257).transpose(1, 2, 0).astype(np.uint8)

    assert_read(content, expected, 'color')
    assert_read(content, expected, backends=('cv2', 'tifffile'))
    assert_read(content, label, backends=('pillow',))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_without_tifffile_the_file_and_the_remedy_are_named(tmp_path, write, deep, backend,
                                                            without_tifffile):
    five = np.dstack([deep, deep[..., 0]]).astype(np.uint8)
    pages = deep.transpose(2, 0, 1).copy()
    for img, how, told in (
            (deep, BANDS, '4 bands of 16 bits (uint16), 1 page'),
            (five, BANDS, '5 bands of 8 bits (uint8), 1 page'),
            (pages, dict(photometric='minisblack'), '1 band of 16 bits (uint16), 4 pages'),
            (five[..., :4], dict(photometric='rgb', extrasamples=['unassalpha']),
             '4 bands of 8 bits (uint8), 1 page')):
        (tmp_path / 'scene.tif').write_bytes(write(img, **how))
        with pytest.raises(UnsupportedImageError, match=(
                rf'scene\.tif: a TIFF of {re.escape(told)}, which OpenCV and Pillow cannot read '
                r"right: pip install 'mmseg-ascend\[tiff\]' brings tifffile")) as caught:
            imread(tmp_path / 'scene.tif', 'unchanged', backend=backend)
        assert 'make the file again' not in str(caught.value)
    (tmp_path / 'scene.tif').write_bytes(write(deep, **BANDS))
    with pytest.raises(UnsupportedImageError, match=r"'bands'.*\(pip install 'mmseg-as.*tiff"):
        imread(tmp_path / 'scene.tif', backend=backend)


def test_a_compression_that_needs_a_further_package(write, deep, monkeypatch, tifffile):
    content = write(deep, **BANDS)

    def refuse(*args, **kwargs):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, 'asarray', refuse)
    with pytest.raises(UnsupportedImageError, match=r'whose compression needs a further package: '
                                                    r"pip install 'mmseg-as.*tiff.*brings it"):
        imfrombytes(content, 'unchanged')


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('bands', [1, 3, 4])
def test_a_truncated_file_is_called_truncated(write, deep, backend, bands):
    img = deep[..., 0] if bands == 1 else deep[..., :bands]
    content = write(img, **(dict(photometric='rgb') if bands == 3 else BANDS))

    with pytest.raises(DataError, match='the file is truncated: its pixels end at byte .*fetch or'):
        imfrombytes(content[:-500], 'unchanged', backend=backend)


def test_a_file_of_more_pixels_than_the_limit(write, deep, monkeypatch):
    monkeypatch.setattr('mmcv_replace.image.limits.MAX_PIXELS', 40 * 50 - 1)

    with pytest.raises(UnsupportedImageError, match='50 x 40 pixels, more than the limit'):
        imfrombytes(write(deep, **BANDS), 'unchanged')


def test_ordinary_files_are_not_looked_at_as_tiffs(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(tiff_header, 'read_pages', None)
    monkeypatch.setattr(tiff, 'read_pages', None)
    for suffix in ('png', 'jpg'):
        Image.fromarray(photo).save(tmp_path / f'a.{suffix}')
        assert imread(tmp_path / f'a.{suffix}').shape == photo.shape


def entry(tag, value):
    return struct.pack('<HHII', tag, 4, 1, value)


def page(following, *entries):
    return struct.pack('<H', len(entries)) + b''.join(entries) + struct.pack('<I', following)


SIZE = entry(256, 5), entry(257, 7)
START = b'II*\0' + struct.pack('<I', 8)


@pytest.mark.parametrize('content', [
    START, START[:6], START + page(8, *SIZE), START + page(2**32 - 1, *SIZE),
    START + page(0, entry(256, 5)), START + struct.pack('<H', 65535),
    START + page(0, *SIZE, struct.pack('<HHII', 273, 4, 2**32 - 1, 8)),
    b'II+\0\x08\0\0\0' + struct.pack('<Q', 16) + struct.pack('<Q', 2**64 - 1)])
def test_a_damaged_directory_ends_in_an_error_that_names_the_file(content):
    assert len(tiff_header.read_pages(content)) <= 1
    for backend in ('cv2', 'pillow'):
        with pytest.raises(DataError, match='it: '):
            imfrombytes(content, backend=backend, name='it')


def test_a_list_of_pages_that_breaks_off():
    """A file of three pages whose end is missing; one page may have anything behind it."""
    second = 8 + len(page(0, *SIZE))
    content = START + page(second, *SIZE) + page(9999, *SIZE)

    with pytest.raises(DataError, match='it: .*breaks off after 2; fetch or make the file again'):
        imfrombytes(content, 'unchanged', name='it')
    assert len(tiff_header.read_pages(START + page(9999, *SIZE))) == 1


def test_directories_without_end(monkeypatch):
    monkeypatch.setattr(tiff_header, 'MAX_ENTRIES', 10)
    length = len(page(0, *SIZE))
    content = START + b''.join(page(8 + (n + 1) * length, *SIZE) for n in range(9))

    with pytest.raises(UnsupportedImageError, match='a TIFF of 5 pages and more'):
        imfrombytes(content)
