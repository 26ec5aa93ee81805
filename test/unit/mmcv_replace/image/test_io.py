import importlib.util
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace import BaseStorageBackend, FileClient
from mmcv_replace.image import imfrombytes, imread, imwrite, supported_backends, use_backend
from mmcv_replace.image.io import EXTRAS
from mmcv_replace.utils.errors import ConfigError, DataError

EXIF_ORIENTATION = 0x0112


BACKENDS = [name for name in supported_backends
            if name not in EXTRAS or importlib.util.find_spec(EXTRAS[name][0])]


@pytest.fixture(autouse=True)
def default_backend():
    yield
    use_backend('cv2')


def encode(img, suffix):
    return cv2.imencode(suffix, img)[1].tobytes()


def save_pil(img, path, mode=None, **kwargs):
    Image.fromarray(img, mode).save(path, **kwargs) if mode else Image.fromarray(img).save(
        path, **kwargs)
    return path


@pytest.mark.parametrize('backend', BACKENDS)
def test_a_lossless_file_gives_back_its_pixels_in_bgr_or_rgb(tmp_path, photo, backend):
    path = save_pil(photo, tmp_path / 'rgb.png')

    np.testing.assert_array_equal(imread(path, backend=backend), photo[..., ::-1])
    np.testing.assert_array_equal(imread(path, channel_order='rgb', backend=backend), photo)
    np.testing.assert_array_equal(imread(str(path), 'unchanged', backend=backend),
                                  photo[..., ::-1])


@pytest.mark.parametrize('backend', BACKENDS)
def test_grayscale_is_the_luma(tmp_path, photo, backend):
    path = save_pil(photo, tmp_path / 'rgb.png')

    gray = imread(path, 'grayscale', backend=backend)

    assert gray.shape == photo.shape[:2]
    assert np.abs(gray - photo @ (0.299, 0.587, 0.114)).max() < 1.01


def test_pillow_reads_the_indices_of_a_palette_and_opencv_its_colours(tmp_path, label):
    image = Image.fromarray(label)
    image.putpalette(list(range(0, 63)))
    image.save(tmp_path / 'palette.png')

    indices = imread(tmp_path / 'palette.png', 'unchanged', backend='pillow')
    colours = imread(tmp_path / 'palette.png', 'unchanged', backend='cv2')

    np.testing.assert_array_equal(indices, label)
    np.testing.assert_array_equal(colours[..., ::-1], label[..., None] * 3 + np.arange(3))


def test_unchanged_keeps_transparency_and_depth(tmp_path, photo, label):
    rgba = np.dstack([photo, label])
    save_pil(rgba, tmp_path / 'rgba.png')
    Image.fromarray(label.astype(np.uint16) * 300).save(tmp_path / 'deep.png')

    for backend in BACKENDS:
        four = imread(tmp_path / 'rgba.png', 'unchanged', backend=backend)
        deep = imread(tmp_path / 'deep.png', 'unchanged', backend=backend)
        np.testing.assert_array_equal(four, rgba[..., [2, 1, 0, 3]])
        np.testing.assert_array_equal(deep, label.astype(np.uint16) * 300)


def encode_pil(img, suffix, **kwargs):
    buffer = io.BytesIO()
    img.save(buffer, suffix, **kwargs)
    return buffer.getvalue()


