import os
import time

import pytest

from mmcv_replace import atomic_write
from mmcv_replace.fileio import remove_unfinished


def test_bytes_and_text(tmp_path):
    with atomic_write(tmp_path / 'sub' / 'a.bin') as file:
        file.write(b'\x00\n')
    with atomic_write(str(tmp_path / 'b.txt'), 'w') as file:
        file.write('grün\n')
    assert (tmp_path / 'sub' / 'a.bin').read_bytes() == b'\x00\n'
    assert (tmp_path / 'b.txt').read_text(encoding='utf-8') == 'grün\n'


def test_old_content_stays_until_the_end(tmp_path):
    path = tmp_path / 'a'
    path.write_text('old')
    with atomic_write(path) as file:
        file.write(b'new')
        file.flush()
        assert path.read_text() == 'old'
        assert len(list(tmp_path.iterdir())) == 2
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_error_keeps_the_old_file_and_leaves_nothing(tmp_path, error):
    path = tmp_path / 'a'
    path.write_text('old')

    def write_and_fail():
        with atomic_write(path) as file:
            file.write(b'new')
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_content_and_then_the_name_are_on_the_disk(tmp_path, monkeypatch):
    calls = []
    replace, fsync = os.replace, os.fsync
    monkeypatch.setattr(os, 'fsync', lambda fd: (calls.append('fsync'), fsync(fd)))
    monkeypatch.setattr(os, 'replace', lambda *names: (calls.append('replace'), replace(*names)))
    with atomic_write(tmp_path / 'a'):
        pass
    assert calls == ['fsync', 'replace', 'fsync']


def test_without_sync_nobody_waits_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'fsync', lambda fd: pytest.fail('waits'))
    with atomic_write(tmp_path / 'a', sync=False) as file:
        file.write(b'new')
        assert not (tmp_path / 'a').exists()
    assert (tmp_path / 'a').read_bytes() == b'new'


def test_unfinished_files_are_deleted_from_an_age_on(tmp_path):
    names = [f'.a.{digit * 32}.tmp' for digit in '01']
    for name, written in zip(names, (time.time() - 50, time.time()), strict=True):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (written, written))
    (tmp_path / 'a.tmp').touch()
    assert remove_unfinished(tmp_path, age=40) == [tmp_path / names[0]]
    assert {path.name for path in tmp_path.iterdir()} == {names[1], 'a.tmp'}
    assert remove_unfinished(tmp_path) == [tmp_path / names[1]]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / 'plain').touch()
    with atomic_write(tmp_path / 'a'):
        pass
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'plain').stat().st_mode


@pytest.mark.parametrize('name', ['x' * 250, '\u6743' * 80], ids=['ascii', 'three bytes each'])
def test_long_names(tmp_path, name):
    with atomic_write(tmp_path / name) as file:
        file.write(b'1')
    assert (tmp_path / name).read_bytes() == b'1'
