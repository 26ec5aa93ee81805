import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.masks.annotation import (
    ColourMaskError,
    check_labels,
    count_labels,
    decode_label,
    label_remedy,
    lossy_format,
)


def png(array, mode=None, palette=None):
    image = Image.fromarray(array) if mode is None else Image.fromarray(array).convert(mode)
    if palette is not None:
        image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    return buffer.getvalue()


@pytest.fixture
def label():
    return np.random.RandomState(0).randint(0, 21, (9, 14)).astype(np.uint8)


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
def test_a_grey_png_is_its_indices(label, backend):
    decoded = decode_label(png(label), 'x.png', backend)

    np.testing.assert_array_equal(decoded, label)
    assert decoded.dtype == np.uint8


def test_a_palette_png_is_its_indices_and_not_its_colours(label):
    content = png(label, palette=list(range(255, -1, -1)) * 3)

    np.testing.assert_array_equal(decode_label(content, 'x.png'), label)


def test_a_black_and_white_png_has_the_classes_0_and_1(label):
    decoded = decode_label(png(label > 10), 'x.png')

    np.testing.assert_array_equal(decoded, label > 10)
    assert decoded.dtype == np.uint8


def grey_png(label, bits):
    """A grey PNG of 1, 2 or 4 bits, which Pillow and OpenCV do not write."""
    def chunk(name, content):
        return struct.pack('>I', len(content)) + name + content + struct.pack(
            '>I', zlib.crc32(name + content))

    planes = np.unpackbits(label[..., None], axis=2)[..., -bits:].reshape(len(label), -1)
    rows = b''.join(b'\0' + np.packbits(row).tobytes() for row in planes)
    header = struct.pack('>IIBBBBB', label.shape[1], label.shape[0], bits, 0, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows))
            + chunk(b'IEND', b''))


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
@pytest.mark.parametrize('bits', [1, 2, 4, 8])
def test_a_grey_png_of_few_bits_is_its_indices(label, bits, backend):
    """Decoders spread the values of an image from 0 to 255: 1 of 4 bits would be class 17."""
    indices = (label % min(2**bits, 255)).astype(np.uint8)

    decoded = decode_label(grey_png(indices, bits), 'x.png', backend)

    np.testing.assert_array_equal(decoded, indices)
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
@pytest.mark.parametrize('dtype', [bool, np.uint8, np.uint16, np.uint32, np.int32])
def test_a_mask_may_be_a_tiff(label, dtype, backend):
    tifffile = pytest.importorskip('tifffile')
    buffer = io.BytesIO()
    indices = (label % 2 if dtype is bool else label)
    tifffile.imwrite(buffer, indices.astype(dtype), photometric='minisblack')

    np.testing.assert_array_equal(decode_label(buffer.getvalue(), 'x.tif', backend), indices)


def test_a_tiff_of_several_bands_is_no_mask(label):
    tifffile = pytest.importorskip('tifffile')
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.dstack([label, label + 1]), photometric='minisblack',
                     planarconfig='contig')

    with pytest.raises(DataError, match=r'x\.tif: the mask has 2 channels'):
        decode_label(buffer.getvalue(), 'x.tif')


def test_sixteen_bits_are_kept_where_they_are_needed(label):
    small = decode_label(png(label.astype(np.uint16)), 'x.png')
    large = decode_label(png(label.astype(np.uint16) + 1000), 'x.png')

    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, label)
    np.testing.assert_array_equal(large, label.astype(int) + 1000)


def test_a_mask_one_pixel_high_or_wide_stays_two_dimensional():
    for shape in ((1, 5), (5, 1), (1, 1)):
        assert decode_label(png(np.zeros(shape, np.uint8)), 'x.png').shape == shape


def test_colours_are_refused(label):
    coloured = np.dstack([label, label * 2, label])
    equal = np.dstack([label] * 3)
    palette = png(label, palette=list(range(255, -1, -1)) * 3)

    with pytest.raises(DataError, match=r'a\.png: the mask has 3 channels.*class of each colour'):
        decode_label(png(coloured), 'a.png')
    with pytest.raises(DataError, match=r'b\.png: .*channels are equal: keep one'):
        decode_label(png(equal), 'b.png')
    with pytest.raises(DataError, match=r'c\.png: the mask has 4 channels'):
        decode_label(png(coloured, mode='RGBA'), 'c.png')
    with pytest.raises(DataError, match=r"d\.png: .*imdecode_backend='pillow'"):
        decode_label(palette, 'd.png', backend='cv2')


