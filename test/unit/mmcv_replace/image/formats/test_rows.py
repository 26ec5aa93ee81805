"""Rows of images: the pixels of the whole image, without decoding the rest of a TIFF."""
import re
import sys

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imread
from mmcv_replace.image.formats.array_rows import ArrayRows
from mmcv_replace.image.formats.rows import SegmentedTiff, WholeImage, open_rows
from mmcv_replace.image.io import STORED
from mmcv_replace.utils.errors import DataError, MissingDataError, UnsupportedImageError

tifffile = pytest.importorskip('tifffile')

SHAPE = 90, 61


def picture(bands=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*SHAPE, bands), np.uint8)


RGB = dict(photometric='rgb')
IN_PARTS = [
    dict(rowsperstrip=7), dict(rowsperstrip=1), dict(rowsperstrip=89), dict(tile=(16, 32)),
    dict(rowsperstrip=8, compression='zlib'), dict(tile=(32, 16), compression='zlib'),
    dict(rowsperstrip=8, compression='zlib', predictor=2), dict(rowsperstrip=8, byteorder='>'),
    dict(rowsperstrip=8, bigtiff=True), dict(planarconfig='separate', rowsperstrip=8),
    dict(planarconfig='separate', tile=(16, 32), compression='zlib'),
    dict(rowsperstrip=90), dict(rowsperstrip=90, byteorder='>'),
    dict(planarconfig='separate', rowsperstrip=90)]
WHOLE = [dict(rowsperstrip=90, compression='zlib'), dict(tile=(96, 64))]


@pytest.mark.parametrize('how', IN_PARTS + WHOLE, ids=str)
@pytest.mark.parametrize('bands', [3, 4, 5])
def test_rows_are_those_of_the_image(tmp_path, how, bands):
    img = picture(bands)
    options = RGB | how | dict(extrasamples=['unspecified'] * (bands - 3))
    stored = img.transpose(2, 0, 1) if 'planarconfig' in how else img
    options = {key: value for key, value in options.items() if key not in ('byteorder', 'bigtiff')}
    with tifffile.TiffWriter(tmp_path / 'a.tif', byteorder=how.get('byteorder', '<'),
                             bigtiff=how.get('bigtiff', False)) as writer:
        writer.write(stored, metadata=None, **options)

    with open_rows(tmp_path / 'a.tif') as rows:
        assert isinstance(rows, WholeImage if how in WHOLE else SegmentedTiff)
        assert (rows.height, rows.width) == SHAPE
        for top, bottom in ((0, 90), (0, 1), (89, 90), (13, 40), (40, 41), (7, 14), (31, 90)):
            np.testing.assert_array_equal(rows.read(top, bottom), img[top:bottom, :, 2::-1])
            for left, right in ((0, 1), (60, 61), (17, 40), (16, 32)):
                np.testing.assert_array_equal(rows.read(top, bottom, left, right),
                                              img[top:bottom, left:right, 2::-1])


FLAGS = ('color', 'grayscale', 'unchanged', 'bands', 'color_ignore_orientation')


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize(('photometric', 'bands'), [
    ('minisblack', 1), ('miniswhite', 1), ('rgb', 3), ('rgb', 4), ('minisblack', 5)])
def test_pixels_are_those_of_imread_for_every_flag(tmp_path, dtype, photometric, bands):
    img = picture(bands).astype(dtype) * (251 if dtype == np.uint16 else 1)
    path = tmp_path / 'a.tif'
    more = bands - (3 if photometric == 'rgb' else 1)
    tifffile.imwrite(path, img if bands > 1 else img[..., 0], tile=(32, 16), metadata=None,
                     planarconfig=None if bands == 1 else 'contig', compression='zlib',
                     photometric=photometric, extrasamples=['unspecified'] * more)
    for flag in FLAGS:
        try:
            expected = imread(path, flag)
        except DataError as error:
            with pytest.raises(type(error), match=re.escape(str(error))), open_rows(path,
                                                                                    flag=flag):
                pass
            continue
        with open_rows(path, flag=flag) as rows:
            found = rows.read(13, 70, 5, 50)
            in_parts = photometric != 'miniswhite' or dtype != np.uint8 and flag in STORED
            assert isinstance(rows, SegmentedTiff if in_parts else WholeImage), flag
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected[13:70, 5:50], err_msg=flag)


