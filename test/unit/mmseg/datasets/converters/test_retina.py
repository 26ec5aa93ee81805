"""The four sets of vessels in the retina, from tiny archives in the layout of the real ones."""
import gzip
import shutil
import tempfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets import DATASETS
from mmseg.datasets.converters.archives import Member
from mmseg.datasets.converters.chase_db1 import convert_chase_db1
from mmseg.datasets.converters.drive import convert_drive
from mmseg.datasets.converters.hrf import convert_hrf
from mmseg.datasets.converters.retina import read_binary_mask
from mmseg.datasets.converters.stare import convert_stare
from mmseg.datasets.retina import RetinaDataset

from . import archives

CONVERTERS = dict(chase_db1=convert_chase_db1, drive=convert_drive,
                  hrf=lambda *paths, **options: convert_hrf(paths, **options), stare=convert_stare)
COUNTS = dict(chase_db1=(20, 8), drive=(20, 20), hrf=(15, 30), stare=(10, 10))
CLASSES = dict(chase_db1='ChaseDB1Dataset', drive='DRIVEDataset', hrf='HRFDataset',
               stare='STAREDataset')


def files_of(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob('*') if path.is_file()}


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


@pytest.fixture(params=CONVERTERS)
def name(request):
    return request.param


@pytest.fixture
def made(name, tmp_path):
    return archives.RETINA[name](tmp_path)


@pytest.mark.parametrize('nproc', [1, 2])
def test_images_masks_and_splits(name, made, tmp_path, nproc):
    out = tmp_path / 'out'

    counts = CONVERTERS[name](*made.paths, out_dir=out, nproc=nproc)

    assert tuple(counts.values()) == COUNTS[name]
    written = files_of(out)
    assert set(written) == {*made.images, *made.masks}
    for place, mask in made.masks.items():
        np.testing.assert_array_equal(pixels(written[place]), mask)
    for place, image in made.images.items():
        lossy = name in ('chase_db1', 'hrf')  # JPEGs
        difference = np.abs(pixels(written[place]).astype(int) - image)
        assert difference.mean() < (8 if lossy else 1e-9)


def test_the_class_finds_every_image_and_its_mask(name, made, tmp_path):
    CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    for split, number in zip(('training', 'validation'), COUNTS[name], strict=True):
        dataset = DATASETS.get(CLASSES[name])(
            data_root=str(tmp_path / 'out'), img_dir=f'images/{split}',
            ann_dir=f'annotations/{split}', pipeline=[])
        dataset.check_files()
        assert len(dataset) == number
        assert all({0, 1} == set(np.unique(dataset.get_gt_seg_map(index)))
                   for index in range(number))


def test_masks_show_their_classes_in_a_viewer(name, made, tmp_path):
    CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    place = next(iter(made.masks))
    with Image.open(tmp_path / 'out' / place) as image:
        colours = np.array(image.convert('RGB'))
    np.testing.assert_array_equal(colours, np.array(RetinaDataset.PALETTE)[made.masks[place]])


def test_unpacked_archives_in_other_folders(name, made, tmp_path):
    """Folders take the place of archives, and the files may lie deeper in them."""
    folders = []
    for path in made.paths:
        folders.append(tmp_path / f'{path.stem} unpacked')
        shutil.unpack_archive(path, folders[-1] / 'deep')
        path.unlink()
    CONVERTERS[name](*folders, out_dir=tmp_path / 'out')
    assert set(files_of(tmp_path / 'out')) == {*made.images, *made.masks}
    assert all(folder.is_dir() for folder in folders)


def test_what_is_unpacked_goes_to_tmp_dir_and_is_deleted(name, made, tmp_path, monkeypatch):
    seen = []
    real = zipfile.is_zipfile
    monkeypatch.setattr(zipfile, 'is_zipfile', lambda path: (
        seen.extend((tmp_path / 'large disk').iterdir()), real(path))[1])
    CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out', tmp_dir=tmp_path / 'large disk')
    assert seen
    assert not list((tmp_path / 'large disk').iterdir())


def test_other_files_of_the_folder_stay(name, made, tmp_path):
    (tmp_path / 'out/images/training').mkdir(parents=True)
    mine = tmp_path / 'out/images/training/mine.txt'
    mine.write_text('mine')
    CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    assert mine.read_text() == 'mine'
    assert set(files_of(tmp_path / 'out')) == {*made.images, *made.masks,
                                               'images/training/mine.txt'}


def test_a_missing_archive(name, made, tmp_path):
    made.paths[-1].unlink()
    with pytest.raises(MissingDataError,
                       match=f'archive .*{made.paths[-1].name} does not exist; correct the name'):
        CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def of_data(files):
    """The names of images and masks of vessels, sorted."""
    return sorted(place for place in files if 'mask' not in place and not place.startswith('__')
                  and place.endswith(('.jpg', '.JPG', '.png', '.tif', '.gif', '.gz')))