def test_fractions_are_refused():
    content = cv2.imencode('.tiff', np.full((4, 4), 0.5, np.float32))[1].tobytes()

    with pytest.raises(DataError, match=r'x\.tiff: the mask holds values of type float32'):
        decode_label(content, 'x.tiff')


@pytest.mark.parametrize('dtype', [np.uint8, np.int32, np.int64])
def test_count_labels_equals_numpy_unique(label, dtype):
    for part in (label.astype(dtype), label.astype(dtype)[2:7, 3:11], label.astype(dtype)[:, ::-1]):
        values, counts = count_labels(part)
        expected = np.unique(part, return_counts=True)
        np.testing.assert_array_equal(values, expected[0])
        np.testing.assert_array_equal(counts, expected[1])


def test_count_labels_is_exact_for_huge_maps():
    label = np.zeros((4100, 4100), np.uint8)
    label[0, :3] = 7

    values, counts = count_labels(label)

    assert values.tolist() == [0, 7]
    assert counts.tolist() == [4100 * 4100 - 3, 3]


@pytest.mark.parametrize('dtype', [np.uint8, np.int32])
def test_classes_and_ignored_pixels_pass(dtype):
    check_labels(np.array([[0, 1, 2, 255]], dtype), 'x.png', num_classes=3, ignore_index=255)
    check_labels(np.array([[0, 1, 7]], dtype), 'x.png', num_classes=2, ignore_index=7)


@pytest.mark.parametrize(('values', 'message'), [
    ([0, 1, 3, 255], r'x\.png: the mask holds 3, but the 3 classes are 0 to 2 and ignored pixels '
                     r'255; if 3 marks pixels without a class \(void, unlabelled\), give the '
                     r'dataset label_map=\{3: -1\}; if the classes are numbered from 1 and 0 is '
                     r'what does not count, set reduce_zero_label=True of the dataset; otherwise '),
    ([0, 1, 3], r'if 3 marks .*, set ignore_index=3 of the dataset, which the steps and heads '
                r'follow; if the classes are numbered from 1'),
    ([1, 2, 3], r'255; if the classes are numbered from 1 .*; if 3 marks pixels without a class'),
    ([1, 2, 9], r'255; if 9 marks .*, set ignore_index=9 of the dataset, .*; otherwise correct'),
    ([0, 1, 5, 9], r'holds 5, 9, but .*if 5 and 9 mark pixels without a class .*, give the dataset '
                   r'label_map=\{5: -1, 9: -1\}; otherwise correct the dataset.s classes or the '),
    ([0, 200], r'if 200 marks .*, set ignore_index=200 .*; where all are a mask of two values: '
               r'give the dataset label_map=\{0: 0, 200: 1\}, or'),
    (list(range(20)), r'holds 3, 4, 5, 6, 7, 8, 9, 10, \.\.\., but'),
])
def test_other_values_are_refused_with_a_remedy(values, message):
    with pytest.raises(DataError, match=message):
        check_labels(np.array([values], np.uint8), 'x.png', num_classes=3, ignore_index=255)


def test_negative_and_large_values_are_refused():
    with pytest.raises(DataError, match='holds -1, 70000, but'):
        check_labels(np.array([[-1, 0, 70000, 1]], np.int32), 'x', 3, 255)


def test_binary_masks_of_0_and_255_get_the_hint_where_255_is_not_ignored():
    with pytest.raises(DataError, match=r'254; a mask of two values: .*label_map=\{0: 0, 255: 1\}'):
        check_labels(np.array([[0, 255]], np.uint8), 'x', num_classes=2, ignore_index=254)


def test_the_remedy_extends_a_label_map():
    assert label_remedy([0, 1, 2, 7], [7], 2, 255, mapped=True).startswith(
        'if 7 marks pixels without a class (void, unlabelled), add 7: -1 to its label_map; ')
    assert 'two values' not in label_remedy([0, 7], [7], 2, 255, mapped=True)


