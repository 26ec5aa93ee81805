import os
from types import SimpleNamespace

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError, EmptyDatasetError
from mmseg.datasets import CustomDataset
from mmseg.datasets.listing.file_list import (
    check_folders,
    check_list,
    check_samples,
    list_samples,
)

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'img' / 'city').mkdir(parents=True)
    for name in ('b_img.png', 'a_img.png', 'city/c_img.png', 'note.txt', 'a_img.png.bak'):
        (tmp_path / 'img' / name).touch()
    return tmp_path


def stub(owner, **attributes):
    """A data set of the class `owner` with what the checks look at."""
    return type(owner, (SimpleNamespace,), {})(**dict(ann_dir=None, split=None) | attributes)


def check(folder, infos, split=None, ann_dir=None, **options):
    check_samples(stub('Dataset', img_infos=infos, img_dir=str(folder / 'img'),
                       img_suffix='_img.png', ann_dir=ann_dir, split=split), **options)


def test_without_a_split_all_images_are_listed_in_order(folder):
    infos = list_samples(str(folder / 'img'), '_img.png', 'ann', '_gt.png', None)

    assert infos == [
        dict(filename='a_img.png', ann=dict(seg_map='a_gt.png')),
        dict(filename='b_img.png', ann=dict(seg_map='b_gt.png')),
        dict(filename='city/c_img.png', ann=dict(seg_map='city/c_gt.png'))]


def test_the_suffix_is_replaced_only_at_the_end(tmp_path):
    (tmp_path / 'x.png.png').touch()

    assert list_samples(str(tmp_path), '.png', 'ann', '.tif', None) == [
        dict(filename='x.png.png', ann=dict(seg_map='x.png.tif'))]


def test_a_split_lists_names_without_suffix_in_its_order(tmp_path):
    (tmp_path / 'split.txt').write_text('b\n\n  a \nsub folder/ü\n', encoding='utf-8')

    infos = list_samples('unused', '.jpg', None, '.png', str(tmp_path / 'split.txt'))

    assert infos == [dict(filename='b.jpg'), dict(filename='a.jpg'),
                     dict(filename='sub folder/ü.jpg')]


def test_missing_folders_and_splits_are_named(folder):
    good = str(folder / 'img')

    check_folders(stub('VOC', img_dir=good, ann_dir=good))
    check_folders(stub('VOC', img_dir='s3://bucket/img'))
    with pytest.raises(DataError, match='VOC: img_dir /nowhere is not a folder; correct img_dir'):
        check_folders(stub('VOC', img_dir='/nowhere', ann_dir=good))
    with pytest.raises(DataError, match='VOC: ann_dir /nowhere is not a folder'):
        check_folders(stub('VOC', img_dir=good, ann_dir='/nowhere'))
    with pytest.raises(DataError, match=r'VOC: the split file /no\.txt does not exist'):
        check_folders(stub('VOC', img_dir=good, ann_dir=good, split='/no.txt'))


@pytest.mark.parametrize('folders', [dict(img_dir='/nowhere'), dict(
    img_dir='/nowhere', split='/no.txt'), dict(img_dir='.', ann_dir='/nowhere')])
def test_what_is_missing_is_a_missing_file(folders):
    with pytest.raises(FileNotFoundError):
        check_folders(stub('VOC', **folders))


def test_a_list_needs_the_split_or_the_folder_of_images(folder):
    good = str(folder / 'img')

    check_list(stub('VOC', img_dir=good, ann_dir='/nowhere'))
    check_list(stub('VOC', img_dir='/nowhere', split=str(folder / 'img/note.txt')))
    check_list(stub('VOC', img_dir='/nowhere', split='s3://bucket/train.txt'))
    with pytest.raises(DataError, match='VOC: img_dir /nowhere is not a folder; correct img_dir'):
        check_list(stub('VOC', img_dir='/nowhere'))
    with pytest.raises(DataError, match=r'VOC: the split file /no\.txt does not exist'):
        check_list(stub('VOC', img_dir=good, split='/no.txt'))


def test_a_folder_that_cannot_be_listed(folder):
    with pytest.raises(FileNotFoundError, match='cannot read the folder /nowhere: No such file'):
        list_samples('/nowhere', '.png', None, '.png', None)