@pytest.mark.parametrize('tile', [(16, 16), None])
def test_pages_of_one_band_each(tmp_path, tile):
    img = picture(3).astype(np.float32)
    tifffile.imwrite(tmp_path / 'a.tif', img.transpose(2, 0, 1), tile=tile, metadata=None,
                     photometric='minisblack', byteorder='>')
    with open_rows(tmp_path / 'a.tif', flag='bands') as rows:
        assert isinstance(rows, SegmentedTiff)
        np.testing.assert_array_equal(rows.read(5, 50, 9, 33), img[5:50, 9:33])


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_one_strip_without_compression_is_read_by_rows(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr('mmcv_replace.image.formats.tiff_rows.FLAT_ROWS', 8)
    img = picture(5).astype(dtype) * 200
    tifffile.imwrite(tmp_path / 'a.tif', img, photometric='minisblack', planarconfig='contig',
                     byteorder='>')
    with open_rows(tmp_path / 'a.tif', flag='bands') as rows:
        size = rows._source.size
        for top, bottom, left, right in ((0, 9, 0, 61), (5, 50, 9, 33), (88, 90, 60, 61)):
            np.testing.assert_array_equal(rows.read(top, bottom, left, right),
                                          img[top:bottom, left:right])
        with open(tmp_path / 'a.tif', 'r+b') as file:
            file.truncate(size - 9)
        rows.read(0, 80)
        with pytest.raises(DataError, match=r'a\.tif: the file is truncated.*again'):
            rows.read(85, 90)


def test_parts_that_the_file_leaves_out(tmp_path):
    def tiles():
        yield from [np.full((48, 64), 7, np.uint8), None]

    tifffile.imwrite(tmp_path / 'a.tif', tiles(), shape=(96, 64), dtype=np.uint8, tile=(48, 64))
    with open_rows(tmp_path / 'a.tif', flag='bands') as rows:
        found = rows.read(0, 96)
    np.testing.assert_array_equal(found, np.repeat(np.uint8([7, 0]), 48)[:, None].repeat(64, 1))


@pytest.mark.parametrize(('how', 'parts'), [
    (dict(rowsperstrip=8, compression='zlib'), 2), (dict(tile=(16, 16)), 8)])
def test_only_the_parts_in_the_rows_are_decoded(tmp_path, monkeypatch, how, parts):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), **RGB, **how)
    decoded = []
    decode = SegmentedTiff._decode
    monkeypatch.setattr(SegmentedTiff, '_decode', lambda self, page, index: (
        decoded.append(index), decode(self, page, index))[1])
    with open_rows(tmp_path / 'a.tif') as rows:
        assert decoded == []
        rows.read(15, 24 if parts == 2 else 17)
        assert len(decoded) == parts
        # A part that reaches below the rows is decoded once for them and for those below.
        for top in range(90):
            rows.read(top, top + 1)
    assert len(decoded) == parts + (12 if parts == 2 else 24)
    if parts == 8:
        decoded.clear()
        with open_rows(tmp_path / 'a.tif') as rows:
            rows.read(15, 17, 20, 30)
        assert decoded == [1, 5]


@pytest.mark.parametrize('save', [
    lambda path: Image.fromarray(picture()).save(path.with_suffix('.bmp')),
    lambda path: tifffile.imwrite(path, picture()[..., 0], compression='zlib'),
    lambda path: Image.fromarray(picture()).quantize(9).save(path, strip_size=9 * 61)])
def test_other_files_are_read_as_by_imread(tmp_path, save):
    save(tmp_path / 'a.tif')
    path, = tmp_path.iterdir()
    expected = picture()[..., ::-1]
    if path.suffix == '.tif':
        expected = imread(path)
    with open_rows(path) as rows:
        assert isinstance(rows, WholeImage)
        np.testing.assert_array_equal(rows.read(20, 33), expected[20:33])


def test_without_tifffile(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), rowsperstrip=8, **RGB)
    monkeypatch.setattr('mmcv_replace.image.formats.rows.has_tifffile', lambda: False)
    with open_rows(tmp_path / 'a.tif') as rows:
        assert isinstance(rows, WholeImage)
        np.testing.assert_array_equal(rows.read(3, 70), picture()[3:70, :, ::-1])


@pytest.mark.parametrize('subsampling', [(1, 1), (2, 2)])
@pytest.mark.parametrize('how', [dict(tile=(32, 48)), dict(rowsperstrip=16)])
def test_jpegs_in_a_tiff(tmp_path, subsampling, how):
    pytest.importorskip('imagecodecs')
    tifffile.imwrite(tmp_path / 'a.tif', picture(), compression='jpeg', subsampling=subsampling,
                     **RGB, **how)
    for flag in FLAGS:
        with open_rows(tmp_path / 'a.tif', flag=flag) as rows:
            assert isinstance(rows, SegmentedTiff)
            np.testing.assert_array_equal(rows.read(13, 70, 5, 50),
                                          imread(tmp_path / 'a.tif', flag)[13:70, 5:50])


def test_jpegs_in_a_tiff_without_their_decoder(tmp_path, monkeypatch):
    Image.fromarray(picture()).save(tmp_path / 'a.tif', compression='jpeg', strip_size=16 * 61 * 3)
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    with open_rows(tmp_path / 'a.tif') as rows:
        np.testing.assert_array_equal(rows.read(3, 70), imread(tmp_path / 'a.tif')[3:70])