def lossy(label, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(label).save(buffer, kind, **options)
    return buffer.getvalue()


def test_lossy_formats_are_told_by_their_content(label):
    assert lossy_format(lossy(label, 'JPEG')) == 'JPEG'
    assert lossy_format(lossy(label, 'WebP', quality=50)) == 'WebP with losses'
    assert lossy_format(lossy(label, 'WebP', lossless=True)) is None
    assert lossy_format(png(label)) is None


def test_values_that_jpeg_has_made_have_no_remedy_in_the_config():
    label = np.zeros((16, 16), np.uint8)
    label[4:9, 3:11] = 200
    decoded = decode_label(lossy(label, 'JPEG', quality=60), 'x.jpg')
    with pytest.raises(DataError, match='the file is a JPEG, which is lossy: .*again as PNG'):
        check_labels(decoded, 'x.jpg', 2, 255, 'JPEG')
    colours = np.dstack([label, label // 2, label])
    with pytest.raises(DataError, match='holds colours; .* Besides, the file is a JPEG, which is '):
        decode_label(lossy(colours, 'JPEG'), 'x.jpg')


def test_the_error_of_a_colour_mask_comes_from_another_process_as_it_is(label):
    with pytest.raises(ColourMaskError) as raised:
        decode_label(png(np.dstack([label, label * 2, label])), 'a.png')
    np.testing.assert_array_equal(raised.value.colours[..., 1], label * 2)
    assert str(ColourMaskError(str(raised.value))) == str(raised.value)  # as torch makes it anew


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def tiff(array, **options):
    tifffile = pytest.importorskip('tifffile')
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize('encode', [npy, tiff])
@pytest.mark.parametrize('kind', ['uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'bool'])
def test_masks_of_arrays_and_tiffs_are_their_indices(label, encode, kind):
    label = label > 10 if kind == 'bool' else label.astype(kind)

    decoded = decode_label(encode(label), 'x')

    np.testing.assert_array_equal(decoded, label)
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize('backend', ['pillow', 'cv2', 'tifffile'])
@pytest.mark.parametrize('meaning', ['miniswhite', 'minisblack'])
def test_a_tiff_of_masks_holds_indices_whether_0_is_white_or_black(label, meaning, backend):
    for values in (label > 10, label, label.astype(np.uint16) * 99):  # of 1, 8 and 16 bits
        decoded = decode_label(tiff(values, photometric=meaning), 'x', backend)
        np.testing.assert_array_equal(decoded, values)


def test_an_axis_of_one_band_is_no_colour(label):
    for array in (label[None], label[..., None]):
        np.testing.assert_array_equal(decode_label(npy(array), 'x'), label)


def test_large_and_negative_indices_stay_what_they_are(label):
    for array in (label.astype(np.int64) - 1, label.astype(np.uint16) + 300):
        decoded = decode_label(npy(array), 'x')
        np.testing.assert_array_equal(decoded, array)
        assert decoded.dtype == np.int32


@pytest.mark.parametrize(('array', 'message'), [
    (np.full((4, 5), 2**40), 'x: the mask holds values from 1099511627776 to 1099511627776; a mask '
                             'holds one class index per pixel: replace'),
    (np.full((4, 5), 2**32 - 1, np.uint32), 'holds values from 4294967295'),
    (np.zeros((4, 5), np.float32), 'holds values of type float32; a mask holds one class index'),
    (np.zeros((4, 5, 3), np.uint8), 'the mask has 3 channels, so it holds colours')])
def test_arrays_that_are_no_masks(array, message):
    with pytest.raises(DataError) as caught:
        decode_label(npy(array), 'x')
    assert message in str(caught.value)


def test_the_mask_among_several_arrays(label):
    buffer = io.BytesIO()
    np.savez(buffer, mask=label, image=label + 1)
    np.testing.assert_array_equal(decode_label(buffer.getvalue(), 'x', key='mask'), label)
    with pytest.raises(DataError, match='mask, image: choose one, .*seg_map_key of the dataset'):
        decode_label(buffer.getvalue(), 'x')
