"""Files below folders, and folders that cannot be read."""
import os

import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.listing.folders import file_is_there, files_below


@pytest.fixture
def folder(tmp_path):
    for name in ('b.jpg', 'A.JPG', 'x/c.jpg', 'x/c.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def refuse(path, *args, **options):
    raise PermissionError(13, 'Permission denied', os.fspath(path))


def test_files_in_order(folder):
    assert files_below(folder) == ['A.JPG', 'b.jpg', 'x/c.jpg', 'x/c.txt']
    assert files_below(folder, '.jpg') == ['b.jpg', 'x/c.jpg']
    assert files_below(folder, ('.jpg',), case_sensitive=False) == ['A.JPG', 'b.jpg', 'x/c.jpg']


def test_folders_that_cannot_be_read(folder, monkeypatch):
    with pytest.raises(MissingDataError, match='cannot read the folder .*nowhere: No such file.*; '
                                               'correct it$'):
        files_below(folder / 'nowhere', remedy='correct it')
    monkeypatch.setattr('os.scandir', refuse)
    with pytest.raises(DataError, match=f'cannot read the folder {folder}: Permission denied; '
                                        'correct its permissions'):
        files_below(folder)


def test_files_that_are_there(folder, monkeypatch):
    assert file_is_there(folder / 'b.jpg')
    for name in ('x', 'no', 'b.jpg/c', 'a\0b', 'n' * 5000):
        assert not file_is_there(folder / name)
    monkeypatch.setattr('os.stat', refuse)
    with pytest.raises(DataError, match=r'cannot read .*b\.jpg: Permission denied; correct the'):
        file_is_there(folder / 'b.jpg')
