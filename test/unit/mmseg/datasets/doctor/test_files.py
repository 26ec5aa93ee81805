"""Files that are missing, cut off or of the wrong kind; sizes and EXIF; depth and channels."""
import importlib.util

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.fileio import BaseStorageBackend, FileClient
from mmseg.datasets.pipelines import LoadAnnotations, LoadImageFromFile


def test_a_clean_dataset_has_no_finding(found):
    assert found() == []


def test_missing_files(devkit, found):
    devkit.image_file('a').unlink()
    devkit.mask_file('e').unlink()

    assert found() == [('missing', 'train', 'a.jpg', ''), ('missing', 'val', 'e.png', '')]


def test_every_file_may_be_missing(devkit, found):
    for name in 'abcdef':
        devkit.image_file(name).unlink()

    assert [item[:3] for item in found()] == [
        ('missing', 'train' if name in 'abcd' else 'val', f'{name}.jpg') for name in 'abcdef']


def test_the_case_of_a_suffix(devkit, found):
    devkit.image_file('b').rename(devkit.root / 'img' / 'b.JPG')
    (devkit.root / 'img' / 'z.JPG').write_bytes(b'')

    assert found() == [
        ('missing', 'train', 'b.jpg', 'but b.JPG is there: the case of the suffix differs'),
        ('suffix-case', 'train', 'z.JPG', 'ends with .JPG, not with .jpg')]


def test_unlisted_images(devkit, found):
    (devkit.root / 'img' / 'sub').mkdir()
    (devkit.root / 'img' / 'sub' / 'new one.jpg').write_bytes(b'')
    (devkit.root / 'img' / 'note.txt').write_bytes(b'')

    assert found() == [('unlisted', 'train', 'new one.jpg', '')]


@pytest.mark.parametrize(('name', 'keep', 'lack'), [
    ('jpg', 0.7, 'a JPEG without its end marker'), ('jpg', 0, 'the file is empty'),
    ('png', 0.7, 'a PNG without its IEND chunk'), ('png', 0, 'the file is empty')])
def test_truncated_files(devkit, found, name, keep, lack):
    file = devkit.image_file('c') if name == 'jpg' else devkit.mask_file('c')
    content = file.read_bytes()
    file.write_bytes(content[:int(keep * len(content))])

    [(kind, split, where, detail)] = found()
    assert (kind, split, where) == ('truncated', 'train', f'c.{name}')
    assert lack in detail


def test_files_that_need_another_reader_are_not_called_damaged(devkit, found, monkeypatch):
    tifffile = pytest.importorskip('tifffile')
    bands = np.random.RandomState(0).randint(0, 2**16, (24, 32, 5)).astype(np.uint16)
    tifffile.imwrite(devkit.image_file('c'), bands, photometric='minisblack',
                     planarconfig='contig')
    loads = [dict(type='LoadImageFromFile', color_type='unchanged'), dict(type='LoadAnnotations')]

    [(kind, split, where, detail)] = found()
    assert (kind, split, where) == ('unsupported', 'train', 'c.jpg')
    assert 'a TIFF of 5 bands of 16 bits (uint16), 1 page' in detail
    assert found(pipeline=loads) == []
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *more: (
        None if name == 'tifffile' else find_spec(name, *more)))
    [(kind, _, _, detail)] = found(pipeline=loads)
    assert (kind, "pip install 'mmseg-ascend[tiff]'" in detail) == ('unsupported', True)


def test_tiffs_are_described_by_their_bands(devkit, found):
    tifffile = pytest.importorskip('tifffile')
    pixels = np.random.RandomState(0).randint(0, 256, (24, 32, 4)).astype(np.uint8)
    tifffile.imwrite(devkit.image_file('a'), pixels, photometric='rgb',
                     extrasamples=['unassalpha'])
    tifffile.imwrite(devkit.image_file('b'), pixels[..., 0], photometric='minisblack')
    tifffile.imwrite(devkit.image_file('c'), pixels[..., :3], photometric='rgb')
    tifffile.imwrite(devkit.image_file('d'), pixels[..., :3].astype(np.uint16) * 257,
                     photometric='rgb')

    assert sorted(item[:1] + item[2:] for item in found()) == [
        ('bit-depth', 'd.jpg', '16 bits'), ('channels', 'a.jpg', '4 bands'), ('grey', 'b.jpg', '')]


