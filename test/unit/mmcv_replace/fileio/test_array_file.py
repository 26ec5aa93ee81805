"""Files that are read by rows, against the arrays that were written."""
import json
import os

import numpy as np
import pytest

from mmcv_replace.fileio import ArrayFile, DamagedFileError, array_file, write_arrays

SHAPES = [(90, 70, 3), (9, 7, 3), (4, 1024), (1, 4096, 2), (33, 5),
          (4, 1, 1, 2), (1, 8), (3, 0), (0, 3), (6,)]
# Where the first array begins: behind the head, and the words that check it.
FIRST_PAGE = 8192
TYPES = ['u1', '>u2', '<f4', 'f8', 'i4', '?', 'c8']


def arrays_of(shape, dtype):
    values = np.random.RandomState(0).randint(0, 256, shape)
    return {'img': (values % 2 == 0 if dtype == '?' else values).astype(dtype),
            'label': values[:2].astype(np.uint8)}


@pytest.fixture(params=[0, 2**21], ids=['by parts', 'at once'], autouse=True)
def few(request, monkeypatch):
    monkeypatch.setattr(array_file, 'FEW', request.param)
    return request.param


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'a' / 'sample.rows'
    write_arrays(path, {'name': 'grün'}, arrays_of((40, 50, 3), 'u1'))
    return path


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype', TYPES)
def test_what_was_written(tmp_path, shape, dtype):
    arrays = arrays_of(shape, dtype)
    write_arrays(tmp_path / 'x', {'of': [1, None]}, arrays)
    with ArrayFile(tmp_path / 'x') as file:
        assert file.head == {'of': [1, None]}
        assert file.kinds == {name: (array.dtype, array.shape) for name, array in arrays.items()}
        for name, array in arrays.items():
            for start, stop in ((0, None), (1, 3), (-2, None), (2, 2), (3, 1), (5, 500)):
                found = file.read(name, start, stop)
                np.testing.assert_array_equal(found, array[start:stop])
                assert found.dtype == array.dtype
    assert list(tmp_path.iterdir()) == [tmp_path / 'x']


def test_arrays_that_are_not_contiguous(tmp_path):
    array = np.arange(120).reshape(4, 5, 6)
    write_arrays(tmp_path / 'x', {}, {'a': array[::2, ::-1].transpose(1, 0, 2)})
    with ArrayFile(tmp_path / 'x') as file:
        np.testing.assert_array_equal(file.read('a'), array[::2, ::-1].transpose(1, 0, 2))


def test_rows_are_read_into_memory_of_their_own(file):
    with ArrayFile(file) as opened:
        rows = opened.read('img', 3, 9)
        with ArrayFile(file) as other:
            rows[:] = 0
            assert other.read('img', 3, 9).any()
    assert rows.nbytes == 6 * 50 * 3
    assert rows.flags.c_contiguous
    assert rows.flags.writeable


def test_the_size_of_a_file_is_known_before(tmp_path):
    for shape in SHAPES:
        arrays = arrays_of(shape, 'f4')
        write_arrays(tmp_path / 'x', {}, arrays)
        assert array_file.file_size(arrays.values()) == (tmp_path / 'x').stat().st_size


def test_only_the_pages_of_the_rows_that_are_asked_for_are_read(file):
    change(file, FIRST_PAGE + 4096, b'other')  # the second of two pages, of 27.3 rows each
    with ArrayFile(file) as opened:
        np.testing.assert_array_equal(opened.read('img', 0, 27),
                                      arrays_of((40, 50, 3), 'u1')['img'][:27])
        with pytest.raises(DamagedFileError, match=r'sample\.rows: rows 26 to 29 of img have'):
            opened.read('img', 26, 29)


def test_a_long_head(tmp_path):
    head = {str(number): 'x' * 100 for number in range(100)}
    write_arrays(tmp_path / 'x', head, arrays_of((9, 7), 'u1'))
    with ArrayFile(tmp_path / 'x') as file:
        assert file.head == head
        np.testing.assert_array_equal(file.read('img'), arrays_of((9, 7), 'u1')['img'])