def repack(path, change):
    """Write an archive again with `change(dict of its files)`."""
    folder = path.with_suffix('.unpacked')
    shutil.unpack_archive(path, folder)
    files = {place: file.read_bytes() for place, file in files_of(folder).items()}
    files = change(files) or files
    (archives.write_zip if path.suffix == '.zip' else archives.write_tar)(path, files)


def test_an_archive_that_lacks_files(name, made, tmp_path):
    lost = []

    def lose(files):
        for place in of_data(files)[-3:-1]:
            lost.append(place.rpartition('/')[2])
            del files[place]

    repack(made.paths[0], lose)
    with pytest.raises(MissingDataError, match='the archives lack 2 of .*; fetch them again'
                       ) as raised:
        CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    assert all(file in str(raised.value) for file in lost)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('nproc', [1, 2])
def test_a_mask_of_another_size(name, made, tmp_path, nproc):
    def cut(files):
        place = [place for place in of_data(files)
                 if place.endswith(('.png', '.gif', '.vk.ppm.gz', 'h.tif', 'g.tif', 'dr.tif'))][-1]
        mask = archives.vessels(1, 10, 12)
        suffix = place[place.rindex('.'):]
        form = {'.png': 'PNG', '.gif': 'GIF', '.tif': 'TIFF', '.gz': 'PPM'}[suffix]
        files[place] = archives.encode(mask * 255, form)
        if form == 'PPM':
            files[place] = gzip.compress(files[place])

    repack(made.paths[-1], cut)
    with pytest.raises(DataError, match=r'has 12 x 10 pixels, its image .* 31 x 24; fetch'):
        CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out', nproc=nproc)
    assert not (tmp_path / 'out').exists()


def test_after_an_error_the_folder_is_as_before(made, name, tmp_path):
    CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    before = {place: path.read_bytes() for place, path in files_of(tmp_path / 'out').items()}

    def spoil(files):
        files |= dict.fromkeys(of_data(files)[-2:], b'no image')

    repack(made.paths[0], spoil)
    with pytest.raises(DataError, match=f'{made.paths[0].name}: .*(cannot|damaged|decode|unpacked)'
                       ) as caught:
        CONVERTERS[name](*made.paths, out_dir=tmp_path / 'out')
    assert tempfile.gettempdir() + '/tmp' not in str(caught.value)  # where it is deleted by now
    assert {place: path.read_bytes()
            for place, path in files_of(tmp_path / 'out').items()} == before


def test_drive_without_masks_to_test_by(tmp_path, caplog):
    made = archives.make_drive(tmp_path, observers=())
    with caplog.at_level('WARNING'):
        convert_drive(*made.paths, out_dir=tmp_path / 'out')
    assert 'test.zip has no masks' in caplog.text
    assert '--no-validate' in caplog.text
    assert set(files_of(tmp_path / 'out')) == {*made.images, *made.masks}
    assert not (tmp_path / 'out/annotations/validation').exists()


def test_drive_with_masks_warns_of_nothing(tmp_path, caplog):
    with caplog.at_level('WARNING'):
        convert_drive(*archives.make_drive(tmp_path, observers=(1,)).paths,
                      out_dir=tmp_path / 'out')
    assert not caplog.text


def test_the_same_file_twice(tmp_path):
    made = archives.make_chase_db1(tmp_path)
    repack(made.paths[0], lambda files: files | {'copy/image_01l.JPG': files['Image_01L.jpg']})
    with pytest.raises(DataError, match=r'hold Image_01L\.jpg more than once: .*keep one'):
        convert_chase_db1(*made.paths, out_dir=tmp_path / 'out')


@pytest.mark.parametrize('kind', ['grey', 'bits', 'black first', 'white first'])
def test_gifs_of_all_kinds_mean_the_same(tmp_path, kind):
    mask = archives.vessels(3)
    (tmp_path / 'a.gif').write_bytes(archives.gif(mask, kind))
    np.testing.assert_array_equal(read_binary_mask(Member(tmp_path / 'a.gif')), mask)


@pytest.mark.parametrize('values', [(0, 1), (0, 127), (5, 5)])
def test_a_mask_without_white(tmp_path, values):
    """Masks of 0 and 1 would otherwise lose all their vessels without a word."""
    Image.fromarray(np.array([values], np.uint8)).save(tmp_path / 'a.png')
    with pytest.raises(DataError, match=f'grey values from {values[0]} to {values[1]}'):
        read_binary_mask(Member(tmp_path / 'a.png'))


def test_a_damaged_gz(tmp_path):
    (tmp_path / 'a.ppm.gz').write_bytes(archives.ppm_gz(archives.photo(0))[:-20])
    with pytest.raises(DataError, match=r'a\.ppm\.gz cannot be unpacked: .*fetch'):
        read_binary_mask(Member(tmp_path / 'a.ppm.gz'))
