"""A whole test job on Cityscapes: scores of the benchmark, and the files for its server."""
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmcv_replace.utils import Config
from mmseg.apis import OutputOptions, Process, evaluate_from_config
from mmseg.datasets import CityscapesDataset
from mmseg.datasets.scores.cityscapes_scores import CATEGORIES
from mmseg.models import build_segmentor

CPU = Process(torch.device('cpu'))
NAMES = ['ulm/ulm_000000_000019', 'bonn/bonn_000001_000019', 'bonn/bonn_000002_000019']
NORM = dict(type='BN')
MODEL = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                  out_indices=(0,), base_channels=8, stem_channels=8, norm_cfg=NORM),
    decode_head=dict(type='FCNHead', in_channels=8, channels=8, in_index=0, num_convs=1,
                     num_classes=19, norm_cfg=NORM, dropout_ratio=0))


@pytest.fixture
def job(tmp_path):
    """A config on three small images with masks and instance maps, and a drawn checkpoint."""
    random = np.random.default_rng(0)
    for name in NAMES:
        labels = random.integers(0, 19, (8, 12)).repeat(4, 0).repeat(4, 1)
        labels[:3] = 255
        for file, values in (
                (f'leftImg8bit/{name}_leftImg8bit', random.integers(0, 256, (32, 48, 3), np.uint8)),
                (f'gtFine/{name}_gtFine_labelTrainIds', labels.astype(np.uint8)),
                (f'gtFine/{name}_gtFine_instanceIds', np.where(
                    labels == 13, 26000 + np.arange(48) // 9, 0).astype(np.uint16))):
            path = tmp_path / f'{file}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), values)
    torch.manual_seed(0)
    model = build_segmentor(MODEL)
    nn.init.normal_(model.decode_head.conv_seg.weight)
    torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / 'model.pth')
    steps = [dict(type='Resize', keep_ratio=True),
             dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3),
             dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])]
    dataset = dict(type='CityscapesDataset', data_root=str(tmp_path), img_dir='leftImg8bit',
                   ann_dir='gtFine', pipeline=[
                       dict(type='LoadImageFromFile'),
                       dict(type='MultiScaleFlipAug', img_scale=(48, 32), transforms=steps)])
    return Config(dict(model=MODEL, data=dict(workers_per_gpu=0, test=dataset)))


def run(cfg, tmp_path, **options):
    return evaluate_from_config(cfg, str(tmp_path / 'model.pth'), CPU, OutputOptions(**options))


def plain_iou(folder, tmp_path, groups):
    """IoU of groups of label ids, by masks of all pixels of the files for the server."""
    label_ids = np.array(list(CityscapesDataset.server_labels.values()))
    found, truth = [], []
    for name in NAMES:
        ids = np.array(Image.open(f'{folder}/{name}_leftImg8bit.png'))
        label = np.array(Image.open(f'{tmp_path}/gtFine/{name}_gtFine_labelTrainIds.png'))
        found.append(ids[label != 255])
        truth.append(label_ids[label[label != 255]])
    found, truth = np.concatenate(found), np.concatenate(truth)
    iou = {}
    for group, members in groups.items():
        ids = [CityscapesDataset.server_labels[name] for name in members]
        one, other = np.isin(found, ids), np.isin(truth, ids)
        iou[group] = (one & other).sum() / (one | other).sum()
    return iou


def test_the_scores_are_those_of_the_files_for_the_server(job, tmp_path):
    scores = run(job, tmp_path, metrics=['cityscapes'], work_dir=str(tmp_path / 'work'),
                 eval_options=dict(imgfile_prefix=str(tmp_path / 'files')))

    classes = {name: [name] for name in CityscapesDataset.CLASSES}
    for key, groups in (('classScores', classes), ('categoryScores', CATEGORIES)):
        assert {name: scores[f'{key}.{name}'] for name in groups} == pytest.approx(
            plain_iou(tmp_path / 'files', tmp_path, groups))
    assert scores['averageScoreClasses'] == pytest.approx(
        np.mean([scores[f'classScores.{name}'] for name in classes]))
    assert scores['averageScoreInstClasses'] == scores['classInstScores.car']
    kept, = (tmp_path / 'work').glob('eval_*.json')
    assert json.loads(kept.read_text())['averageScoreCategories'] == scores[
        'averageScoreCategories']


def test_nothing_is_written_unless_asked_for(job, tmp_path, monkeypatch):
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    run(job, tmp_path, metrics=['cityscapes'])
    assert list((tmp_path / 'here').iterdir()) == []


def test_images_without_masks_become_files_for_the_server(job, tmp_path):
    run(job, tmp_path, format_only=True, eval_options=dict(out_dir=str(tmp_path / 'scored')))
    job.data.test.ann_dir = None
    run(job, tmp_path, format_only=True, eval_options=dict(imgfile_prefix=str(tmp_path / 'files')))
    for name in NAMES:
        files = [tmp_path / folder / f'{name}_leftImg8bit.png' for folder in ('scored', 'files')]
        assert files[0].read_bytes() == files[1].read_bytes()
