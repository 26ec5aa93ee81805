"""Rows of PNGs and JPEGs by libvips: the pixels of the whole image by OpenCV."""
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imread
from mmcv_replace.image.formats import rows as rows_module
from mmcv_replace.image.formats.rows import WholeImage, open_rows
from mmcv_replace.image.formats.sequential_rows import SequentialRows
from mmcv_replace.utils.errors import DataError

pytest.importorskip('pyvips')

FLAGS = ('color', 'grayscale', 'unchanged', 'bands', 'color_ignore_orientation')


def picture(size=(230, 170)):
    coarse = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def read_in_steps(rows, step=37):
    return np.concatenate([rows.read(top, min(top + step, rows.height))
                           for top in range(0, rows.height, step)])


@pytest.mark.parametrize(('suffix', 'params'), [
    ('.png', []), ('.jpg', [cv2.IMWRITE_JPEG_QUALITY, 80]),
    ('.jpg', [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444])])
@pytest.mark.parametrize('grey', [False, True])
def test_pixels_are_those_of_opencv(tmp_path, suffix, params, grey):
    path = tmp_path / f'a{suffix}'
    cv2.imwrite(str(path), picture()[..., 0] if grey else picture(), params)
    for flag in FLAGS:
        expected = imread(path, flag)
        with open_rows(path, flag=flag) as rows:
            by_parts = grey or flag != 'grayscale'  # libjpeg has its own formula for grey
            assert isinstance(rows, SequentialRows if by_parts else WholeImage), flag
            np.testing.assert_array_equal(read_in_steps(rows), expected, err_msg=flag)
            # Rows again, before, overlapping, and after a gap.
            for top, bottom, left, right in ((0, 9, 3, 50), (4, 20, 0, None), (100, 140, 9, 10),
                                             (120, 141, 0, 170), (120, 130, 5, 6), (2, 3, 0, 1)):
                np.testing.assert_array_equal(rows.read(top, bottom, left, right),
                                              expected[top:bottom, left:right])


def test_single_bits(tmp_path):
    Image.fromarray(picture()).convert('1').save(tmp_path / 'a.png')
    for flag in FLAGS:
        with open_rows(tmp_path / 'a.png', flag=flag) as rows:
            assert isinstance(rows, SequentialRows)
            np.testing.assert_array_equal(rows.read(3, 99), imread(tmp_path / 'a.png', flag)[3:99])


@pytest.mark.parametrize('save', [
    lambda img, path: Image.fromarray(np.dstack([img, img[..., :1]])).save(path),
    lambda img, path: Image.fromarray(img).save(path, transparency=tuple(img[0, 0].tolist()))])
def test_colours_with_transparency(tmp_path, save):
    save(picture(), tmp_path / 'a.png')
    for flag in FLAGS:
        with open_rows(tmp_path / 'a.png', flag=flag) as rows:
            in_rows = flag.startswith('color')
            assert isinstance(rows, SequentialRows if in_rows else WholeImage), flag
            np.testing.assert_array_equal(rows.read(3, 99), imread(tmp_path / 'a.png', flag)[3:99])


def turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture()).save(path, exif=exif)


@pytest.mark.parametrize(('suffix', 'save'), [
    ('.jpg', turned), ('.png', turned),
    ('.jpg', lambda path: Image.fromarray(picture()).save(path, progressive=True)),
    ('.jpg', lambda path: Image.fromarray(picture()).convert('CMYK').save(path)),
    ('.png', lambda path: Image.fromarray(picture()).quantize(32).save(path)),
    ('.png', lambda path: Image.fromarray(picture()).convert('LA').save(path)),
    ('.png', lambda path: cv2.imwrite(str(path), picture().astype(np.uint16) * 200))])
def test_other_kinds_are_decoded_as_a_whole(tmp_path, suffix, save):
    path = tmp_path / f'a{suffix}'
    save(path)
    for flag in FLAGS:
        with open_rows(path, flag=flag) as rows:
            np.testing.assert_array_equal(rows.read(7, 70), imread(path, flag)[7:70])
            assert isinstance(rows, WholeImage)


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_a_file_that_is_cut_off(tmp_path, suffix):
    path = tmp_path / f'a{suffix}'
    noise = np.random.default_rng(0).integers(0, 256, (600, 400, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    path.write_bytes(path.read_bytes()[:len(path.read_bytes()) // 2])
    with open_rows(path, name='tile') as rows:
        rows.read(0, 20)
        with pytest.raises(DataError, match='tile: rows .* cannot be decoded.* again'):
            read_in_steps(rows)


@pytest.mark.parametrize('start', [b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xe0'])
def test_what_is_no_image(tmp_path, start):
    (tmp_path / 'a').write_bytes(start + b'nothing')
    with pytest.raises(DataError, match=r'tile: .*again'), open_rows(tmp_path / 'a', name='tile'):
        pass


def test_without_pyvips(tmp_path, monkeypatch):
    monkeypatch.setattr('mmcv_replace.image.formats.sequential_rows.has_vips', lambda: False)
    monkeypatch.setitem(sys.modules, 'pyvips', None)
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with rows_module.open_rows(tmp_path / 'a.png') as rows:
        assert isinstance(rows, WholeImage)
        np.testing.assert_array_equal(rows.read(5, 9), picture()[5:9])
