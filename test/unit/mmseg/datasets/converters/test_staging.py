"""Output that appears when all of it is there."""
import errno
import os
import signal
import subprocess
import sys
import time

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


def test_a_new_folder_moves_as_a_whole(tmp_path):
    """An interrupt of the move leaves no part of it, however many files it has."""
    with staged(tmp_path / 'out') as folder:
        (folder / 'masks/city').mkdir(parents=True)
        (folder / 'masks/city/a').write_text('new')
        number = (folder / 'masks').stat().st_ino
    assert (tmp_path / 'out/masks').stat().st_ino == number
    assert everything(tmp_path) == {'out/masks/city/a': 'new'}


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


WRITE = """
import sys, time
from pathlib import Path
from mmcv_replace.utils import track_parallel_progress
from mmseg.apis.cli import run_command
from mmseg.datasets.converters.archives import unpack_folder
from mmseg.datasets.converters.staging import staged

def convert(place):
    Path(place).write_text('ha')
    time.sleep(0.2)

def main():
    with unpack_folder(sys.argv[1], '.'), staged(sys.argv[2]) as folder:
        track_parallel_progress(convert, [str(folder / f'{i}') for i in range(200)], 2)

if __name__ == '__main__':
    sys.exit(run_command(main))
"""


@pytest.mark.parametrize(('sent', 'to_all'), [
    (signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True),
    (signal.SIGHUP, False)])
def test_nothing_stays_behind_a_signal(tmp_path, sent, to_all):
    (tmp_path / 'write.py').write_text(WRITE)
    process = subprocess.Popen([sys.executable, 'write.py', 'tmp', 'deep/out'], cwd=tmp_path,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(tmp_path.glob('deep/out/*/1')) and process.poll() is None:
        time.sleep(0.01)
    (os.killpg if to_all else os.kill)(process.pid, sent)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + sent
    assert told.rstrip().splitlines()[-1] == (
        'interrupted' if sent == signal.SIGINT else 'terminated')
    assert 'Traceback' not in told
    assert [path.name for path in tmp_path.rglob('*')
            if path.name != 'write.py' and '__pycache__' not in path.parts] == ['tmp']


def test_another_handler_of_sigterm_is_kept(tmp_path):
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with staged(tmp_path):
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, former)
    with staged(tmp_path):
        assert signal.getsignal(signal.SIGTERM) != former
    assert signal.getsignal(signal.SIGTERM) == former


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
