import logging

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets import ConcatDataset, CustomDataset, RepeatDataset, build_dataset
from mmseg.datasets.custom import MAX_DROPPED
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


class Named(CustomDataset):
    CLASSES = ('a', 'b', 'c', 'd')
    PALETTE = [[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]]


class TwoValues(CustomDataset):
    CLASSES = ('background', 'object')
    label_map = {0: 0, 1: 0, 2: 0, 3: 1}


@pytest.fixture
def make(data_root):
    def build(cls=Named, **kwargs):
        kwargs = dict(pipeline=LOAD, img_dir='img', ann_dir='ann', data_root=str(data_root)
                      ) | kwargs
        return cls(**kwargs)
    return build


def stored_mask(data_root, number):
    return np.array(Image.open(data_root / 'ann' / f'{number}.png'))


def test_paths_are_under_the_data_root_unless_absolute_or_remote(make, data_root):
    relative = make(split='train.txt')
    absolute = make(img_dir=str(data_root / 'img'), ann_dir=None)
    remote = make(img_dir='s3://bucket/img', ann_dir=None, split='train.txt')

    assert relative.img_dir == str(data_root / 'img')
    assert relative.ann_dir == str(data_root / 'ann')
    assert relative.split == str(data_root / 'train.txt')
    assert absolute.img_dir == str(data_root / 'img')
    assert remote.img_dir == 's3://bucket/img'
    assert len(make(data_root=None, img_dir=str(data_root / 'img'), ann_dir=None)) == 6


def test_a_split_chooses_the_samples(make):
    assert [info['filename'] for info in make().img_infos] == [f'{n}.jpg' for n in range(6)]
    assert [info['filename'] for info in make(split='train.txt').img_infos] == [
        '4.jpg', '0.jpg', '2.jpg']
    assert len(make(split='train.txt')) == 3


def test_the_number_of_images_is_logged(make, caplog):
    with caplog.at_level(logging.INFO, logger='mmseg'):
        len(make(split='train.txt'))

    assert 'Named: 3 images (img_dir ' in caplog.text
    assert 'train.txt' in caplog.text


def test_a_training_sample_has_image_mask_and_what_the_steps_need(make, data_root):
    sample = make(ignore_index=254, pipeline=[*LOAD, lambda results: {
        **results, 'gt_semantic_seg': results['gt_semantic_seg']}][:1])[2]

    assert sample['img'].shape == (34, 38, 3)
    assert sample['filename'] == str(data_root / 'img' / '2.jpg')
    assert sample['img_prefix'] == str(data_root / 'img')
    assert sample['seg_prefix'] == str(data_root / 'ann')
    assert sample['seg_fields'] == []
    assert sample['num_classes'] == 4
    assert sample['ignore_index'] == 254
    assert sample['ann_info'] == dict(seg_map='2.png')
    assert 'label_map' not in sample


def test_a_test_sample_has_no_mask(make):
    sample = make(test_mode=True, pipeline=LOAD[:1])[2]

    assert 'ann_info' not in sample
    assert sample['img'].shape == (34, 38, 3)


def test_methods_that_user_code_overrides_are_called(make):
    class Mine(Named):
        def load_annotations(self, img_dir, img_suffix, ann_dir, seg_map_suffix, split):
            return super().load_annotations(
                img_dir, img_suffix, ann_dir, seg_map_suffix, split)[3:]

        def get_ann_info(self, idx):
            return dict(super().get_ann_info(idx), extra=idx)

        def pre_pipeline(self, results):
            super().pre_pipeline(results)
            results['mine'] = True

        def prepare_train_img(self, idx):
            return dict(super().prepare_train_img(idx), prepared=True)

    sample = make(Mine)[1]

    assert sample['ori_filename'] == '4.jpg'
    assert sample['ann_info']['extra'] == 1
    assert sample['mine']
    assert sample['prepared']


def test_the_ground_truth_is_the_mask(make, data_root):
    dataset = make()

    np.testing.assert_array_equal(dataset.get_gt_seg_map(3), stored_mask(data_root, 3))
    assert [label.shape for label in dataset.get_gt_seg_maps()] == [
        dataset.get_gt_seg_map(index).shape for index in range(6)]


@pytest.mark.parametrize('reduce_zero_label', [False, True])
def test_training_and_evaluation_see_the_same_labels(make, reduce_zero_label):
    pipeline = [LOAD[0], dict(type='LoadAnnotations', reduce_zero_label=reduce_zero_label)]
    for classes in (None, ['c', 'a']):
        dataset = make(pipeline=pipeline, reduce_zero_label=reduce_zero_label, classes=classes)
        for index in range(6):
            np.testing.assert_array_equal(dataset[index]['gt_semantic_seg'],
                                          dataset.get_gt_seg_map(index))