def pictures(photo, label):
    """(name, encoded) of the kinds of images that decoders treat in ways of their own."""
    deep = photo.astype(np.uint16) * 257 + label[..., None]
    palette = Image.fromarray(label)
    palette.putpalette(list(range(63)))
    turned = Image.Exif()
    turned[EXIF_ORIENTATION] = 8
    rgb, grey = Image.fromarray(photo), Image.fromarray(photo[..., 0])
    grey_alpha = Image.fromarray(np.dstack([photo[..., 1], label]), 'LA')
    return {
        'grey': encode_pil(grey, 'PNG'), 'rgb': encode_pil(rgb, 'PNG'),
        'grey with alpha': encode_pil(grey_alpha, 'PNG'),
        'rgb with alpha': encode_pil(Image.fromarray(np.dstack([photo, label])), 'PNG'),
        'one colour transparent': encode_pil(rgb, 'PNG', transparency=tuple(photo[0, 0].tolist())),
        'grey of 16 bits': encode(deep[..., 0], '.png'), 'rgb of 16 bits': encode(deep, '.png'),
        'rgba of 16 bits': encode(np.dstack([deep, deep[..., 0]]), '.png'),
        'bits': encode_pil(grey.point(lambda value: value > 128, mode='1'), 'PNG'),
        'palette': encode_pil(palette, 'PNG'), 'turned': encode_pil(rgb, 'PNG', exif=turned),
        'jpeg': encode_pil(rgb, 'JPEG'), 'turned jpeg': encode_pil(rgb, 'JPEG', exif=turned),
        'grey jpeg': encode_pil(grey, 'JPEG'), 'cmyk': encode_pil(rgb.convert('CMYK'), 'JPEG'),
        'bmp': encode_pil(rgb, 'BMP'), 'webp': encode_pil(rgb, 'WEBP', lossless=True)}


@pytest.mark.parametrize('flag', ['color', 'grayscale', 'unchanged'])
@pytest.mark.parametrize('backend', [name for name in BACKENDS if name != 'cv2'])
def test_all_backends_give_the_same_pixels(photo, label, backend, flag):
    for name, content in pictures(photo, label).items():
        if (backend, flag) == ('pillow', 'unchanged') and name in ('palette', 'bits'):
            continue  # the values of masks
        expected = imfrombytes(content, flag, backend='cv2')
        found = imfrombytes(content, flag, backend=backend)
        assert found.dtype == expected.dtype, name
        np.testing.assert_array_equal(found, expected, name)


def test_grey_of_16_bits_becomes_colour_by_its_upper_byte(label):
    deep = label.astype(np.uint16) * 3000

    for backend in BACKENDS:
        img = imfrombytes(encode(deep, '.png'), backend=backend)
        np.testing.assert_array_equal(img, np.dstack([deep >> 8] * 3))


@pytest.mark.parametrize('backend', BACKENDS)
def test_the_exif_orientation_is_applied_except_to_unchanged(tmp_path, photo, backend):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # to be turned clockwise by a quarter
    save_pil(photo, tmp_path / 'turned.jpg', exif=exif, quality=95)
    save_pil(photo, tmp_path / 'plain.jpg', quality=95)
    plain = imread(tmp_path / 'plain.jpg', backend=backend)

    turned = imread(tmp_path / 'turned.jpg', backend=backend)
    stored = imread(tmp_path / 'turned.jpg', 'unchanged', backend=backend)

    np.testing.assert_array_equal(turned, np.rot90(plain, -1))
    assert imread(tmp_path / 'turned.jpg', 'grayscale', backend=backend).shape == (52, 37)
    np.testing.assert_array_equal(stored, plain)
    for flag in ('color', 'grayscale'):
        np.testing.assert_array_equal(
            imread(tmp_path / 'turned.jpg', f'{flag}_ignore_orientation', backend=backend),
            imread(tmp_path / 'plain.jpg', flag, backend=backend))


@pytest.mark.parametrize('name', ['Straße 北京.png', "with space 'and' quote.png"])
def test_any_file_name_works(tmp_path, photo, name):
    assert imwrite(photo, tmp_path / 'sub folder' / name)

    np.testing.assert_array_equal(imread(tmp_path / 'sub folder' / name), photo)


def test_an_array_is_returned_as_it_is(photo):
    assert imread(photo) is photo


def test_imwrite_can_leave_folders_alone_and_passes_parameters(tmp_path, photo):
    imwrite(photo, tmp_path / 'good.jpg', [cv2.IMWRITE_JPEG_QUALITY, 95])
    imwrite(photo, tmp_path / 'bad.jpg', [cv2.IMWRITE_JPEG_QUALITY, 5])

    assert (tmp_path / 'bad.jpg').stat().st_size < (tmp_path / 'good.jpg').stat().st_size / 2
    with pytest.raises(FileNotFoundError):
        imwrite(photo, tmp_path / 'absent' / 'x.jpg', auto_mkdir=False)


