import pytest

from mmcv_replace import FileClient, dict_from_file, list_from_file
from mmcv_replace.fileio import HardDiskBackend
from mmcv_replace.utils.errors import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'list.txt'


def test_lines_of_any_system(path):
    path.write_bytes('\ufeff2007_1\r\n2007_2\nmit leer \r\n文件\u2028x\nlast'.encode())
    assert list_from_file(path) == ['2007_1', '2007_2', 'mit leer ', '文件\u2028x', 'last']
    assert list_from_file(str(path))[0] == '2007_1'


def test_empty_file_and_empty_lines(path):
    path.write_text('')
    assert list_from_file(path) == []
    path.write_text('a\n\nb\n')
    assert list_from_file(path) == ['a', '', 'b']


def test_prefix_offset_and_number(path):
    path.write_text('a\nb\nc\nd\n')
    assert list_from_file(path, prefix='x/') == ['x/a', 'x/b', 'x/c', 'x/d']
    assert list_from_file(path, offset=1) == ['b', 'c', 'd']
    assert list_from_file(path, max_num=3) == ['a', 'b', 'c']
    assert list_from_file(path, offset=1, max_num=2) == ['b', 'c']


def test_dict_from_file(path):
    path.write_text('1 cat\n\n2 dog cow\n')
    assert dict_from_file(path) == {'1': 'cat', '2': ['dog', 'cow']}
    assert dict_from_file(path, key_type=int) == {1: 'cat', 2: ['dog', 'cow']}


@pytest.mark.parametrize('read', [list_from_file, dict_from_file])
def test_unreadable_file_is_named(path, read):
    with pytest.raises(DataError, match=r'cannot read the list .*list\.txt: No such file'):
        read(path)
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(DataError, match=r'list\.txt is not a UTF-8 text file'):
        read(path)


def test_bad_lines_are_named(path):
    path.write_text('a 1\nb\n')
    with pytest.raises(DataError, match=r"list\.txt, line 2: 'b' lacks a value"):
        dict_from_file(path)
    with pytest.raises(DataError, match=r"list\.txt, line 1: bad key 'a'"):
        dict_from_file(path, key_type=int)


def test_encoding_and_backend(tmp_path):
    @FileClient.register_backend('turned')
    class Turned(HardDiskBackend):
        def get(self, filepath):
            return super().get(filepath)[::-1]

    path, args = tmp_path / 'list.txt', dict(encoding='latin-1', file_client_args={
        'backend': 'turned'})
    path.write_bytes('2 ü'.encode('latin-1'))
    assert list_from_file(path, **args) == ['ü 2']
    assert dict_from_file(path, **args) == {'ü': '2'}
