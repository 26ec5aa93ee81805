"""Split lists, class lists and folders with any content, and the files that are named by them."""
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from mmcv_replace.fileio import dict_from_file, list_from_file, load_array
from mmcv_replace.utils.errors import DataError, UserError
from mmseg.datasets import CustomDataset
from mmseg.datasets.converters.voc_aug import convert_voc_aug
from mmseg.datasets.listing.file_list import list_samples
from mmseg.datasets.masks.classes import read_classes

MANY, FEW = settings.get_profile('many'), settings.get_profile('few')
NAMES = ['plain', 'with space', "quo'te", 'dou"ble', '-dash', '--help', 'ünï', '日本', '$(true)',
         'a;b', 'sub/x', '%s', '{}', 'a\tb', '\u2028', '*', 'x' * 200]
LINES = st.one_of(st.sampled_from(NAMES), st.sampled_from((
    '../plain', '/etc/passwd', 'sub/../plain', '.', '..', '', ' ', 'a\x00b', 'x' * 5000,
    '\ufeffplain', 'plain.jpg', 'plain plain.png', './plain', 'sub//x', '~', 'none')),
    st.text(max_size=6))
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


@pytest.fixture(scope='session')
def data(folder):
    """Images and masks of all NAMES."""
    root = folder / 'da ta'
    for name in NAMES:
        for place, suffix in (('img', '.jpg'), ('ann', '.png')):
            file = root / place / f'{name}{suffix}'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new('L', (4, 3), 1).save(file)
    return root


@st.composite
def list_files(draw):
    """The bytes of a list, as editors on several systems leave them."""
    lines = draw(st.lists(LINES, max_size=8))
    text = draw(st.sampled_from(('\n', '\r\n', '\n\n', ' \n'))).join(lines)
    codec = draw(st.sampled_from(('utf-8', 'utf-8', 'utf-8', 'utf-8-sig', 'latin-1', 'utf-16')))
    return text.encode(codec, 'replace')


@MANY
@given(content=list_files())
def test_split_lists(attempt, data, content):
    """A dataset is made of them or refused; each sample is read or refused by name."""
    (data / 'split.txt').write_bytes(content)
    dataset = CustomDataset(PIPELINE, 'img', ann_dir='ann', split='split.txt',
                            data_root=str(data), classes=['a', 'b'])
    refused = attempt(dataset.check_files)
    if isinstance(refused, UserError):
        assert isinstance(refused, DataError)
        return
    for index, info in enumerate(dataset.img_infos):
        dataset.test_mode = True
        sample = attempt(dataset.prepare_train_img, index)
        if isinstance(sample, UserError):
            assert info['filename'] in str(sample)
        else:
            assert sample['gt_semantic_seg'].shape == (3, 4)


@MANY
@given(content=list_files(), label=st.integers(0, 300))
def test_predictions_stay_in_their_folder(attempt, data, folder, content, label):
    """Whatever the names in the list are: no file appears or changes outside of the folder."""
    (data / 'split.txt').write_bytes(content)
    out = folder / 'pre dictions'
    dataset = CustomDataset(PIPELINE, 'img', data_root=str(data))
    infos = attempt(list_samples, '', '.jpg', None, '', str(data / 'split.txt'))
    if isinstance(infos, DataError):
        return
    dataset.img_infos = infos
    before = outside(folder, out)
    for index in range(len(dataset)):
        files = attempt(dataset.format_results, [np.full((2, 2), label)], str(out), [index])
        if not isinstance(files, DataError):
            assert [os.path.realpath(file).startswith(f'{out}{os.sep}') for file in files] == [True]
    assert outside(folder, out) == before


def outside(folder, out):
    return {path: path.stat().st_mtime_ns for path in folder.rglob('*')
            if path.is_file() and not path.is_relative_to(out)}


def test_names_of_all_kinds_are_read_and_written(data, folder):
    names = [name for name in NAMES[:-1] if '\t' not in name]  # a tab is before a mask
    (data / 'split.txt').write_text('\n'.join(names), encoding='utf-8')
    dataset = CustomDataset(PIPELINE, 'img', ann_dir='ann', split='split.txt', data_root=str(data))
    assert [info['filename'].removesuffix('.jpg') for info in dataset.img_infos] == [
        name for name in names if name.strip()]
    for index in range(len(dataset)):
        assert dataset.prepare_train_img(index)['img'].shape == (3, 4, 3)
        [file] = dataset.format_results([np.ones((2, 2), int)], str(folder / 'named'), [index])
        assert Image.open(file).size == (2, 2)