@pytest.mark.parametrize('test_mode', [False, True])
def test_a_choice_of_classes_renumbers_the_masks(make, data_root, test_mode):
    dataset = make(classes=['c', 'a'], test_mode=test_mode)
    stored = stored_mask(data_root, 0)
    expected = np.full_like(stored, 255)
    expected[stored == 2] = 0
    expected[stored == 0] = 1

    assert dataset.CLASSES == ['c', 'a']
    assert dataset.PALETTE == [[3, 3, 3], [1, 1, 1]]
    assert dataset.label_map == {0: 1, 1: 255, 2: 0, 3: 255}
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), expected)
    assert Named.label_map is None
    assert Named.CLASSES == ('a', 'b', 'c', 'd')


def test_ignored_classes_become_the_ignore_index_of_the_dataset(make):
    dataset = make(classes=['c'], ignore_index=9)

    assert set(np.unique(dataset.get_gt_seg_map(0))) == {0, 9, 255}


def test_a_class_may_say_what_the_values_of_its_masks_mean(make, data_root):
    for number in range(6):
        mask = stored_mask(data_root, number)
        mask[mask == 255] = 0
        Image.fromarray(mask).save(data_root / 'ann' / f'{number}.png')

    both = make(TwoValues)
    only = make(TwoValues, classes=['object'])

    np.testing.assert_array_equal(both[0]['gt_semantic_seg'], stored_mask(data_root, 0) == 3)
    np.testing.assert_array_equal(only[0]['gt_semantic_seg'],
                                  np.where(stored_mask(data_root, 0) == 3, 0, 255))


def test_a_class_that_stands_alone_is_not_read_as_a_file(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"write classes=\['water'\]"):
        make(CustomDataset, classes='water')
    (tmp_path / 'c').write_text('a\n')
    with pytest.raises(ConfigError, match=r"'c' is a class of the dataset"):
        make(classes='c')
    assert make(classes='./c').CLASSES == ['a']


def test_names_of_a_file_that_the_dataset_lacks(make, tmp_path):
    (tmp_path / 'list.txt').write_text('a\n2007_000032\n')
    with pytest.raises(ConfigError, match="'2007_000032'.*not among") as raised:
        make(classes=str(tmp_path / 'list.txt'))
    told = '\n'.join([str(raised.value), *getattr(raised.value, '__notes__', [])])
    assert f'the names were read from the file {tmp_path}/list.txt' in told


def test_one_class_without_its_comma(make):
    class Water(CustomDataset):
        CLASSES = ('water')

    with pytest.raises(ConfigError, match=r"Water\.CLASSES='water' is not a tuple of names"):
        make(Water)


def test_classes_without_a_list_to_choose_from_are_just_names(make, data_root):
    (data_root / 'names.txt').write_text('w\nx\ny\nz\n')

    for classes, kind in ((('w', 'x', 'y', 'z'), tuple), (['w', 'x', 'y', 'z'], list),
                          (str(data_root / 'names.txt'), list)):
        dataset = make(CustomDataset, classes=classes)
        assert kind('wxyz') == dataset.CLASSES
        assert dataset.custom_classes
        assert dataset.label_map is None
        assert dataset.PALETTE[:2] == [[0, 0, 0], [128, 0, 0]]


def test_the_palette_is_that_of_the_config_of_the_class_or_of_voc(make):
    class Colourless(CustomDataset):
        CLASSES = ('a', 'b')

    own = [[9, 9, 9], [8, 8, 8]]
    colours = make(Colourless, palette=own).PALETTE, make(classes=['d', 'b'], palette=own).PALETTE
    assert make().PALETTE == Named.PALETTE
    assert make(Colourless).PALETTE == [[0, 0, 0], [128, 0, 0]]
    assert colours == (own, own)
    assert make(CustomDataset).CLASSES is None
    assert make(CustomDataset).PALETTE is None
    assert not make(CustomDataset).custom_classes


def test_a_label_that_is_no_class_is_an_error_that_names_the_mask(make):
    with pytest.raises(DataError, match=r'ann/1\.png: the mask holds 3, but the 3 classes'):
        make(CustomDataset, classes=['a', 'b', 'c'])[1]
    make(CustomDataset)[1]  # without classes there is nothing to compare with


def test_a_file_that_disappears_later_is_an_error_that_names_it(make, data_root):
    dataset = make()
    assert len(dataset) == 6
    (data_root / 'img' / '5.jpg').unlink()
    (data_root / 'ann' / '4.png').unlink()

    with pytest.raises(DataError, match=r'img/5\.jpg.*the image of a sample.*check the folders'):
        dataset[5]
    with pytest.raises(DataError, match=r'ann/4\.png.*the mask of a sample'):
        dataset[4]
    with pytest.raises(DataError, match=r'ann/4\.png'):
        dataset.get_gt_seg_map(4)