def test_a_mask_beyond_the_limit_is_not_called_damaged(devkit, found, monkeypatch):
    monkeypatch.setattr('mmcv_replace.image.limits.MAX_PIXELS', 24 * 32 - 1)

    findings = found()

    assert {kind for kind, *_ in findings} == {'unsupported'}
    assert 'OPENCV_IO_MAX_IMAGE_PIXELS' in findings[0][3]


def test_files_that_are_no_images(devkit, found):
    devkit.image_file('a').write_text('<html>404</html>')
    devkit.mask_file('b').write_text('<html>404</html>')
    devkit.mask_file('c').unlink()
    devkit.mask_file('c').mkdir()

    findings = found()
    assert [item[:3] for item in findings] == [
        ('unreadable', 'train', 'a.jpg'), ('unreadable', 'train', 'b.png'),
        ('unreadable', 'train', 'c.png')]
    assert 'cannot decode' in findings[0][3]
    assert 'directory' in findings[2][3]


def test_a_png_whose_pixels_are_damaged(devkit, found):
    content = bytearray(devkit.mask_file('d').read_bytes())
    place = content.index(b'IDAT') + 20
    content[place:place + 10] = bytes(10)
    devkit.mask_file('d').write_bytes(content)

    assert [item[:3] for item in found()] == [('unreadable', 'train', 'd.png')]


def test_sizes_that_differ(devkit, found):
    devkit.mask('a', np.zeros((12, 16)))

    assert found() == [('size-mismatch', 'train', 'a.png', 'the mask is 12 x 16 (height x width), '
                        'the image 24 x 32')]


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize(('orientation', 'mask', 'kind', 'file'), [
    (6, (24, 32), 'exif-mask', 'a.jpg'),
    (6, (32, 24), 'exif', 'a.jpg'),
    (3, (24, 32), 'exif-unsure', 'a.jpg'),
    (6, (10, 10), 'size-mismatch', 'a.png')])
def test_images_that_exif_turns(devkit, found, orientation, mask, kind, file):
    devkit.image('a', np.arange(24 * 32 * 3).reshape(24, 32, 3) % 256, exif=exif(orientation))
    devkit.mask('a', np.arange(mask[0] * mask[1]).reshape(mask) % 3)

    [item] = found()
    assert item[:3] == (kind, 'train', file)
    if kind == 'exif-mask':
        assert item[3] == ('the mask is 24 x 32 (height x width), the image 32 x 24 after its EXIF '
                           'orientation 6')


def test_a_square_image_that_exif_turns(devkit, found):
    devkit.image('a', np.zeros((20, 20, 3)), exif=exif(8))
    devkit.mask('a', np.arange(400).reshape(20, 20) % 3)

    assert found() == [('exif-unsure', 'train', 'a.jpg', 'orientation 8')]


def test_exif_counts_for_nothing_where_the_loading_heeds_it_not(devkit, found):
    devkit.image('a', np.zeros((24, 32, 3)), exif=exif(6))
    pipeline = [dict(type='LoadImageFromFile', color_type='unchanged'),
                dict(type='LoadAnnotations')]

    assert found(pipeline=pipeline) == []


def test_depth_and_channels(devkit, found):
    random = np.random.RandomState(1)
    deep = random.randint(0, 2**16, (24, 32, 3)).astype(np.uint16)
    for name, pixels in (('a', deep), ('b', deep[..., 0])):
        devkit.image_file(name).write_bytes(cv2.imencode('.png', pixels)[1].tobytes())
    devkit.image('c', deep[..., 1] % 256)
    rgba = Image.fromarray(random.randint(0, 256, (24, 32, 4)).astype(np.uint8))
    rgba.save(devkit.image_file('d'), format='PNG')

    assert found() == [
        ('bit-depth', 'train', 'a.jpg', '16 bits'), ('bit-depth', 'train', 'b.jpg', '16 bits'),
        ('grey', 'train', 'b.jpg', ''), ('grey', 'train', 'c.jpg', ''),
        ('channels', 'train', 'd.jpg', 'RGBA')]
    keeping = [dict(type='LoadImageFromFile', color_type='unchanged'),
               dict(type='LoadAnnotations')]
    assert [item[0] for item in found(pipeline=keeping)] == ['grey', 'grey']