def test_a_folder_that_contains_itself(data):
    link = data / 'img' / 'sub' / 'round'
    link.symlink_to(data / 'img')
    other = data / 'img' / 'again'
    other.symlink_to(data / 'img' / 'sub')
    try:
        dataset = CustomDataset(PIPELINE, 'img', data_root=str(data))
        names = [info['filename'] for info in dataset.img_infos]
    finally:
        link.unlink()
        other.unlink()
    assert sorted(names) == sorted([f'{name}.jpg' for name in NAMES] + ['again/x.jpg'])


@MANY
@given(content=list_files())
def test_lists_of_any_content(attempt, folder, content):
    (folder / 'list.txt').write_bytes(content)
    lines = attempt(list_from_file, folder / 'list.txt')
    assert isinstance(lines, DataError) or all('\n' not in line for line in lines)
    attempt(dict_from_file, folder / 'list.txt', int)
    classes = attempt(read_classes, str(folder / 'list.txt'))
    assert isinstance(classes, UserError) or all(name.strip() == name != '' for name in classes)


@FEW
@given(train=list_files(), sbd=list_files(), name=st.sampled_from(NAMES[:-1]))
def test_converting_with_any_lists(attempt, tmp_path_factory, train, sbd, name):
    """The masks are named after the .mat files, never after a line of a list."""
    root = tmp_path_factory.mktemp('voc')
    lists, cls = root / 'VOC2012/ImageSets/Segmentation', root / 'sbd/cls'
    lists.mkdir(parents=True)
    file = cls / f'{name}.mat'
    file.parent.mkdir(parents=True)
    savemat(str(file), {'GTcls': {'Segmentation': np.ones((2, 2), np.uint8)}})
    for path, content in ((lists / 'train.txt', train), (lists / 'val.txt', b''),
                          (root / 'sbd/train.txt', sbd), (root / 'sbd/val.txt', b'')):
        path.write_bytes(content)
    known = {path for path in root.rglob('*') if path.is_file()}
    attempt(convert_voc_aug, root, root / 'sbd')
    made = {path.relative_to(root).as_posix() for path in root.rglob('*') if path.is_file()} - {
        path.relative_to(root).as_posix() for path in known}
    assert made <= {f'VOC2012/SegmentationClassAug/{name}.png',
                    'VOC2012/ImageSets/Segmentation/aug.txt',
                    'VOC2012/ImageSets/Segmentation/trainaug.txt'}


@FEW
@given(labels=st.sampled_from((
    np.ones((2, 2)), np.full((2, 2), 300), np.full((2, 2), -1), np.ones((2, 2, 2), np.uint8),
    np.array(['x']), np.array([[object()]]), np.zeros((0, 0), np.uint8), {'a': 1}, 'text',
    np.ones((2, 2), np.uint8))), key=st.sampled_from(('Segmentation', 'Other')),
    cut=st.one_of(st.none(), st.integers(0, 300)), flip=st.one_of(st.none(), st.integers(0, 300)))
def test_matlab_files(attempt, tmp_path_factory, labels, key, cut, flip):
    """The reader crashes over some of them: that must not end the command."""
    root = tmp_path_factory.mktemp('mat')
    lists, file = root / 'VOC2012/ImageSets/Segmentation', root / 'sbd/cls/a.mat'
    lists.mkdir(parents=True)
    file.parent.mkdir(parents=True)
    for path in (lists, root / 'sbd'):
        for name in ('train.txt', 'val.txt'):
            (path / name).write_text('a\n')
    try:
        savemat(file, {'GTcls': {key: labels}})
    except (TypeError, ValueError):
        return  # no such files
    content = bytearray(file.read_bytes())[:cut]
    if flip is not None and flip < len(content):
        content[flip] ^= 0xff
    file.write_bytes(content)
    counts = attempt(convert_voc_aug, root, root / 'sbd')
    assert isinstance(counts, UserError) or Image.open(
        root / 'VOC2012/SegmentationClassAug/a.png').mode == 'P'


@FEW
@given(array=st.sampled_from((np.ones(3), np.array([object()]), np.array('x'), np.ones((2, 2)))),
       cut=st.one_of(st.none(), st.integers(0, 200)), noise=st.binary(max_size=4),
       place=st.integers(0, 150))
def test_arrays(attempt, folder, array, cut, noise, place):
    with (folder / 'a.npy').open('wb') as file:
        np.save(file, array, allow_pickle=True)
    content = bytearray((folder / 'a.npy').read_bytes())[:cut]
    content[place:place + len(noise)] = noise
    (folder / 'a.npy').write_bytes(content)
    assert isinstance(attempt(load_array, folder / 'a.npy'), np.ndarray | DataError)
