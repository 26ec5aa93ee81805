"""Archives of all kinds, damaged ones, and disks that are too small."""
import shutil
import tarfile
from types import SimpleNamespace

import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.converters.unpack import unpacked

from .archives import write_tar, write_zip

FILES = {'b/two.txt': b'2' * 5000, 'one.txt': b'1', '__MACOSX/one.txt': b'x', '.hidden': b'x',
         'b/._two.txt': b'x'}


def make(folder, kind):
    if kind == 'folder':
        for name, content in FILES.items():
            path = folder / 'data' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / 'data'
    if kind == 'zip':
        return write_zip(folder / 'data.zip', FILES)
    path = write_tar(folder / 'data.tar', FILES)
    if kind == 'tar':
        return path
    packed = folder / f'data.tar.{kind}'
    with tarfile.open(packed, f'w:{kind}') as archive, tarfile.open(path) as plain:
        for member in plain:
            archive.addfile(member, plain.extractfile(member))
    return packed


@pytest.mark.parametrize('kind', ['folder', 'zip', 'tar', 'gz', 'xz'])
def test_the_files_of_an_archive(tmp_path, kind):
    with unpacked([make(tmp_path, kind)]) as files:
        assert {path.name: path.read_bytes() for path in files} == {
            'two.txt': FILES['b/two.txt'], 'one.txt': b'1'}
        unpacked_files = [path for path in files if tmp_path not in path.parents]
    assert not any(path.exists() for path in unpacked_files)
    assert bool(unpacked_files) == (kind != 'folder')


def test_several_archives_with_equal_names(tmp_path):
    (tmp_path / 'sub').mkdir()
    paths = [make(tmp_path, 'zip'), make(tmp_path / 'sub', 'tar')]
    with unpacked(paths, tmp_path / 'new/tmp') as files:
        assert [path.name for path in files] == ['two.txt', 'one.txt'] * 2
        assert len({*files}) == 4
        assert all(tmp_path / 'new/tmp' in path.parents for path in files)
    assert not list((tmp_path / 'new/tmp').iterdir())


def test_a_missing_archive_is_told_before_others_are_unpacked(tmp_path):
    with pytest.raises(MissingDataError, match=r'archive .*no\.zip does not exist; correct'), \
            unpacked([make(tmp_path, 'zip'), tmp_path / 'no.zip'], tmp_path / 'tmp'):
        pass
    assert not (tmp_path / 'tmp').exists()


@pytest.mark.parametrize('kind', ['zip', 'tar', 'gz', 'xz'])
@pytest.mark.parametrize('damage', ['cut', 'text', 'flipped'])
def test_damaged_archives(tmp_path, kind, damage):
    path = make(tmp_path, kind)
    content = bytearray(path.read_bytes())
    if damage == 'cut':
        content = content[:len(content) // 3]
    elif damage == 'text':
        content = b'<html>Please log in</html>'
    elif kind == 'tar':
        pytest.skip('a tar has no checksum of what is in its files')
    else:
        content[len(content) // 3] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf'archive .*{path.name} cannot be unpacked: .*fetch it'
                       ), unpacked([path], tmp_path / 'tmp'):
        pass
    assert not list((tmp_path / 'tmp').iterdir())


@pytest.mark.parametrize('kind', ['zip', 'tar'])
def test_names_that_lead_out_of_the_folder(tmp_path, kind):
    write = write_zip if kind == 'zip' else write_tar
    path = write(tmp_path / 'data', {'../../out.txt': b'x'})
    with pytest.raises(DataError, match='lies outside'), unpacked([path], tmp_path / 'tmp'):
        pass
    assert not list(tmp_path.rglob('out.txt'))


def test_links_of_a_tar_are_left_out(tmp_path):
    with tarfile.open(tmp_path / 'a.tar', 'w') as archive:
        link = tarfile.TarInfo('link')
        link.type, link.linkname = tarfile.SYMTYPE, '/etc'
        archive.addfile(link)
    with unpacked([tmp_path / 'a.tar']) as files:
        assert files == []


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: SimpleNamespace(free=5000))
    with pytest.raises(DataError, match=r'unpacks to 5,004 bytes.* has 5,000 left.*--tmp_dir'), \
            unpacked([make(tmp_path, 'zip')], tmp_path / 'tmp'):
        pass


def test_a_temporary_folder_that_is_a_file(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match=r'--tmp_dir .*file'), \
            unpacked([make(tmp_path, 'zip')], tmp_path / 'file'):
        pass
