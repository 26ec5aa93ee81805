"""SBD to masks and lists: on real files, and on small devkits made here."""
import multiprocessing
import os
import shutil
import signal
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mmcv_replace.utils.errors import ConfigError, DataError, UserError
from mmseg.core.utils import voc_colormap
from mmseg.datasets.converters import voc_aug
from mmseg.datasets.converters.voc_aug import convert_voc_aug


@pytest.fixture
def devkit(tmp_path):
    """VOC with two train images and one to validate on; SBD with five."""
    lists = tmp_path / 'VOC2012/ImageSets/Segmentation'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('b\na\n')
    (lists / 'val.txt').write_text('v\n')
    sbd = tmp_path / 'VOCaug/dataset'
    (sbd / 'cls').mkdir(parents=True)
    (sbd / 'train.txt').write_text('z\na\nv\n')
    (sbd / 'val.txt').write_text('c\n\n')
    rng = np.random.default_rng(0)
    for name in 'zavc':
        savemat(sbd / f'cls/{name}.mat',
                {'GTcls': {'Segmentation': rng.integers(0, 21, (5, 8), np.uint8)}})
    return tmp_path


def masks(folder):
    return {path.name: np.array(Image.open(path)) for path in folder.iterdir()}


def read(devkit, name):
    return (devkit / f'VOC2012/ImageSets/Segmentation/{name}.txt').read_text()


@pytest.mark.parametrize('nproc', [1, 2])
def test_real_annotations(shared_dir, tmp_path, nproc):
    source = shared_dir / 'data/voc-mini/VOCdevkit'
    shutil.copytree(source / 'VOC2012/ImageSets', tmp_path / 'VOC2012/ImageSets')
    (tmp_path / 'VOC2012').chmod(0o755)
    for path in (tmp_path / 'VOC2012').rglob('*'):
        path.chmod(0o755)
    convert_voc_aug(tmp_path, source / 'VOCaug', nproc=nproc)
    found = masks(tmp_path / 'VOC2012/SegmentationClassAug')
    assert len(found) == 60
    for name, mask in found.items():
        # SBD has no void: what VOC leaves unlabelled is background there.
        voc = np.array(Image.open(source / 'VOC2012/SegmentationClass' / name))
        np.testing.assert_array_equal(mask, np.where(voc == 255, 0, voc))


def test_masks_are_palette_pngs(devkit):
    convert_voc_aug(devkit, devkit / 'VOCaug')
    with Image.open(devkit / 'VOC2012/SegmentationClassAug/z.png') as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.array(image.getpalette()).reshape(-1, 3), voc_colormap())


def test_lists_leave_the_validation_images_out(devkit):
    assert convert_voc_aug(devkit, devkit / 'VOCaug') == {'trainaug': 4, 'aug': 2}
    assert read(devkit, 'trainaug') == 'a\nb\nc\nz\n'
    assert read(devkit, 'aug') == 'c\nz\n'