def test_no_image_is_an_error_that_says_what_was_expected_and_what_is_there(folder):
    with pytest.raises(DataError) as caught:
        check(folder, [])

    message = str(caught.value)
    root = os.path.join(str(folder), 'img')
    assert f"0 images (img_dir {root}, img_suffix '_img.png', split None)" in message
    for number in (1, 2, 3):
        assert f'{root}/NAME_{number}_img.png' in message
    assert 'the folder holds a_img.png, a_img.png.bak, b_img.png' in message


def test_an_empty_folder_and_an_empty_split_are_told_apart(tmp_path):
    (tmp_path / 'img').mkdir()

    with pytest.raises(DataError, match='the folder holds nothing'):
        check(tmp_path, [])
    with pytest.raises(DataError, match=r'split s\.txt\); the split file has no line'):
        check(tmp_path, [], split='s.txt')


@pytest.mark.parametrize('position', [0, 1, 2])
def test_missing_images_are_named_with_the_first_three_expected(folder, position):
    names = ['a_img.png', 'b_img.png', 'city/c_img.png']
    names[position] = 'absent_img.png'
    infos = [dict(filename=name) for name in names]

    with pytest.raises(DataError) as caught:
        check(folder, infos, split='train.txt')

    message = str(caught.value)
    assert 'images are missing' in message
    assert f'{folder}/img/absent_img.png does not exist' in message
    assert all(f'{folder}/img/{name}' in message for name in names)
    assert 'split train.txt' in message
    assert 'names without suffix' in message


def test_missing_masks_are_named(folder):
    infos = [dict(filename='a_img.png', ann=dict(seg_map='a_gt.png'))]

    with pytest.raises(DataError, match=r'masks are missing: .*/a_gt\.png does not exist \(ann_d'):
        check(folder, infos, ann_dir=str(folder / 'img'))


def test_only_the_first_files_of_the_disk_are_looked_for(folder):
    good = [dict(filename='a_img.png')] * 3

    check(folder, good + [dict(filename='absent.png')])
    check(folder, [dict(key='of a dataset with another way to load')])
    check_samples(stub('D', img_infos=[dict(filename='x.jpg')], img_dir='http://host/img',
                       img_suffix='.jpg', split='split.txt'))


def test_missing_files_may_be_allowed(folder):
    infos = [dict(filename='absent_img.png')]

    check(folder, infos, look=False)
    with pytest.raises(DataError, match='0 images'):
        check(folder, [], look=False)
    with pytest.raises(DataError, match='images are missing'):
        check(folder, infos)


@pytest.fixture
def store(data_root):
    """The images, masks and a list of two of them in an object store."""
    system = pytest.importorskip('fsspec').filesystem('memory')
    system.put(str(data_root), '/store', recursive=True)
    system.pipe('/store/two.txt', b'3\n1\n')
    system.pipe('/store/empty/a.txt', b'')
    yield 'memory://store'
    system.rm('/store', recursive=True)


@pytest.mark.parametrize(('split', 'names'), [
    (None, list('012345')), ('memory://store/two.txt', ['3', '1'])])
def test_all_files_in_an_object_store(store, data_root, split, names):
    pipeline = [dict(step, file_client_args=dict(backend='fsspec')) for step in LOAD]
    there = CustomDataset(pipeline, f'{store}/img', ann_dir=f'{store}/ann', split=split,
                          classes=list('abcd'))
    here = CustomDataset(LOAD, str(data_root / 'img'), ann_dir=str(data_root / 'ann'),
                         classes=list('abcd'))
    assert [info['filename'] for info in there.img_infos] == [f'{name}.jpg' for name in names]
    for index, name in enumerate(names):
        np.testing.assert_array_equal(there.get_gt_seg_map(index),
                                      here.get_gt_seg_map(int(name)))
        np.testing.assert_array_equal(there[index]['img'], here[int(name)]['img'])


def test_an_empty_folder_of_an_object_store(store):
    dataset = CustomDataset(LOAD, f'{store}/empty', classes=list('abcd'))
    with pytest.raises(EmptyDatasetError, match=r'the folder holds a\.txt'):
        check_samples(dataset)
