"""LoveDA: the archives of its splits become folders of images and masks."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets import LoveDADataset
from mmseg.datasets.converters.aerial import loveda
from mmseg.datasets.converters.aerial.loveda import convert_loveda

from ..plain_tiles import assert_same, contents, encoded, zipped

NAMES = {'Train': dict(Rural=['0', '1'], Urban=['1366']), 'Val': dict(Rural=['2522'],
                                                                      Urban=['3514']),
         'Test': dict(Rural=['4191'], Urban=['5167'])}


def make_files():
    random = np.random.default_rng(0)
    files = {}
    for split, scenes in NAMES.items():
        for scene, names in scenes.items():
            for name in names:
                files[f'{split}/{scene}/images_png/{name}.png'] = random.integers(
                    0, 256, (12, 9, 3), np.uint8)
                if split != 'Test':
                    files[f'{split}/{scene}/masks_png/{name}.png'] = random.integers(
                        0, 8, (12, 9), np.uint8)
    return files


def write(source, files, split):
    source.mkdir(exist_ok=True)
    content = zipped({name: encoded(array) for name, array in files.items()
                      if name.startswith(f'{split}/')})
    (source / f'{split}.zip').write_bytes(content)
    return content


@pytest.fixture
def files():
    return make_files()


@pytest.fixture
def source(tmp_path, files):
    for split in NAMES:
        write(tmp_path / 'archives', files, split)
    return tmp_path / 'archives'


def expected(files):
    kinds = dict(images_png='img_dir', masks_png='ann_dir')
    found = {}
    for place, array in files.items():
        split, _, kind, name = place.split('/')
        found[f'{kinds[kind]}/{split.lower()}/{name}'] = array
    return found


@pytest.mark.parametrize('nproc', [1, 2])
def test_images_and_masks(source, files, tmp_path, nproc):
    assert convert_loveda(source, tmp_path / 'out', nproc=nproc) == dict(train=3, val=2, test=2)
    assert_same(contents(tmp_path / 'out'), expected(files))


@pytest.mark.parametrize('kind', ['unpacked', 'in a zip'])
def test_other_packages(source, files, tmp_path, kind):
    other = tmp_path / 'other'
    other.mkdir()
    if kind == 'unpacked':
        for name, array in files.items():
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            (other / name).write_bytes(encoded(array))
    else:
        (other / 'LoveDA.zip').write_bytes(zipped(
            {f'LoveDA/{path.name}': path.read_bytes() for path in source.iterdir()}))
    convert_loveda(other, tmp_path / 'out', tmp_dir=tmp_path / 'unpacked')
    assert_same(contents(tmp_path / 'out'), expected(files))
    assert list((tmp_path / 'unpacked').iterdir()) == []


def test_the_data_set_reads_them(source, files, tmp_path):
    convert_loveda(source, tmp_path / 'out')
    dataset = LoveDADataset(pipeline=[], img_dir='img_dir/val', ann_dir='ann_dir/val',
                            data_root=str(tmp_path / 'out'))
    mask = files['Val/Rural/masks_png/2522.png'].astype(int)
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), np.where(mask == 0, 255, mask - 1))
    # The server counts the classes from 0.
    file, = dataset.format_results([mask % 7], str(tmp_path / 'predicted'), [0])
    assert_same(contents(tmp_path / 'predicted'), {'2522.png': mask % 7})


def test_without_images_to_test(source, tmp_path):
    (source / 'Test.zip').unlink()
    assert convert_loveda(source, tmp_path / 'out') == dict(train=3, val=2)


@pytest.mark.parametrize('nproc', [1, 2])
def test_labels_of_no_class(source, files, tmp_path, nproc):
    files['Val/Urban/masks_png/3514.png'][:3, :3] = 8
    files['Val/Urban/masks_png/3514.png'][11] = 255
    write(source, files, 'Val')
    with pytest.raises(DataError, match=(
            r'Val\.zip: Val/Urban/masks_png/3514\.png: 16\.67% of the pixels hold 8, 255, but the '
            'classes are 1 to 7, and 0 is no data: fetch the archive again')):
        convert_loveda(source, tmp_path / 'out', nproc=nproc)
    assert not (tmp_path / 'out').exists()


def test_missing_masks(source, files, tmp_path):
    del files['Train/Rural/masks_png/1.png']
    write(source, files, 'Train')
    with pytest.raises(DataError, match='lacks the labels of 1 images for train: 1\nexpected'):
        convert_loveda(source, tmp_path / 'out')


def test_missing_archive(source, tmp_path):
    (source / 'Val.zip').unlink()
    with pytest.raises(DataError, match='archives has no images for val\nexpected, packed or unp'):
        convert_loveda(source, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_a_name_in_town_and_country(source, files, tmp_path):
    files['Train/Urban/images_png/0.png'] = files['Train/Rural/images_png/0.png']
    write(source, files, 'Train')
    with pytest.raises(DataError, match=(r'Train/Rural/images_png/0\.png and .*Train/Urban/images_'
                                         r'png/0\.png have the same name, but come to one folder')):
        convert_loveda(source, tmp_path / 'out')


@pytest.mark.parametrize('complete', [True, False])
def test_the_numbers_of_the_complete_archives(source, tmp_path, caplog, monkeypatch, complete):
    if complete:
        monkeypatch.setattr(loveda, 'FULL_COUNTS', dict(train=3, val=2, test=2))
    with caplog.at_level('WARNING'):
        convert_loveda(source, tmp_path / 'out')
    assert ('train 3, val 2, test 2 images; the complete archives give train 2,522, val 1,669, '
            'test 1,796. Published scores' in caplog.text) != complete