def test_running_again_gives_the_same(devkit):
    folder = devkit / 'VOC2012/SegmentationClassAug'
    convert_voc_aug(devkit, devkit / 'VOCaug')
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / 'a.png').write_bytes(b'half a fi')
    convert_voc_aug(devkit, devkit / 'VOCaug', nproc=2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_out_dir(devkit):
    convert_voc_aug(devkit, devkit / 'VOCaug', devkit / 'deep/masks')
    assert set(masks(devkit / 'deep/masks')) == {'z.png', 'a.png', 'v.png', 'c.png'}
    assert not (devkit / 'VOC2012/SegmentationClassAug').exists()


@pytest.mark.parametrize('place', ['VOCaug/dataset', 'VOCaug', 'VOCaug/benchmark_RELEASE'])
def test_place_of_sbd(devkit, place):
    moved = devkit / 'elsewhere'
    if place.endswith('RELEASE'):
        (devkit / 'VOCaug/benchmark_RELEASE').mkdir()
        (devkit / 'VOCaug/dataset').rename(devkit / 'VOCaug/benchmark_RELEASE/dataset')
        place = 'VOCaug'
    (devkit / place).rename(moved)
    assert convert_voc_aug(devkit, moved)['aug'] == 2


def test_warning_names_the_counts(devkit, caplog):
    with caplog.at_level('WARNING'):
        convert_voc_aug(devkit, devkit / 'VOCaug')
    assert 'trainaug 4, aug 2 names; the complete archives give trainaug 10,582, aug 9,118' \
        in caplog.text


def test_no_warning_for_the_complete_archives(devkit, caplog, monkeypatch):
    monkeypatch.setattr(voc_aug, 'FULL_COUNTS', {'trainaug': 4, 'aug': 2})
    with caplog.at_level('WARNING'):
        convert_voc_aug(devkit, devkit / 'VOCaug')
    assert not caplog.text


@pytest.mark.parametrize('missing', ['VOC2012/ImageSets/Segmentation/train.txt',
                                     'VOC2012/ImageSets/Segmentation/val.txt',
                                     'VOCaug/dataset/train.txt', 'VOCaug/dataset/val.txt'])
def test_missing_list(devkit, missing):
    (devkit / missing).unlink()
    with pytest.raises(DataError, match=rf'list .*{missing} does not exist\nexpected:\n  DEVKIT'):
        convert_voc_aug(devkit, devkit / 'VOCaug')
    assert not (devkit / 'VOC2012/SegmentationClassAug').exists()


def test_missing_sbd(devkit):
    with pytest.raises(DataError, match=r"(?s)no SBD .* below '.*nowhere'.*AUG/dataset/cls"):
        convert_voc_aug(devkit, devkit / 'nowhere')


def test_missing_annotation(devkit):
    (devkit / 'VOCaug/dataset/cls/c.mat').unlink()
    with pytest.raises(DataError, match='lacks the .mat files of 1 listed names: c; unpack'):
        convert_voc_aug(devkit, devkit / 'VOCaug')


@pytest.mark.parametrize('nproc', [1, 2])
@pytest.mark.parametrize('content', [b'', b'not a MATLAB file at all, but some text' * 9])
def test_damaged_annotation_is_named(devkit, content, nproc):
    (devkit / 'VOCaug/dataset/cls/c.mat').write_bytes(content)
    with pytest.raises(DataError, match=r'c\.mat cannot be read as an SBD annotation'):
        convert_voc_aug(devkit, devkit / 'VOCaug', nproc=nproc)
    assert not (devkit / 'VOC2012/ImageSets/Segmentation/aug.txt').exists()


def test_other_matlab_file_is_named(devkit):
    savemat(devkit / 'VOCaug/dataset/cls/c.mat', {'GTinst': 3})
    with pytest.raises(DataError, match=r'c\.mat cannot be read as an SBD annotation'):
        convert_voc_aug(devkit, devkit / 'VOCaug')


@pytest.mark.parametrize('labels', [
    np.full((2, 2), 300), np.full((2, 2), -1), np.full((2, 2), 0.5), np.ones((2, 2, 3), np.uint8),
    np.zeros((0, 0), np.uint8)])
def test_what_is_no_label_map_is_named(devkit, labels):
    savemat(devkit / 'VOCaug/dataset/cls/z.mat', {'GTcls': {'Segmentation': labels}})
    with pytest.raises(DataError, match=r'z\.mat: GTcls\.Segmentation is .* of the shape'):
        convert_voc_aug(devkit, devkit / 'VOCaug')


@pytest.mark.skipif(multiprocessing.get_start_method() != 'fork', reason='needs inherited patch')
def test_a_file_over_which_the_reader_crashes(devkit, monkeypatch):
    monkeypatch.setattr(voc_aug, 'read_mat', lambda path: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(UserError, match='process of convert_mat died.* or over a damaged file'):
        convert_voc_aug(devkit, devkit / 'VOCaug', nproc=1)


@pytest.mark.parametrize('name', ['scipy', 'scipy.io'])
def test_scipy_is_missing(devkit, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"scipy.*pip install 'mmseg-ascend\[sbd\]'"):
        convert_voc_aug(devkit, devkit / 'VOCaug')
    assert not (devkit / 'VOC2012/SegmentationClassAug').exists()
