"""Files are found in folders, zips and zips in zips, and damaged ones are named."""
import io
import zipfile
from functools import partial

import pytest

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.converters.archives import unpack_folder
from mmseg.datasets.converters.finding import find_files

PATTERNS = dict(image=r'(train|val)/(\d+)\.tif', label=r'labels/(\d+)\.tif')


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w', compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def find(tmp_path, nested='inner'):
    (tmp_path / 'unpacked').mkdir(exist_ok=True)
    return find_files(tmp_path / 'source', PATTERNS, nested, tmp_path / 'unpacked')


@pytest.fixture
def source(tmp_path):
    (tmp_path / 'source').mkdir()
    return tmp_path / 'source'


@pytest.mark.parametrize('pack', [
    lambda source, name, data: (
        (source / name).parent.mkdir(parents=True), (source / name).write_bytes(data)),
    lambda source, name, data: (source / 'a.ZIP').write_bytes(zipped({name: data})),
    lambda source, name, data: (source / 'a.zip').write_bytes(
        zipped({'x/inner.zip': zipped({name: data})})),
    lambda source, name, data: (source / 'a.zip').write_bytes(
        zipped({'x\\inner.zip': zipped({'x\\train\\7.tif': data})})),
    lambda source, name, data: (source / 'a.zip').write_bytes(
        zipped({'Inner.ZIP': zipped({'train/7.TIF': data})}, zipfile.ZIP_STORED))])
def test_places(tmp_path, source, pack):
    pack(source, 'x/train/7.tif', b'content')
    found = find(tmp_path)
    assert [*found['image']] == [('train', '7')]
    member = found['image']['train', '7']
    assert member.read() == b'content'
    with member.on_disk(tmp_path) as path:
        assert path.read_bytes() == b'content'
    assert path.exists() == (member.inside is None)
    assert found['label'] == {}


def test_unpacked_files_come_first_and_those_of_a_mac_never(tmp_path, source):
    (source / 'a.zip').write_bytes(zipped({
        'train/1.tif': b'packed', 'train/2.tif': b'packed', '__MACOSX/train/3.tif': b''}))
    (source / 'train').mkdir()
    (source / 'train/1.tif').write_bytes(b'unpacked')
    found = find(tmp_path)['image']
    assert {key: member.read() for key, member in found.items()} == {
        ('train', '1'): b'unpacked', ('train', '2'): b'packed'}


def test_parts_of_names_do_not_match(tmp_path, source):
    (source / 'a.zip').write_bytes(zipped({
        'strain/1.tif': b'', 'train/1.tif.aux': b'', 'train/x1.tif': b'', 'labels/4.tif': b''}))
    found = find(tmp_path)
    assert (found['image'], [*found['label']]) == ({}, [('4',)])


def test_other_archives_are_not_unpacked(tmp_path, source):
    (source / 'a.zip').write_bytes(zipped({
        'other.zip': zipped({'train/1.tif': b''}), 'inner.zip': zipped({'train/2.tif': b''})}))
    assert [*find(tmp_path)['image']] == [('train', '2')]
    assert [path.name for path in (tmp_path / 'unpacked').rglob('*.zip')] == ['inner.zip']


def test_folder_to_unpack_to(tmp_path):
    for chosen, place in ((None, tmp_path), (tmp_path / 'deep/er', tmp_path / 'deep/er')):
        with unpack_folder(chosen, tmp_path) as folder:
            assert folder.parent == place
            (folder / 'a').write_text('')
        assert not folder.exists()
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cannot write to the folder .*file.*--tmp_dir'), \
            unpack_folder(tmp_path / 'file', tmp_path):
        pass


def test_no_folder(tmp_path):
    with pytest.raises(MissingDataError, match='source is no folder; give the one with the arch'):
        find(tmp_path)


@pytest.mark.parametrize('nested', [False, True])
def test_damaged_archive(tmp_path, source, nested):
    damaged = zipped({'train/1.tif': b'content'})[:-10]
    (source / 'a.zip').write_bytes(zipped({'inner.zip': damaged}) if nested else damaged)
    name = 'inner' if nested else 'a'
    with pytest.raises(DataError, match=rf'{name}\.zip: the archive is damaged.*: fetch it again'):
        find(tmp_path)


def test_damaged_file_in_an_archive(tmp_path, source):
    content = zipped({'train/1.tif': b'content' * 9}, zipfile.ZIP_STORED)
    (source / 'a.zip').write_bytes(content.replace(b'contentcon', b'CONTENTCON', 1))
    with pytest.raises(DataError, match=r'a\.zip: train/1\.tif: the archive is damaged.*fetch it'):
        find(tmp_path)['image']['train', '1'].read()


def test_a_compression_that_python_lacks(tmp_path, source):
    """Deflate64, the number 9, which Windows takes for archives of 2 GB and more."""
    content = bytearray(zipped({'train/1.tif': b'content'}))
    content[8] = 9
    place = content.index(b'PK\x01\x02')
    content[place + 10] = 9
    (source / 'a.zip').write_bytes(content)
    with pytest.raises(DataError, match=r'cannot unpack it .*unpack a\.zip with another program'):
        find(tmp_path)['image']['train', '1'].read()


def test_too_little_space(tmp_path, source, monkeypatch):
    (source / 'a.zip').write_bytes(zipped({'inner.zip': zipped({'train/1.tif': b''})}))
    usage = type('Usage', (), dict(free=3))
    monkeypatch.setattr('shutil.disk_usage', lambda folder: usage)
    with pytest.raises(DataError, match=r'inner\.zip unpacks to [\d,]+ bytes, and .* has 3 left: '
                                        '.*--tmp_dir'):
        find(tmp_path)


@pytest.mark.parametrize('nested', [True, False])
def test_a_disk_that_fills_up_while_a_file_is_copied(tmp_path, source, monkeypatch, nested):
    """It is that of the copies, and not that of the output, for which there is another option."""
    inner = zipped({'train/1.tif': b'content'})
    (source / 'a.zip').write_bytes(zipped({'inner.zip': inner}) if nested else inner)

    def fail(*args):
        raise OSError(28, 'No space left on device')

    copy = partial(find, tmp_path) if nested else partial(
        copy_to, find(tmp_path)['image']['train', '1'], tmp_path / 'unpacked')
    monkeypatch.setattr('shutil.copyfileobj', fail)
    name = r'inner\.zip' if nested else 'train/1.tif'
    with pytest.raises(DataError, match=rf'cannot unpack .*a\.zip: {name} to .*/unpacked: No space '
                                        'left on device; choose another folder with --tmp_dir'):
        copy()
    assert not list((tmp_path / 'unpacked').rglob('*.tif'))


def copy_to(member, folder):
    with member.on_disk(folder):
        pass