def test_imwrite_names_the_file_and_the_remedy_for_an_unknown_format(tmp_path, photo):
    with pytest.raises(DataError, match=r'cannot write the image .*x\.nothing.*use a suffix'):
        imwrite(photo, tmp_path / 'x.nothing')


def test_use_backend_decides_where_none_is_given(tmp_path, label):
    image = Image.fromarray(label)
    image.putpalette([7] * 63)
    image.save(tmp_path / 'p.png')

    assert imread(tmp_path / 'p.png', 'unchanged').ndim == 3
    use_backend('pillow')
    assert imread(tmp_path / 'p.png', 'unchanged').ndim == 2


@pytest.mark.parametrize('call', [
    lambda content: imfrombytes(content, backend='turbo'),
    lambda content: imfrombytes(content, flag='colour'),
    lambda content: imfrombytes(content, channel_order='gbr'),
    lambda content: use_backend('turbo'),
])
def test_unknown_settings_list_the_known_ones(photo, call):
    with pytest.raises(ConfigError, match='unknown image .*choose one of'):
        call(encode(photo, '.png'))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('kept', [0.3, 0.7, 0.98, 'last byte'])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, photo, backend, suffix, kept):
    content = encode(photo, suffix)
    path = tmp_path / f'broken{suffix}'
    path.write_bytes(content[:-1] if kept == 'last byte' else content[:int(kept * len(content))])

    with pytest.raises(DataError, match=rf'broken{suffix}: the file is truncated: it is a'):
        imread(path, backend=backend)


def test_the_thumbnail_of_a_truncated_jpeg_does_not_pass_for_its_end(tmp_path, photo):
    thumbnail = encode(photo[::4, ::4], '.jpg')
    content = encode(photo, '.jpg')
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = content[:2] + segment + content[2:]

    assert imfrombytes(whole).shape == photo.shape
    with pytest.raises(DataError, match='truncated'):
        imfrombytes(whole[:-200])


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_bytes_after_the_end_of_the_image_are_allowed(photo, suffix):
    content = encode(photo, suffix)

    np.testing.assert_array_equal(imfrombytes(content + b'\0' * 100), imfrombytes(content))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('content', [b'this is no image', b'\xff\xd8\xff\xd9',
                                     b'\x89PNG\r\n\x1a\n____IEND\xaeB`\x82'])
def test_what_is_no_image_is_an_error_that_names_it(tmp_path, backend, content):
    path = tmp_path / 'noise.jpg'
    path.write_bytes(content)

    with pytest.raises(DataError, match=rf'noise\.jpg: {backend} cannot decode the image'
                       ) as raised:
        imread(path, backend=backend)
    assert ' object at 0x' not in str(raised.value)


def test_an_empty_and_a_missing_file_are_errors_that_name_them(tmp_path):
    (tmp_path / 'empty.png').touch()

    with pytest.raises(DataError, match=r'empty\.png: the file is empty'):
        imread(tmp_path / 'empty.png')
    with pytest.raises(DataError, match=r'absent\.png'):
        imread(tmp_path / 'absent.png')


def test_real_photos_are_read_alike_by_both_backends(shared_dir):
    folder = shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/JPEGImages'
    for path in sorted(folder.iterdir())[:3]:
        with Image.open(path) as image:
            size = image.size
        first, second = (imread(path, backend=backend) for backend in ('cv2', 'pillow'))
        assert first.shape == (size[1], size[0], 3)
        assert np.abs(first.astype(int) - second).max() <= 4  # decoders round differently


def test_reading_bytes_from_memory(photo):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, 'BMP')

    np.testing.assert_array_equal(imfrombytes(buffer.getvalue(), channel_order='rgb'), photo)


