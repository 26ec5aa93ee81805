"""The data of the shipped configs, on small folders with the names that the real ones have."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config, set_data_root
from mmseg.apis.preflight import check_job
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import (
    DATASETS,
    PascalContextDataset,
    PascalContextDataset59,
    build_dataset,
)

from .shipped_configs import ROOT

CITYSCAPES = [
    (f'leftImg8bit/{split}/{city}/{city}_000000_000019_leftImg8bit.png',
     f'gtFine/{split}/{city}/{city}_000000_000019_gtFine_labelTrainIds.png')
    for split, city in (('train', 'aachen'), ('val', 'munster'))]
# An image and its mask of the training data, and of the validation data; a third one where the data
# to test on are others. Lists name images only.
LAYOUTS = {
    'ade20k': [
        ('images/training/ADE_train_00000001.jpg', 'annotations/training/ADE_train_00000001.png'),
        ('images/validation/ADE_val_00000001.jpg', 'annotations/validation/ADE_val_00000001.png')],
    'coco-stuff10k': [
        (f'images/{split}2014/COCO_train2014_{number}.jpg',
         f'annotations/{split}2014/COCO_train2014_{number}_labelTrainIds.png')
        for split, number in (('train', '000000000077'), ('test', '000000000064'))],
    'coco-stuff164k': [
        (f'images/{split}2017/{number}.jpg', f'annotations/{split}2017/{number}_labelTrainIds.png')
        for split, number in (('train', '000000000009'), ('val', '000000000139'))],
    'chase_db1': [
        ('images/training/Image_01L.png', 'annotations/training/Image_01L_1stHO.png'),
        ('images/validation/Image_11R.png', 'annotations/validation/Image_11R_1stHO.png')],
    'cityscapes': CITYSCAPES,
    'dark_zurich': [*CITYSCAPES, (
        'rgb_anon/val/night/GOPR0356/GOPR0356_frame_000324_rgb_anon.png',
        'gt/val/night/GOPR0356/GOPR0356_frame_000324_gt_labelTrainIds.png')],
    'drive': [
        ('images/training/21.png', 'annotations/training/21_manual1.png'),
        ('images/validation/01.png', 'annotations/validation/01_manual1.png')],
    'hrf': [
        ('images/training/01_dr.png', 'annotations/training/01_dr.png'),
        ('images/validation/06_dr.png', 'annotations/validation/06_dr.png')],
    'isaid': [
        (f'img_dir/{split}/{window}.png',
         f'ann_dir/{split}/{window}_instance_color_RGB.png')
        for split, window in (('train', 'P0000_0_896_0_896'), ('val', 'P0003_0_896_0_896'))],
    'loveda': [
        ('img_dir/train/0.png', 'ann_dir/train/0.png'),
        ('img_dir/val/2522.png', 'ann_dir/val/2522.png')],
    'night_driving': [*CITYSCAPES, (
        'leftImg8bit/test/night/0_frame_0205_leftImg8bit.png',
        'gtCoarse_daytime_trainvaltest/test/night/0_frame_0205_gtCoarse_labelTrainIds.png')],
    'pascal_context': [
        ('JPEGImages/2008_000002.jpg', 'SegmentationClassContext/2008_000002.png'),
        ('JPEGImages/2008_000003.jpg', 'SegmentationClassContext/2008_000003.png')],
    'pascal_voc12': [
        ('JPEGImages/2007_000032.jpg', 'SegmentationClass/2007_000032.png'),
        ('JPEGImages/2007_000033.jpg', 'SegmentationClass/2007_000033.png')],
    'potsdam': [
        tuple(f'{kind}_dir/{split}/{window}.png' for kind in ('img', 'ann'))
        for split, window in (('train', '2_10_0_0_512_512'), ('val', '2_13_0_0_512_512'))],
    'stare': [
        ('images/training/im0001.png', 'annotations/training/im0001.ah.png'),
        ('images/validation/im0081.png', 'annotations/validation/im0081.ah.png')],
    'vaihingen': [
        tuple(f'{kind}_dir/{split}/{window}.png' for kind in ('img', 'ann'))
        for split, window in (('train', 'area1_0_0_512_512'), ('val', 'area2_0_0_512_512'))],
}
LISTS = {'pascal_context': 'ImageSets/SegmentationContext',
         'pascal_voc12': 'ImageSets/Segmentation'}
CONFIGS = sorted(file.stem for file in (ROOT / 'configs/_base_/datasets').glob('*.py')
                 if '\n_base_' in file.read_text())


def layout_of(config):
    return next(name for name in LAYOUTS if config.startswith(name))


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(np.uint8)).save(path)


@pytest.fixture(params=CONFIGS)
def config(request, tmp_path):
    """The config of a data set, for a folder of two images whose masks hold all values."""
    cfg = Config.fromfile(ROOT / f'configs/_base_/datasets/{request.param}.py')
    write_images(tmp_path, layout_of(request.param), cfg)
    return cfg


def write_images(tmp_path, layout, cfg):
    """Write images and masks, and let a config use them."""
    cls = DATASETS.get(cfg.dataset_type)
    values = len(cls.CLASSES) + bool(
        cls.reduce_zero_label or cfg.data.train.get('reduce_zero_label'))
    for number, (image, mask) in enumerate(LAYOUTS[layout]):
        save(tmp_path / image, np.random.RandomState(number).randint(0, 256, (48, 64, 3)))
        save(tmp_path / mask, np.arange(48 * 64).reshape(48, 64) // 8 % values)
    if layout in LISTS:
        folder = tmp_path / LISTS[layout]
        folder.mkdir(parents=True)
        for split, (image, _) in zip(('train', 'val'), LAYOUTS[layout], strict=True):
            (folder / f'{split}.txt').write_text(Path(image).stem)
        (folder / 'aug.txt').write_text('')  # of VOC, as its folder of masks
        (tmp_path / 'SegmentationClassAug').mkdir()
    set_data_root(cfg, str(tmp_path))


def test_training_samples(config):
    dataset = build_dataset(config.data.train)
    leaf = next(leaf_datasets(dataset))
    image, _ = LAYOUTS[layout_of(Path(config.filename).stem)][0]
    assert image.endswith(leaf.img_infos[0]['filename'])
    assert len(dataset) == (40000 if len(leaf.CLASSES) == 2 else 1)

    sample = dataset[len(dataset) - 1]

    label = sample['gt_semantic_seg'].data[0].numpy()
    assert sample['img'].data.shape[1:] == label.shape == config.crop_size
    found = {*np.unique(label).tolist()} - {255}
    assert found
    assert found <= {*range(len(leaf.CLASSES))}


@pytest.mark.parametrize(('split', 'place'), [('val', 1), ('test', -1)])
def test_images_to_score(config, split, place):
    dataset = build_dataset(config.data[split], dict(test_mode=True))
    image, _ = LAYOUTS[layout_of(Path(config.filename).stem)][place]
    assert len(dataset) == 1
    assert image.endswith(dataset.img_infos[0]['filename'])

    label = dataset.get_gt_seg_map(0)

    ignored = [255] if dataset.reduce_zero_label else []
    assert np.unique(label).tolist() == [*range(len(dataset.CLASSES)), *ignored]


@pytest.mark.parametrize(('layout', 'name'), [
    ('ade20k', 'pspnet/pspnet_r50-d8_512x512_80k_ade20k'),
    ('chase_db1', 'unet/unet_s5-d16_128x128_40k_chase_db1'),
    ('cityscapes', 'pspnet/pspnet_r18-d8_769x769_80k_cityscapes'),
    ('cityscapes', 'cgnet/cgnet_680x680_60k_cityscapes'),
    ('pascal_context', 'pspnet/pspnet_r50-d8_480x480_40k_pascal_context'),
    ('pascal_voc12', 'fcn/fcn_r50-d8_512x512_20k_voc12aug')])
def test_a_job_may_start(tmp_path, layout, name):
    cfg = load_config(ROOT / f'configs/{name}.py')
    write_images(tmp_path, layout, cfg)
    images = '40,000' if layout == 'chase_db1' else 1
    assert check_job(cfg, 'cpu', None, 1).endswith(f'images: train {images}, val 1')


def test_the_auxiliary_head_that_lacks_classes_is_told(tmp_path):
    name = 'fcn/fcn_r50-d8_480x480_40k_pascal_context'
    cfg = load_config(ROOT / f'configs/{name}.py')
    write_images(tmp_path, 'pascal_context', cfg)
    with pytest.raises(ConfigError, match='auxiliary_head.*num_classes'):
        check_job(cfg, 'cpu', None, 1)
    cfg.model.auxiliary_head.num_classes = 60  # as the file says
    assert check_job(cfg, 'cpu', None, 1).endswith('images: train 1, val 1')


@pytest.mark.parametrize('cls', [PascalContextDataset, PascalContextDataset59])
def test_pascal_context_needs_a_list(cls):
    with pytest.raises(ConfigError, match=f'{cls.__name__} needs split, a list such as'):
        cls(img_dir='img', pipeline=[])
    assert cls('train.txt', img_dir='img', pipeline=[]).split == 'train.txt'


def test_pascal_context_with_and_without_background(tmp_path):
    save(tmp_path / 'a.png', np.arange(60).reshape(6, 10))
    (tmp_path / 'list.txt').write_text('a')
    labels = [cls('list.txt', data_root=str(tmp_path), img_dir='.', ann_dir='.',
                  pipeline=[]).get_gt_seg_map(0).ravel().tolist()
              for cls in (PascalContextDataset, PascalContextDataset59)]
    assert labels == [[*range(60)], [255, *range(59)]]


# What the data sections of mmsegmentation 0.30 say: scales, crop, folders, labels from 1 on.
LATER = {
    'coco-stuff10k': ((2048, 512), (2048, 512), (512, 512), 'data/coco_stuff10k',
                      'images/train2014', 'annotations/test2014', True),
    'coco-stuff164k': ((2048, 512), (2048, 512), (512, 512), 'data/coco_stuff164k',
                       'images/train2017', 'annotations/val2017', False),
    'loveda': ((2048, 512), (1024, 1024), (512, 512), 'data/loveDA', 'img_dir/train',
               'ann_dir/val', True),
    'potsdam': ((512, 512), (512, 512), (512, 512), 'data/potsdam', 'img_dir/train', 'ann_dir/val',
                True),
    'vaihingen': ((512, 512), (512, 512), (512, 512), 'data/vaihingen', 'img_dir/train',
                  'ann_dir/val', True),
    'isaid': ((896, 896), (896, 896), (896, 896), 'data/iSAID', 'img_dir/train', 'ann_dir/val',
              False),
}


@pytest.mark.parametrize('name', LATER)
def test_values_of_the_later_data_sets(name):
    scale, test_scale, crop, root, img_dir, ann_dir, from_one = LATER[name]
    data = Config.fromfile(ROOT / f'configs/_base_/datasets/{name}.py').data
    assert (data.samples_per_gpu, data.workers_per_gpu) == (4, 4)
    assert (data.train.data_root, data.train.img_dir, data.val.ann_dir) == (root, img_dir, ann_dir)
    assert data.val == data.test
    steps = {step['type']: step for step in data.train.pipeline}
    assert steps['Resize'] == dict(type='Resize', img_scale=scale, ratio_range=(0.5, 2.0))
    assert steps['RandomCrop'] == dict(type='RandomCrop', crop_size=crop, cat_max_ratio=0.75)
    assert steps['Pad'].size == crop
    assert data.val.pipeline[1].img_scale == test_scale
    assert build_dataset(data.train).reduce_zero_label == from_one
