"""Output that appears when all of it is there."""
import errno
import os

import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.converters.staging import read_names, staged, write_names


def everything(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob('*')
            if path.is_file()}


def test_files_move_to_their_place_and_replace_others(tmp_path):
    (tmp_path / 'a').mkdir()
    for name in ('a/old', 'a/both'):
        (tmp_path / name).write_text('old')
    with staged(tmp_path) as folder:
        (folder / 'a/b').mkdir(parents=True)
        for name in ('a/both', 'a/b/new'):
            (folder / name).write_text('new')
        assert everything(tmp_path / 'a') == dict(old='old', both='old')
    assert everything(tmp_path) == {'a/old': 'old', 'a/both': 'new', 'a/b/new': 'new'}


@pytest.mark.parametrize('error', [DataError, KeyboardInterrupt])
@pytest.mark.parametrize('existing', [True, False])
def test_nothing_stays_behind_an_error(tmp_path, error, existing):
    out = tmp_path / 'deep/out'
    if existing:
        out.mkdir(parents=True)
        (out / 'old').write_text('old')
    with pytest.raises(error), staged(out) as folder:  # noqa: PT012
        (folder / 'half').write_text('ha')
        raise error
    assert everything(tmp_path) == ({'deep/out/old': 'old'} if existing else {})
    assert (tmp_path / 'deep').exists() == existing


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match=r'cannot write to the folder .*out.*another one with -o'
                       ), staged(tmp_path / 'file/out'):
        pass


@pytest.mark.parametrize(('number', 'told'), [
    (errno.ENOSPC, DataError), (errno.EDQUOT, DataError), (errno.EIO, OSError)])
def test_a_full_disk(tmp_path, number, told):
    with pytest.raises(told) as raised, staged(tmp_path / 'out'):
        raise OSError(number, 'as the system says')
    if told is DataError:
        assert f'the disk of {tmp_path}/out is full: make room' in str(raised.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match='cannot write to the folder'), staged(tmp_path / 'out'):
        pass


def test_names(tmp_path):
    write_names(tmp_path / 'deep/list.txt', ['b', 'city/a'])
    assert (tmp_path / 'deep/list.txt').read_text() == 'b\ncity/a\n'
    (tmp_path / 'list.txt').write_text('b\n\n a \n')
    assert read_names(tmp_path / 'list.txt', 'expected: ...') == ['b', 'a']
    with pytest.raises(MissingDataError, match=r'no\.txt does not exist\nexpected: \.\.\.'):
        read_names(tmp_path / 'no.txt', 'expected: ...')
