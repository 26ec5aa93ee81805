"""Rows of images: the pixels of the whole image, without decoding the rest of a TIFF."""
import sys

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image.formats.rows import SegmentedTiff, WholeImage, open_rows
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
    dict(rowsperstrip=8, bigtiff=True)]
WHOLE = [dict(rowsperstrip=90), dict(planarconfig='separate', rowsperstrip=8)]


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


@pytest.mark.parametrize(('how', 'parts'), [(dict(rowsperstrip=8), 2), (dict(tile=(16, 16)), 8)])
def test_only_the_parts_in_the_rows_are_decoded(tmp_path, monkeypatch, how, parts):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), **RGB, **how)
    decoded = []
    place = SegmentedTiff._place
    monkeypatch.setattr(SegmentedTiff, '_place', lambda self, index, *args: (
        decoded.append(index), place(self, index, *args)))
    with open_rows(tmp_path / 'a.tif') as rows:
        assert decoded == []
        rows.read(15, 24 if parts == 2 else 17)
    assert len(decoded) == parts


@pytest.mark.parametrize('save', [
    lambda path: Image.fromarray(picture()).save(path.with_suffix('.png')),
    lambda path: tifffile.imwrite(path, picture()[..., 0]),
    lambda path: tifffile.imwrite(path, picture().astype(np.uint16) * 257, rowsperstrip=8, **RGB)])
def test_other_files_are_read_as_by_imread(tmp_path, save):
    save(tmp_path / 'a.tif')
    path, = tmp_path.iterdir()
    expected = picture()[..., ::-1]
    if path.suffix == '.tif' and tifffile.imread(path).ndim == 2:
        expected = np.repeat(picture()[..., :1], 3, 2)
    with open_rows(path) as rows:
        assert isinstance(rows, WholeImage)
        np.testing.assert_array_equal(rows.read(20, 33), expected[20:33])


def test_without_tifffile(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / 'a.tif', picture(), rowsperstrip=8, **RGB)
    monkeypatch.setattr('mmcv_replace.image.formats.rows.has_tifffile', lambda: False)
    with open_rows(tmp_path / 'a.tif') as rows:
        assert isinstance(rows, WholeImage)
        np.testing.assert_array_equal(rows.read(3, 70), picture()[3:70, :, ::-1])


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
        np.testing.assert_array_equal(rows.read(0, 90), picture()[..., ::-1])


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