def test_a_tiff_of_16_bits(devkit, found):
    deep = np.random.RandomState(1).randint(0, 2**16, (24, 32, 3)).astype(np.uint16)
    devkit.image_file('a').write_bytes(cv2.imencode('.tiff', deep)[1].tobytes())

    assert found() == [('bit-depth', 'train', 'a.jpg', '16 bits')]


def test_files_of_another_storage(devkit, found, monkeypatch):
    class Storage(BaseStorageBackend):
        def get(self, filepath):
            if filepath.endswith('b.jpg'):
                raise ConnectionError('the storage does not answer')
            return (devkit.root / filepath.removeprefix('store://')).read_bytes()

    monkeypatch.setitem(FileClient.backends, 'store', Storage)
    client = dict(file_client_args=dict(backend='store'))
    pipeline = [dict(type='LoadImageFromFile', **client), dict(type='LoadAnnotations', **client)]

    assert found(img_dir='store://img', ann_dir='store://ann', pipeline=pipeline,
                 val=dict(ann_dir='ann')) == [
        ('unreadable', 'train', 'b.jpg', 'the storage does not answer')]


def test_what_a_step_of_the_user_reads_is_only_looked_for(devkit, found):
    class OwnImage(LoadImageFromFile):
        def __call__(self, results):
            return results

    class OwnMask(LoadAnnotations):
        def __call__(self, results):
            return results

    devkit.image_file('a').write_text('numbers')
    devkit.mask_file('a').write_text('numbers')
    devkit.image_file('b').unlink()
    devkit.mask_file('b').unlink()

    findings = found(pipeline=[OwnImage(), OwnMask()])
    assert [item[:3] for item in findings] == [
        ('not-checked', 'train', 'CustomDataset'), ('not-checked', 'train', 'CustomDataset'),
        ('not-checked', 'val', 'CustomDataset'),
        ('missing', 'train', 'b.jpg'), ('missing', 'train', 'b.png')]


FIVE = [dict(type='LoadImageFromFile', color_type='bands', channels=5),
        dict(type='LoadAnnotations')]


@pytest.fixture
def five_bands(devkit):
    """The images become .npy arrays of five bands, half of them of 16 bits."""
    for number, name in enumerate('abcdef'):
        img = np.random.RandomState(number).randint(0, 2**16, (24, 32, 5))
        np.save(devkit.root / 'img' / f'{name}.npy',
                img.astype(np.uint16 if number % 2 else np.float32))
    return dict(pipeline=FIVE, img_suffix='.npy')


def test_images_of_the_bands_that_are_set_are_in_order(found, five_bands):
    assert found(**five_bands) == []


def test_an_image_of_another_number_of_bands(devkit, found, five_bands):
    np.save(devkit.root / 'img/b.npy', np.zeros((24, 32, 4), np.uint16))

    assert found(**five_bands) == [
        ('unsupported', 'train', 'b.npy', 'the image has 4 bands (uint16, [24, 32, 4]), but '
         'in_channels=5: take such files out of the dataset, or set in_channels=4 if all have as '
         'many')]


def test_values_that_are_no_numbers(devkit, found, five_bands):
    img = np.load(devkit.root / 'img/c.npy')
    img[3, 4] = np.nan
    img[5, 6, 0] = np.inf
    np.save(devkit.root / 'img/c.npy', img)

    assert found(**five_bands) == [('not-finite', 'train', 'c.npy', '6 of 3,840 values')]


def test_grey_images_are_no_finding_where_one_band_is_set(devkit, found):
    for name in 'abcdef':
        devkit.image(name, np.full((24, 32), ord(name)))
    one = [dict(type='LoadImageFromFile', color_type='bands', channels=1),
           dict(type='LoadAnnotations')]

    assert {kind for kind, *_ in found()} == {'grey'}
    assert found(pipeline=one) == []


def test_masks_in_archives(devkit, found):
    for name in 'abcdef':
        np.savez(devkit.root / 'ann' / f'{name}.npz', mask=devkit.labels(name), other=1)

    assert found(seg_map_suffix='.npz', seg_map_key='mask') == []
    assert {kind for kind, *_ in found(seg_map_suffix='.npz')} == {'unsupported'}