@pytest.mark.parametrize('backend', ['simplejpeg', 'turbojpeg'])
def test_simplejpeg_gives_the_pixels_of_opencv(shared_dir, backend):
    pytest.importorskip('simplejpeg')
    files = sorted((shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/JPEGImages').glob('*.jpg'))[:40]
    assert files
    for file in files:
        np.testing.assert_array_equal(imread(file, backend=backend), imread(file))


def test_simplejpeg_decodes_colour_jpegs_itself(tmp_path, photo, monkeypatch):
    simplejpeg = pytest.importorskip('simplejpeg')
    imwrite(photo, tmp_path / 'a.jpg')
    imwrite(photo, tmp_path / 'a.png')
    seen = []
    real = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, 'decode_jpeg', lambda *args, **options: (
        seen.append(args), real(*args, **options))[1])
    imread(tmp_path / 'a.png', backend='simplejpeg')
    imread(tmp_path / 'a.jpg', 'grayscale', backend='simplejpeg')
    assert not seen
    imread(tmp_path / 'a.jpg', backend='simplejpeg')
    assert len(seen) == 1


@pytest.mark.parametrize('backend', ['simplejpeg', 'tifffile', 'turbojpeg', 'wuffs'])
def test_a_backend_that_is_not_installed(tmp_path, photo, monkeypatch, backend):
    imwrite(photo, tmp_path / 'a.jpg')
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    for use in (lambda: use_backend(backend),
                lambda: imread(tmp_path / 'a.jpg', backend=backend)):
        with pytest.raises(ImportError, match=f'{backend}.* is not installed: pip install'
                           ) as error:
            use()
        assert isinstance(error.value, ConfigError)


def test_flags_may_be_numbers_of_opencv(tmp_path, photo):
    path = save_pil(photo, tmp_path / 'a.jpg')
    for flag, name in ((cv2.IMREAD_COLOR, 'color'), (cv2.IMREAD_GRAYSCALE, 'grayscale'),
                       (cv2.IMREAD_UNCHANGED, 'unchanged')):
        for backend in ('cv2', 'pillow'):
            np.testing.assert_array_equal(imread(path, flag, backend=backend),
                                          imread(path, name, backend=backend))
    assert imread(path, cv2.IMREAD_REDUCED_COLOR_2).shape == (19, 26, 3)
    with pytest.raises(ValueError, match="unknown image flag 'colour'"):
        imread(path, 'colour')


def test_rgb_order_is_that_of_colours_alone(tmp_path, photo):
    path = save_pil(photo, tmp_path / 'a.png')
    for flag in ('color', 'color_ignore_orientation'):
        np.testing.assert_array_equal(imread(path, flag, 'rgb'), photo)
    np.testing.assert_array_equal(imread(path, 'grayscale', 'rgb'), imread(path, 'grayscale'))
    np.testing.assert_array_equal(imread(path, 'unchanged', 'rgb'), photo[..., ::-1])


def test_a_missing_file_is_also_the_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'cannot read .*none\.jpg: No such') as error:
        imread(tmp_path / 'none.jpg')
    assert isinstance(error.value, DataError)


def test_files_elsewhere(photo):
    @FileClient.register_backend('memory', prefixes='mem')
    class Memory(BaseStorageBackend):
        files = {}

        def get(self, filepath):
            return memoryview(self.files[filepath])  # as petrel

        def put(self, obj, filepath):
            self.files[filepath] = obj

    assert imwrite(photo, 'mem://a.png') is True
    assert imwrite(photo[:9], 'b.png', file_client_args={'backend': 'memory'})
    assert sorted(Memory.files) == ['b.png', 'mem://a.png']
    np.testing.assert_array_equal(imread('mem://a.png'), photo)
    np.testing.assert_array_equal(imread('b.png', file_client_args={'backend': 'memory'}),
                                  photo[:9])


def test_imwrite_fails_as_opencv_does(tmp_path, photo):
    with pytest.raises(cv2.error, match='cannot write the image') as error:
        imwrite(photo, tmp_path / 'a.nothing')
    assert isinstance(error.value, DataError)
    assert not (tmp_path / 'a.nothing').exists()