def test_without_masks_there_is_nothing_to_train_with_or_to_compare_with(make):
    dataset = make(ann_dir=None)

    with pytest.raises(ConfigError, match='LoadAnnotations: the dataset has no masks'):
        dataset[0]
    with pytest.raises(DataError, match='Named has no masks to compare with; give it ann_dir'):
        dataset.get_gt_seg_map(0)


def test_a_dropped_training_sample_is_replaced_the_same_way_each_time(make):
    def drop(results):
        return None if results['ori_filename'] in ('0.jpg', '3.jpg') else results

    dataset = DeterministicDataset(make(pipeline=[*LOAD, drop]), seed=1)
    names = [dataset[index]['ori_filename'] for index in range(6)]

    assert [names[index] for index in (1, 2, 4, 5)] == ['1.jpg', '2.jpg', '4.jpg', '5.jpg']
    assert not {'0.jpg', '3.jpg'} & set(names)
    assert names == [dataset[index]['ori_filename'] for index in range(6)]


def test_a_step_that_drops_everything_is_found(make):
    calls = []

    def forgot_return(results):
        calls.append(results['ori_filename'])

    with pytest.raises(DataError, match=r'dropped 100 images in a row, last \d\.jpg; does a step '
                                        'of it lack `return results`'):
        make(pipeline=[*LOAD, forgot_return])[0]
    assert len(calls) == MAX_DROPPED


def test_a_test_sample_must_not_be_dropped(make):
    with pytest.raises(DataError, match=r'3\.jpg: the pipeline has dropped the image'):
        make(pipeline=[LOAD[0], lambda results: None], test_mode=True)[3]


def test_a_real_dataset_trains_and_compares_alike(voc_root):
    dataset = build_dataset(dict(
        type='PascalVOCDataset', data_root=str(voc_root), img_dir='JPEGImages',
        ann_dir='SegmentationClass', split='ImageSets/Segmentation/val.txt', pipeline=LOAD))

    assert len(dataset) == 100
    for index in (0, 50, 99):
        sample = dataset[index]
        assert sample['img'].shape[:2] == sample['gt_semantic_seg'].shape
        assert set(np.unique(sample['gt_semantic_seg'])) <= {*range(21), 255}
        np.testing.assert_array_equal(sample['gt_semantic_seg'], dataset.get_gt_seg_map(index))


PADDED = [*LOAD, dict(type='Pad', size=(60, 60))]


def test_what_steps_add_is_ignored_as_the_dataset_says(make, data_root):
    for number in range(6):
        mask = stored_mask(data_root, number)
        Image.fromarray(np.where(mask == 255, 0, mask).astype(np.uint8)).save(
            data_root / 'ann' / f'{number}.png')
    parts = [make(pipeline=PADDED, ignore_index=0), make(pipeline=PADDED, ignore_index=0)]
    for dataset in (parts[0], RepeatDataset(parts[0], 2), ConcatDataset(parts),
                    RepeatDataset(ConcatDataset(parts), 2)):
        assert dataset.ignore_index == 0
        assert (dataset[1]['gt_semantic_seg'][40:] == 0).all()


def test_a_fill_that_would_reach_the_loss_is_refused_before_the_run(make):
    told = [*LOAD, dict(type='RandomRotate', prob=0.5, degree=5, seg_pad_val=200)]

    with pytest.raises(ConfigError, match=r'RandomRotate: seg_pad_val=200 is none of the 4 classes'
                                          r'.* dataset ignores another value, ignore_index=255'):
        make(pipeline=told)
    make(pipeline=told, ignore_index=200)
    make(pipeline=told, test_mode=True)
    make(pipeline=told, cls=CustomDataset)  # of which nobody knows the classes
    make(pipeline=[*LOAD, dict(type='Pad', size=(60, 60), seg_pad_val=3)])  # which is a class


def test_images_and_masks_in_the_same_archives(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [dict(bands=rng.random((8, 9, 5)), classes=rng.integers(0, 3, (8, 9)), more=rng.random(
        (8, 9))) for _ in range(2)]
    for number, each in enumerate(arrays):
        np.savez(tmp_path / f'{number}.npz', **each)
    steps = [dict(type='LoadImageFromFile', color_type='bands', channels=5, npz_key='bands'),
             dict(type='LoadAnnotations')]
    data = build_dataset(dict(
        type='CustomDataset', data_root=str(tmp_path), img_dir='', ann_dir='', img_suffix='.npz',
        seg_map_suffix='.npz', seg_map_key='classes', classes=['a', 'b', 'c'], pipeline=steps))

    for number, each in enumerate(arrays):
        np.testing.assert_array_equal(data[number]['img'], each['bands'].astype(np.float32))
        np.testing.assert_array_equal(data[number]['gt_semantic_seg'], each['classes'])
        np.testing.assert_array_equal(data.get_gt_seg_map(number), each['classes'])
        np.testing.assert_array_equal(data.get_original_image(number), data[number]['img'])
