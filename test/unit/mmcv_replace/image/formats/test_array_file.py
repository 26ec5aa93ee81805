"""Images and masks in .npy and .npz files."""
import io

import numpy as np
import pytest

from mmcv_replace.image import imfrombytes, imread, limits
from mmcv_replace.utils.errors import DataError, UnsupportedImageError

IMG = np.random.default_rng(0).integers(0, 2**16, (6, 7, 5)).astype(np.uint16)


def npy(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), version)
    return buffer.getvalue()


def npz(save=np.savez, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize('flag', ['unchanged', 'bands'])
@pytest.mark.parametrize('array', [
    IMG, IMG[..., 0], np.asfortranarray(IMG), IMG.astype('>u2'), IMG.astype(np.float32) / 7,
    IMG.astype('>f8'), IMG > 2**15, IMG[::2, ::-1], IMG.astype(np.int64)])
def test_an_array_is_read_as_numpy_reads_it(array, flag):
    for content in (npy(array), npz(a=array), npz(np.savez_compressed, a=array)):
        found = imfrombytes(content, flag)
        assert found.dtype == array.dtype.newbyteorder('=')
        assert found.flags.writeable
        np.testing.assert_array_equal(found, array)


def test_a_file_is_known_by_its_content(tmp_path):
    (tmp_path / 'a.tif').write_bytes(npy(IMG))
    np.testing.assert_array_equal(imread(tmp_path / 'a.tif', 'bands'), IMG)


def test_one_of_several_arrays():
    content = npz(image=IMG, mask=IMG[..., 0])
    np.testing.assert_array_equal(imfrombytes(content, 'bands', key='mask'), IMG[..., 0])
    np.testing.assert_array_equal(imfrombytes(content, 'bands', key='image'), IMG)


@pytest.mark.parametrize(('content', 'key', 'message'), [
    (npz(image=IMG, mask=IMG), None, 'several arrays, but image, mask: choose one, by npz_key'),
    (npz(image=IMG), 'bands', "no array 'bands', but image: choose one"),
    (npz(), None, 'an archive without arrays: write it by numpy.savez'),
    (npy(IMG), 'image', "'image' names an array of an .npz file, and this is an .npy file of one"),
    (npy(np.array([['a']])), None, 'an array of <U1: store whole or real numbers'),
    (npy(IMG + 1j), None, 'an array of complex128: store whole or real'),
    (npy(np.array([[1, None]])), None, 'an array of object: store whole'),
    (npy(np.zeros((2, 2), [('я', int)]), (3, 0)), None, 'in version .3, 0. of the format'),
    (npy(IMG[0, 0]), None, r'an array \[5\] is no image: store \[H, W\] or \[H, W, C\]'),
    (npy(IMG[None]), None, r'an array \[1, 6, 7, 5\] is no image'),
    (npy(IMG[:0]), None, r'an array \[0, 7, 5\] is no image')])
def test_what_is_no_image(content, key, message):
    with pytest.raises(UnsupportedImageError, match=f'^a.npz: .*{message}'):
        imfrombytes(content, 'bands', name='a.npz', key=key)


@pytest.mark.parametrize('content', [npy(IMG)[:-1], npy(IMG)[:20], npz(a=IMG)[:-30]])
def test_a_damaged_file(content):
    with pytest.raises(DataError, match='^a.npy: NumPy cannot decode the image: ') as caught:
        imfrombytes(content, 'bands', name='a.npy')
    assert not isinstance(caught.value, UnsupportedImageError)


def test_a_cut_off_array_is_told():
    with pytest.raises(DataError, match=r'cut off: \[6, 7, 5\] of uint16 are 420 bytes'):
        imfrombytes(npy(IMG)[:-1], 'bands')


@pytest.mark.parametrize('flag', ['color', 'grayscale'])
def test_an_array_has_no_colours(flag):
    with pytest.raises(UnsupportedImageError, match="color_type='bands' reads arrays as they are"):
        imfrombytes(npy(IMG[..., :3]), flag)


def test_a_key_is_for_archives():
    import cv2
    png = cv2.imencode('.png', IMG[..., :3])[1].tobytes()
    with pytest.raises(UnsupportedImageError, match="'a' names an array .*, which this is not"):
        imfrombytes(png, 'bands', key='a')


@pytest.mark.parametrize('array', [IMG, IMG.transpose(2, 0, 1)])
def test_the_limit_of_pixels(array, monkeypatch):
    monkeypatch.setattr(limits, 'MAX_PIXELS', 42)
    assert imfrombytes(npy(array), 'bands').shape == array.shape
    monkeypatch.setattr(limits, 'MAX_PIXELS', 41)
    with pytest.raises(UnsupportedImageError, match='OPENCV_IO_MAX_IMAGE_PIXELS'):
        imfrombytes(npy(array), 'bands')
