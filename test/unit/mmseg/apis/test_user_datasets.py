"""Data sets of users, written for mmsegmentation 0.10, train and score by methods of their own."""
import os.path as osp
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.parallel import DataContainer
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmseg.apis import OutputOptions, Process, evaluate_from_config, train_from_config
from mmseg.apis.train import train_segmentor
from mmseg.datasets import CustomDataset, build_dataset
from mmseg.datasets.builder import DATASETS
from mmseg.models import build_segmentor

CPU = Process(torch.device('cpu'))
NORM = dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True)
TRAIN = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
         dict(type='RandomFlip', prob=0.5), NORM, dict(type='DefaultFormatBundle'),
         dict(type='Collect', keys=['img', 'gt_semantic_seg'])]
TEST = [dict(type='LoadImageFromFile'), dict(
    type='MultiScaleFlipAug', img_scale=(16, 16), flip=False, transforms=[
        dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'), NORM,
        dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
CALLS = []


@DATASETS.register_module(force=True)
class OldStyle(CustomDataset):
    """Without CLASSES; its methods are written as those of 0.10."""

    def pre_pipeline(self, results):
        results['seg_fields'] = []
        results['img_prefix'] = self.img_dir
        results['seg_prefix'] = self.ann_dir
        if self.custom_classes:
            results['label_map'] = self.label_map

    def get_gt_seg_maps(self):
        maps = []
        for img_info in self.img_infos:
            with Image.open(osp.join(self.ann_dir, img_info['ann']['seg_map'])) as mask:
                maps.append(2 - np.array(mask))
        return maps

    def evaluate(self, results, metric='mIoU', logger=None, efficient_test=False, **kwargs):
        gt_seg_maps = self.get_gt_seg_maps()
        right = [np.mean(result == label) for result, label in zip(results, gt_seg_maps,
                                                                   strict=True)]
        CALLS.append((results, metric, kwargs))
        return dict(accuracy=float(np.mean(right)))


@DATASETS.register_module(force=True)
class OwnMaps(OldStyle):
    """Only the label maps are its own; the standard evaluation compares with them."""

    CLASSES = ('a', 'b', 'c')
    evaluate = CustomDataset.evaluate


@pytest.fixture
def cfg(tmp_path):
    random = np.random.default_rng(0)
    for folder in ('img', 'ann'):
        (tmp_path / folder).mkdir()
    for number in range(6):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(
            tmp_path / f'img/{number}.jpg')
        Image.fromarray(random.integers(0, 3, (16, 16)).astype(np.uint8)).save(
            tmp_path / f'ann/{number}.png')
    data = dict(type='OldStyle', data_root=str(tmp_path), img_dir='img', ann_dir='ann')
    backbone = dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                    out_indices=(0,), base_channels=8, stem_channels=8)
    config = Config(dict(
        model=dict(type='EncoderDecoder', backbone=backbone, decode_head=dict(
            type='FCNHead', in_channels=8, channels=8, num_convs=0, concat_input=False,
            num_classes=3, in_index=0, dropout_ratio=0)),
        data=dict(samples_per_gpu=3, workers_per_gpu=0, train=dict(data, pipeline=TRAIN),
                  val=dict(data, pipeline=TEST), test=dict(data, pipeline=TEST)),
        optimizer=dict(type='SGD', lr=0.01), lr_config=dict(policy='poly'), seed=0,
        runner=dict(type='IterBasedRunner', max_iters=2), work_dir=str(tmp_path / 'work'),
        checkpoint_config=dict(interval=2),
        evaluation=dict(interval=2, metric='mAnything', efficient_test=True),
        log_config=dict(interval=1, hooks=[])))
    config.filename = str(tmp_path / 'own.py')
    CALLS.clear()
    return config


def train_by_command(cfg):
    train_from_config(cfg, CPU)


def train_by_script(cfg):
    """As the scripts and notebooks around 0.10 do it."""
    datasets = [build_dataset(cfg.data.train)]
    model = build_segmentor(cfg.model, train_cfg=cfg.get('train_cfg'),
                            test_cfg=cfg.get('test_cfg'))
    model.CLASSES = datasets[0].CLASSES
    train_segmentor(model, datasets, cfg, distributed=False, validate=True, meta={})


@pytest.mark.parametrize('train', [train_by_command, train_by_script])
def test_a_data_set_without_classes_is_trained_and_scores_itself(cfg, train):
    train(cfg)

    (results, metric, kwargs), = CALLS
    assert isinstance(results, list)
    assert [(type(result), result.shape) for result in results] == [(np.ndarray, (16, 16))] * 6
    assert (metric, kwargs) == ('mAnything', {})


@pytest.mark.parametrize('own', ['OldStyle', 'OwnMaps'])
def test_a_test_scores_with_the_maps_of_the_data_set(cfg, own):
    train_by_command(cfg)
    CALLS.clear()
    cfg.data.test.type = own
    scores = evaluate_from_config(cfg, f'{cfg.work_dir}/iter_2.pth', CPU, OutputOptions(
        metrics=['mIoU'], out=f'{cfg.work_dir}/out.pkl'))

    name = dict(OldStyle='accuracy', OwnMaps='aAcc')[own]
    dataset = build_dataset(cfg.data.test)
    results = pickle.loads(Path(f'{cfg.work_dir}/out.pkl').read_bytes())
    right = [np.mean(result == label) for result, label in zip(
        results, dataset.get_gt_seg_maps(), strict=True)]
    assert scores[name] == pytest.approx(np.mean(right))


@pytest.mark.parametrize('train', [train_by_command, train_by_script])
def test_the_folders_are_checked_before_a_training(cfg, train):
    cfg.data.train.img_dir = 'nowhere'
    cfg.evaluation.metric = 'mIoU'
    with pytest.raises(DataError, match='OldStyle: img_dir .*/nowhere is not a folder; correct'):
        train(cfg)


def test_the_folders_are_checked_before_a_test(cfg):
    cfg.data.test.ann_dir = 'nowhere'
    with pytest.raises(DataError, match='OldStyle: ann_dir .*/nowhere is not a folder; correct'):
        evaluate_from_config(cfg, 'none.pth', CPU, OutputOptions(metrics=['mIoU']))


class Plain(torch.utils.data.Dataset):
    """Without the names that our data sets have."""

    def __init__(self):
        self.images = torch.rand(4, 3, 16, 16)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        label = torch.full((1, 16, 16), idx % 3)
        return dict(img=DataContainer(self.images[idx], stack=True),
                    gt_semantic_seg=DataContainer(label, stack=True),
                    img_metas=DataContainer({}, cpu_only=True))


def test_any_data_set_of_torch_can_be_trained_on(cfg):
    model = build_segmentor(cfg.model)
    train_segmentor(model, Plain(), cfg, meta={})
