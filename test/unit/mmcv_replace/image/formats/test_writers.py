"""Images that are written by rows, read by other programs' readers; sizes without decoding."""
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imread
from mmcv_replace.image.formats import png_writer, tiff_writer
from mmcv_replace.image.formats.png_writer import write_png_rows
from mmcv_replace.image.formats.size import read_size

COLOURS = np.random.default_rng(1).integers(0, 256, (256, 3), np.uint8)


def labels(shape=(70, 41), most=256, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, most, shape).astype(dtype)


def blocks(img, rows=9):
    return [img[top:top + rows] for top in range(0, len(img), rows)]


@pytest.mark.parametrize('rows', [1, 9, 100])
@pytest.mark.parametrize('chunk', [1, 2**20])
def test_png_with_a_palette(monkeypatch, rows, chunk):
    monkeypatch.setattr(png_writer, 'CHUNK', chunk)
    img, file = labels(), io.BytesIO()
    write_png_rows(file, img.shape, blocks(img, rows), COLOURS.tobytes())
    read = Image.open(io.BytesIO(file.getvalue()))
    assert read.mode == 'P'
    np.testing.assert_array_equal(np.array(read), img)
    np.testing.assert_array_equal(np.array(read.convert('RGB')), COLOURS[img])
    content = np.frombuffer(file.getvalue(), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1], COLOURS[img])


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_grey_png(dtype):
    img, file = labels(most=np.iinfo(dtype).max + 1, dtype=dtype), io.BytesIO()
    write_png_rows(file, img.shape, blocks(img))
    content = np.frombuffer(file.getvalue(), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), img)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(file.getvalue()))), img)


GEO = [(33550, 'd', 3, (0.5, 0.5, 0.0), True), (33922, 'd', 6, (0, 0, 0, 4e5, 5e6, 0), True),
       (34735, 'H', 8, (1, 1, 0, 1, 1024, 0, 1, 1), True), (34737, 's', 0, 'WGS 84|', True),
       (50844, 'd', 92, tuple(range(92)), True)]


@pytest.mark.parametrize('palette', [None, COLOURS.tobytes()])
@pytest.mark.parametrize('shape', [(70, 41), (256, 256), (300, 530)])
def test_tiff_in_tiles_at_its_place(tmp_path, palette, shape):
    tifffile = pytest.importorskip('tifffile')
    tifffile.imwrite(tmp_path / 'image.tif', np.zeros((*shape, 3), np.uint8), photometric='rgb',
                     extratags=GEO, metadata=None)
    img = labels(shape)
    with open(tmp_path / 'mask.tif', 'xb') as file:
        tiff_writer.write_tiles(file, shape, np.uint8, lambda top, bottom: img[top:bottom], palette,
                                tiff_writer.read_georeference(tmp_path / 'image.tif'))
    with tifffile.TiffFile(tmp_path / 'mask.tif') as mask, \
            tifffile.TiffFile(tmp_path / 'image.tif') as image:
        page = mask.pages[0]
        np.testing.assert_array_equal(page.asarray(), img)
        assert page.is_tiled
        assert page.compression == 8
        assert page.geotiff_tags == image.pages[0].geotiff_tags
        assert page.tags[50844].value == tuple(range(92))
        assert page.geotiff_tags['ModelPixelScale'] == [0.5, 0.5, 0.0]
    read = Image.open(tmp_path / 'mask.tif')
    assert read.mode == ('L' if palette is None else 'P')
    np.testing.assert_array_equal(np.array(read), img)
    if palette is not None:
        np.testing.assert_array_equal(np.array(read.convert('RGB')), COLOURS[img])


def test_large_tiff_has_long_offsets(tmp_path, monkeypatch):
    tifffile = pytest.importorskip('tifffile')
    monkeypatch.setattr(tiff_writer, 'BIG', 999)
    img = labels(dtype=np.uint16, most=2**16)
    with open(tmp_path / 'a.tif', 'xb') as file:
        tiff_writer.write_tiles(file, img.shape, np.uint16, lambda top, bottom: img[top:bottom])
    with tifffile.TiffFile(tmp_path / 'a.tif') as read:
        assert read.is_bigtiff
        np.testing.assert_array_equal(read.asarray(), img)


@pytest.mark.parametrize('name', ['a.png', 'a.jpg', 'a.tif', 'a.bmp', 'a.webp'])
def test_size_of_a_picture(tmp_path, name):
    Image.new('RGB', (41, 70)).save(tmp_path / name)
    assert read_size(tmp_path / name) == imread(tmp_path / name).shape[:2] == (70, 41)


def test_size_of_a_picture_of_any_number_of_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr('mmcv_replace.image.limits.MAX_PIXELS', 41 * 70 - 1)
    Image.new('RGB', (41, 70)).save(tmp_path / 'a.png')
    assert read_size(tmp_path / 'a.png') == (70, 41)


@pytest.mark.parametrize('shape', [(70, 41), (70, 41, 5), (5, 70, 41)])
def test_size_of_an_array(tmp_path, shape):
    np.save(tmp_path / 'a.npy', np.zeros(shape, np.uint8))
    assert read_size(tmp_path / 'a.npy') == (70, 41)


def test_sizes_that_are_not_known(tmp_path):
    np.savez(tmp_path / 'a.npz', np.zeros((9, 9)))
    (tmp_path / 'b.png').write_bytes(b'\x89PNG nothing')
    (tmp_path / 'c.tif').write_bytes(b'II*\0')
    for name in ('a.npz', 'b.png', 'c.tif', 'none'):
        assert read_size(tmp_path / name) is None, name
