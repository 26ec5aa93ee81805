"""The limit on pixels, which is made small here: no test reads a large image."""
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import imread, limits
from mmcv_replace.utils.errors import DataError, UnsupportedImageError


@pytest.fixture
def mask(tmp_path, label):
    Image.fromarray(label).save(tmp_path / 'mask.png')
    return tmp_path / 'mask.png'


@pytest.mark.parametrize(('name', 'options'), [
    ('mask.png', {}), ('mask.tif', {}), ('mask.tif', dict(compression='tiff_lzw'))], ids=str)
def test_pillows_own_limit_stops_no_sound_mask(tmp_path, name, options, label, monkeypatch):
    mask = tmp_path / name
    img = Image.fromarray(label)
    img.putpalette(range(255))
    img.save(mask, **options)
    for own in (label.size - 1, label.size // 4):  # of which the first would warn
        monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', own)
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            np.testing.assert_array_equal(imread(mask, 'unchanged', backend='pillow'), label)
        assert own == Image.MAX_IMAGE_PIXELS


def test_ours_names_the_size_and_the_remedy(mask, label, monkeypatch):
    monkeypatch.setattr(limits, 'MAX_PIXELS', label.size - 1)

    with pytest.raises(UnsupportedImageError, match=(
            r'mask\.png: the image has 52 x 37 pixels, more than the limit of OpenCV, which is '
            r'1,923: cut it into tiles, or, where the file can be trusted, set .*'
            'OPENCV_IO_MAX_IMAGE_PIXELS')):
        imread(mask, 'unchanged', backend='pillow')
    monkeypatch.setattr(limits, 'MAX_PIXELS', label.size)
    assert imread(mask, backend='pillow').shape == (37, 52, 3)


def test_the_limit_is_read_as_opencv_reads_it():
    for text, expected in (('', 2**30), ('123', 123), ('5KB', 5 * 2**10), ('3 mb', 3 * 2**20),
                           ('many', 2**30)):
        assert limits._read_limit(text) == expected


READ = '''
import sys
from mmcv_replace.image import imread
for backend in ('cv2', 'pillow'):
    try:
        print(imread(sys.argv[1], backend=backend).shape)
    except ValueError as error:
        print(error)
'''


@pytest.mark.parametrize('variable', ['PIXELS', 'WIDTH'])
def test_opencvs_limits_are_explained(mask, variable):
    """OpenCV reads its variables when it is loaded, so another process does."""
    name = f'OPENCV_IO_MAX_IMAGE_{variable}'
    done = subprocess.run([sys.executable, '-c', READ, str(mask)], env={name: '50'},
                          capture_output=True, text=True, check=True)

    first, second = done.stdout.splitlines()
    assert f'set the environment variable {name} to more before the start' in first
    assert 'make the file again' not in first
    if variable == 'PIXELS':
        assert 'the image has 52 x 37 pixels' in second


def test_a_damaged_file_is_still_called_damaged(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'\x89PNG\r\n\x1a\n____IEND\xaeB`\x82')

    with pytest.raises(DataError, match='make the file again') as caught:
        imread(tmp_path / 'a.png', backend='pillow')
    assert not isinstance(caught.value, UnsupportedImageError)
