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
        assert {file.name: file.read() for file in files} == {
            'two.txt': FILES['b/two.txt'], 'one.txt': b'1'}
        unpacked_files = [file.copy for file in files if file.copy]
        # What is told of a file is where it is, and not where it was for a while.
        path = make(tmp_path, kind)
        assert str(files[0]) == (f'{path}/b/two.txt' if kind == 'folder' else f'{path}: b/two.txt')
    assert not any(path.exists() for path in unpacked_files)
    assert bool(unpacked_files) == (kind != 'folder')


def test_several_archives_with_equal_names(tmp_path):
    (tmp_path / 'sub').mkdir()
    paths = [make(tmp_path, 'zip'), make(tmp_path / 'sub', 'tar')]
    with unpacked(paths, tmp_path / 'new/tmp') as files:
        assert [file.name for file in files] == ['two.txt', 'one.txt'] * 2
        assert len({file.copy for file in files}) == 4
        assert all(tmp_path / 'new/tmp' in file.copy.parents for file in files)
    assert not list((tmp_path / 'new/tmp').iterdir())


def test_a_missing_archive_is_told_before_others_are_unpacked(tmp_path):
    with pytest.raises(MissingDataError, match=r'archive .*no\.zip does not exist; correct'), \
            unpacked([make(tmp_path, 'zip'), tmp_path / 'no.zip'], tmp_path / 'tmp'):
        pass
    assert not (tmp_path / 'tmp').exists()


@pytest.mark.parametrize('kind', ['zip', 'tar', 'gz', 'bz2', 'xz'])
@pytest.mark.parametrize('damage', ['cut', 'text', 'flipped', 'end'])
def test_damaged_archives(tmp_path, kind, damage):
    path = make(tmp_path, kind)
    content = bytearray(path.read_bytes())
    if damage == 'cut':
        content = content[:len(content) // 3]
    elif damage == 'text':
        content = b'<html>Please log in</html>'
    elif kind == 'tar':
        pytest.skip('a tar has no checksum of what is in its files')
    elif damage == 'end':  # checksums and lists lie there
        content[-6] ^= 255
    else:
        content[len(content) // 3] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf'{path.name}: the archive is damaged \(.*\): fetch it'
                       ), unpacked([path], tmp_path / 'tmp'):
        pass
    assert not list((tmp_path / 'tmp').iterdir())


def test_the_bytes_that_are_wrong_are_not_all_shown(tmp_path):
    """zipfile's message holds the name in a header, which may be most of the archive."""
    path = write_zip(tmp_path / 'a.zip', {'one.txt': b'1' * 9, 'two.txt': b'2' * 5000}, 0)
    content = bytearray(path.read_bytes())
    content[26:28] = b'\xff\x0f'  # the length of the first name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught, unpacked([path], tmp_path / 'tmp'):
        pass
    assert len(str(caught.value)) < 400 + len(str(path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize('flag', [1, 9])
def test_what_python_cannot_unpack(tmp_path, flag):
    """A password, and Deflate64."""
    path = make(tmp_path, 'zip')
    content = bytearray(path.read_bytes())
    for start in (content.index(b'PK\x03\x04') + 6, content.index(b'PK\x01\x02') + 8):
        content[start if flag == 1 else start + 2] = flag
    path.write_bytes(content)
    with pytest.raises(DataError, match=r'data\.zip: Python cannot unpack it \(.*unpack data\.zip '
                                        'with another program'), unpacked([path], tmp_path / 'tmp'):
        pass


def test_folders_of_windows(tmp_path):
    path = write_zip(tmp_path / 'a.zip', {'x\\y\\one.txt': b'1'})
    with unpacked([path]) as files:
        assert [(file.name, file.read()) for file in files] == [('one.txt', b'1')]


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
    with pytest.raises(DataError, match=r'cannot write to the folder .*file.*--tmp_dir'), \
            unpacked([make(tmp_path, 'zip')], tmp_path / 'file'):
        pass