def test_packbits(tmp_path):
    img = picture() // 128
    Image.fromarray(img).save(tmp_path / 'a.tif', compression='packbits', strip_size=9 * 61 * 3)
    with open_rows(tmp_path / 'a.tif') as rows:
        assert isinstance(rows, SegmentedTiff)
        np.testing.assert_array_equal(rows.read(3, 70), img[3:70, :, ::-1])


def test_a_compression_that_tifffile_cannot_read_alone(tmp_path, monkeypatch):
    Image.fromarray(picture()).save(tmp_path / 'a.tif', compression='tiff_lzw',
                                   strip_size=9 * 61 * 3)
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    with open_rows(tmp_path / 'a.tif') as rows:
        np.testing.assert_array_equal(rows.read(3, 70), picture()[3:70, :, ::-1])


def test_several_pages(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', np.stack([picture(), picture()]), rowsperstrip=8, **RGB)
    with pytest.raises(UnsupportedImageError,
                       match=r'(?s)big\.zip: a\.tif: a TIFF of 3 bands .* 2 pages.*one image a file'
                       ), open_rows(tmp_path / 'a.tif', name='big.zip: a.tif'):
        pass


def test_a_reduced_copy_is_no_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / 'a.tif') as writer:
        writer.write(picture(), rowsperstrip=8, metadata=None, **RGB)
        writer.write(picture()[::2, ::2], subfiletype=1, metadata=None, **RGB)
    with open_rows(tmp_path / 'a.tif') as rows:
        assert isinstance(rows, SegmentedTiff)
        np.testing.assert_array_equal(rows.read(0, 90), picture()[..., ::-1])


@pytest.mark.parametrize('save', [
    lambda path, img: np.save(path, img), lambda path, img: np.save(path, img[..., 0]),
    lambda path, img: np.save(path, img.transpose(2, 0, 1)),
    lambda path, img: np.save(path, img.astype('>f4')),
    lambda path, img: np.save(path, np.asfortranarray(img)),
    lambda path, img: np.savez(path.with_suffix('.npz'), img)])
def test_arrays(tmp_path, save):
    save(tmp_path / 'a.npy', picture(5).astype(np.uint16))
    path, = tmp_path.iterdir()
    expected = imread(path, 'bands')
    if expected.shape[0] == 5:
        expected = expected.transpose(1, 2, 0)
    with open_rows(path, flag='bands', channels=5) as rows:
        found = rows.read(13, 70, 5, 50)
        in_parts = path.suffix == '.npy' and not np.load(path).flags.fnc
        assert isinstance(rows, ArrayRows if in_parts else WholeImage)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected[13:70, 5:50])


def test_array_that_is_cut_off(tmp_path):
    np.save(tmp_path / 'a.npy', picture(5))
    (tmp_path / 'a.npy').write_bytes((tmp_path / 'a.npy').read_bytes()[:-9])
    with open_rows(tmp_path / 'a.npy', 'tile', 'bands') as rows, \
            pytest.raises(DataError, match='tile: the array is cut off: .* uint8.*again'):
        rows.read(80, 90)


@pytest.mark.parametrize(('array', 'how', 'words'), [
    (np.zeros(3), {}, 'is no image'), (np.zeros((9, 9), complex), {}, 'complex128'),
    (np.zeros((9, 9)), dict(key='x'), "'x' names an array"),
    (np.zeros((9, 9)), dict(flag='color'), 'does not say what is red')])
def test_array_that_is_no_image(tmp_path, array, how, words):
    np.save(tmp_path / 'a.npy', array)
    with pytest.raises(UnsupportedImageError, match=words), \
            open_rows(tmp_path / 'a.npy', **{'flag': 'bands', **how}):
        pass


def test_no_file(tmp_path):
    with pytest.raises(MissingDataError, match=r'a\.tif: there is no such file'), \
            open_rows(tmp_path / 'a.tif'):
        pass


@pytest.mark.parametrize('how', [{}, dict(compression='zlib')])
def test_truncated(tmp_path, how):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), rowsperstrip=8, **RGB, **how)
    content = (tmp_path / 'a.tif').read_bytes()
    (tmp_path / 'a.tif').write_bytes(content[:-50])
    with pytest.raises(DataError, match=r'tile: the file is truncated.* again'), \
            open_rows(tmp_path / 'a.tif', name='tile'):
        pass


def test_damaged_part(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), rowsperstrip=8, compression='zlib', **RGB)
    content = bytearray((tmp_path / 'a.tif').read_bytes())
    with tifffile.TiffFile(tmp_path / 'a.tif') as file:
        start = file.pages[0].dataoffsets[4]
    content[start:start + 9] = b'\xff' * 9
    (tmp_path / 'a.tif').write_bytes(content)
    with open_rows(tmp_path / 'a.tif', name='tile') as rows:
        rows.read(0, 32)
        with pytest.raises(DataError, match='tile: its part 4 cannot be decoded.*fetch or make'):
            rows.read(30, 40)
