"""The synthetic devkit: VOC's layout, readable by other tools, whatever wrote it."""
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import voc_colormap
from mmseg.datasets.converters.voc_aug import convert_voc_aug
from mmseg.datasets.synthetic import SplitSizes, make_devkit, make_scene

SIZES = SplitSizes(train=4, val=2, aug=3)


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob('*') if path.is_file()}


def lines(path):
    return path.read_text().split()


@pytest.fixture
def devkit(tmp_path):
    make_devkit(tmp_path, SIZES, size=48)
    return tmp_path


def test_any_number_of_processes_writes_the_same_files(devkit, tmp_path):
    first = contents(devkit)
    make_devkit(tmp_path / 'two', SIZES, size=48, nproc=2)
    second = contents(tmp_path / 'two')
    assert first.keys() == second.keys()
    for name, content in first.items():
        # MATLAB files begin with the time of writing.
        start = 128 if name.endswith('.mat') else 0
        assert content[start:] == second[name][start:], name


def test_lists(devkit):
    voc, sbd = devkit / 'VOC2012/ImageSets/Segmentation', devkit / 'VOCaug/dataset'
    train, val, both = (lines(voc / f'{name}.txt') for name in ('train', 'val', 'trainval'))
    assert (len(train), len(val)) == (4, 2)
    assert both == sorted(train + val)
    every = lines(sbd / 'train.txt') + lines(sbd / 'val.txt')
    assert len(set(every)) == len(every) == 9
    assert set(both) < set(every)
    assert {path.stem for path in (devkit / 'VOC2012/JPEGImages').iterdir()} == set(every)
    assert {path.stem for path in (devkit / 'VOC2012/SegmentationClass').iterdir()} == set(both)
    assert {path.stem for path in (sbd / 'cls').iterdir()} == set(every)


def test_files_hold_the_scenes(devkit):
    names = sorted(path.stem for path in (devkit / 'VOC2012/JPEGImages').iterdir())
    for index, name in enumerate(names):
        scene = make_scene(0, index, 48)
        image = np.array(Image.open(devkit / f'VOC2012/JPEGImages/{name}.jpg'))[..., ::-1]
        assert image.shape == scene.image.shape
        assert np.abs(image.astype(int) - scene.image).mean() < 8
        stored = loadmat(devkit / f'VOCaug/dataset/cls/{name}.mat')['GTcls']
        np.testing.assert_array_equal(stored['Segmentation'][0, 0], scene.labels)
        present = stored['CategoriesPresent'][0, 0].ravel()
        assert present.tolist() == [value for value in np.unique(scene.labels) if value > 0]
        mask = devkit / f'VOC2012/SegmentationClass/{name}.png'
        if mask.exists():
            with Image.open(mask) as opened:
                np.testing.assert_array_equal(np.array(opened), scene.with_void())
                assert opened.getpalette() == voc_colormap().ravel().tolist()


def test_converter_reads_it(devkit):
    assert convert_voc_aug(devkit, devkit / 'VOCaug') == {'trainaug': 7, 'aug': 3}


def test_seed_and_size_change_the_images(devkit, tmp_path):
    make_devkit(tmp_path / 'other', SIZES, size=64, seed=1)
    name = 'VOC2012/JPEGImages/synthetic_000000.jpg'
    with Image.open(tmp_path / 'other' / name) as other, Image.open(devkit / name) as first:
        assert max(other.size) == 64
        assert max(first.size) == 48
    make_devkit(tmp_path / 'seed', SIZES, size=48, seed=1)
    assert (tmp_path / 'seed' / name).read_bytes() != (devkit / name).read_bytes()


def test_without_additional_images(tmp_path):
    make_devkit(tmp_path, SplitSizes(train=1, val=1, aug=0), size=32)
    assert convert_voc_aug(tmp_path, tmp_path / 'VOCaug') == {'trainaug': 1, 'aug': 0}


@pytest.mark.parametrize('sizes', [SplitSizes(0, 1, 1), SplitSizes(1, 0, 1), SplitSizes(1, 1, -1)])
def test_sizes_without_sense(tmp_path, sizes):
    with pytest.raises(ConfigError, match='a devkit needs images to train and to validate on'):
        make_devkit(tmp_path, sizes)


def test_too_small_images(tmp_path):
    with pytest.raises(ConfigError, match='size=31: objects need an image of at least 32 pixels'):
        make_devkit(tmp_path, SIZES, size=31)


def test_negative_seed(tmp_path):
    with pytest.raises(ConfigError, match='seed=-1: it must not be negative'):
        make_devkit(tmp_path, SIZES, seed=-1)


def test_other_data_are_not_touched(devkit):
    make_devkit(devkit, SIZES, size=48)
    (devkit / 'VOC2012/JPEGImages/2007_000032.jpg').touch()
    before = contents(devkit)
    with pytest.raises(DataError, match=r'holds other data \(.*2007_000032\.jpg\).*empty folder'):
        make_devkit(devkit, SIZES, size=64)
    assert contents(devkit) == before


def test_scipy_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'scipy', None)
    with pytest.raises(ConfigError, match=r"scipy.*pip install 'mmseg-ascend\[sbd\]'"):
        make_devkit(tmp_path, SIZES)
    assert not list(tmp_path.iterdir())