@pytest.mark.parametrize('listed', [
    ['|O', [40], 0, 4096], ['<U2', [40], 0, 4096], ['|u1', [40, 50, 30], 0, 4096],
    ['|u1', [-40, -5], 0, 4096], ['|u1', [40], -4096, 0], ['|u1', [40], 0, 8192],
    ['|u1', [2**40, 2**40], 0, 4096]])
def test_a_head_that_does_not_fit_the_file_is_refused(file, listed):
    """Though its checksum is right, as that of a file which somebody made on purpose."""
    text = json.dumps({'arrays': {'img': listed}, 'head': {}}).encode()
    change(file, 0, array_file._front(text, 4096, file.stat().st_size))
    with pytest.raises(DamagedFileError, match='img does not fit into the file'):
        ArrayFile(file)


def change(path, place, content):
    with open(path, 'r+b') as raw:
        raw.seek(place)
        raw.write(content)


@pytest.mark.parametrize('damage', [
    lambda path: os.truncate(path, 0), lambda path: os.truncate(path, 20),
    lambda path: os.truncate(path, path.stat().st_size - 1),
    lambda path: path.write_bytes(path.read_bytes() + b'x'),
    lambda path: path.write_bytes(bytes(path.stat().st_size)),
    lambda path: change(path, 0, b'x'), lambda path: change(path, 9, b'\xff\xff\xff'),
    lambda path: change(path, 13, b'\xff\xff'), lambda path: change(path, 50, b'Z')])
def test_a_damaged_head_or_size_is_noticed_at_once(file, damage):
    damage(file)
    with pytest.raises(DamagedFileError, match=r'sample\.rows'):
        ArrayFile(file)


@pytest.mark.parametrize('place', [-4096, 0, 4095, 4096, 5999, 6000, 8191])
def test_each_byte_is_checked(file, place):
    """Of the words that check the pages, of pixels, and of the rest of their last page."""
    content = file.read_bytes()
    change(file, FIRST_PAGE + place, bytes([content[FIRST_PAGE + place] ^ 1]))
    with ArrayFile(file) as opened, pytest.raises(DamagedFileError, match='of img have changed'):
        opened.read('img')


def test_pages_of_zeros_and_exchanged_ones_are_noticed(tmp_path):
    pages = np.random.RandomState(0).randint(0, 256, (2, 4096)).astype(np.uint8)
    for part in (bytes(4096), pages[1].tobytes()):
        write_arrays(tmp_path / 'x', {}, {'img': pages})
        change(tmp_path / 'x', FIRST_PAGE, part)
        with ArrayFile(tmp_path / 'x') as opened, pytest.raises(DamagedFileError):
            opened.read('img', 0, 1)


def test_a_file_that_is_cut_off_while_it_is_open(file, few):
    if few:
        pytest.skip('it has been read')
    with ArrayFile(file) as opened:
        os.truncate(file, 9000)
        with pytest.raises(DamagedFileError, match='is shorter than it was'):
            opened.read('img')


def test_an_error_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(array_file, '_write_pages', fail)
    with pytest.raises(OSError, match='No space'):
        write_arrays(tmp_path / 'x', {}, arrays_of((9, 7), 'u1'))
    assert not list(tmp_path.iterdir())


def test_the_head_can_be_changed(file):
    def head():
        with ArrayFile(file) as opened:
            np.testing.assert_array_equal(opened.read('img'), arrays_of((40, 50, 3), 'u1')['img'])
            return opened.head

    with ArrayFile(file) as opened:
        opened.replace_head({'name': 'blau', 'more': [1]})
        assert head() == {'name': 'blau', 'more': [1]}
        opened.replace_head({'name': 'x' * 5000})  # for which there is no room
        assert head()['name'] == 'blau'
        write_arrays(file, {'name': 'of another'}, arrays_of((40, 50, 3), 'u1'))
        opened.replace_head({'name': 'rot'})
        assert head()['name'] == 'of another'
        file.unlink()
        with pytest.raises(OSError, match='No such file'):
            opened.replace_head({})
