"""What is found out before the processes of a job start."""
import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace import device as device_table
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, ConfigError, DataError, DeviceError
from mmseg.apis.preflight import check_devices, check_job
from mmseg.models import build_segmentor


@pytest.fixture
def two_devices(monkeypatch):
    """A machine with two devices of a type that any build of torch can name."""
    class TwoDevices(device_table.DeviceKind):
        def available(self):
            return True

        def count(self):
            return 2

    kind = next(kind for kind in device_table.KINDS if kind.type == 'cuda')
    fields = {field.name: getattr(kind, field.name) for field in dataclasses.fields(kind)}
    monkeypatch.setattr(device_table, 'KINDS', (TwoDevices(**fields), device_table.KINDS[-1]))
    return kind.type


@pytest.fixture
def cfg(tmp_path):
    """Three images to train on, one to validate on; nothing of SBD."""
    root = tmp_path / 'VOC2012'
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    for name in 'abcd':
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(root / f'JPEGImages/{name}.jpg')
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / f'SegmentationClass/{name}.png')
    lists = root / 'ImageSets/Segmentation'
    (lists / 'train.txt').write_text('a\nb\nc\n')
    (lists / 'val.txt').write_text('d\n')
    common = dict(type='PascalVOCDataset', data_root=str(root), img_dir='JPEGImages',
                  ann_dir='SegmentationClass', pipeline=[])
    val = dict(common, split='ImageSets/Segmentation/val.txt')
    backbone = dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                    out_indices=(0,), base_channels=8, stem_channels=8)
    head = dict(type='FCNHead', in_channels=8, channels=8, num_convs=0, concat_input=False,
                num_classes=21)
    model = dict(type='EncoderDecoder', backbone=backbone, decode_head=head)
    return Config(dict(model=model, data=dict(
        train=dict(common, split='ImageSets/Segmentation/train.txt'), val=val, test=dict(val))))


def test_the_cpu_takes_any_number_of_processes():
    assert check_devices('cpu', '0,1,2', 300) == 'cpu'


@pytest.mark.parametrize(('device_list', 'nproc', 'names'), [
    (None, 1, [0]), (None, 2, [0, 1]), ('1', 1, [1]), ('1,0', 2, [1, 0])])
def test_enough_devices(two_devices, device_list, nproc, names):
    expected = ', '.join(f'{two_devices}:{index}' for index in names)
    assert check_devices('auto', device_list, nproc) == expected


def test_fewer_devices_than_processes(two_devices):
    with pytest.raises(DeviceError, match='8 processes .* only 2 of type .*: --nproc=2'):
        check_devices(two_devices, None, 8)


def test_a_device_that_is_not_there(two_devices):
    with pytest.raises(DeviceError, match=f'--device-list=0,3: there is no {two_devices}:3 here'):
        check_devices(two_devices, '0,3', 2)


def test_a_list_that_cannot_be_read(two_devices):
    with pytest.raises(ConfigError, match='--device-list=0-3 is not a list of indices'):
        check_devices(two_devices, '0-3', 2)


def test_a_training(cfg):
    assert check_job(cfg, 'cpu', None, 2) == (
        'processes on this machine: 2 (cpu); images: train 3, val 1')


def test_a_training_without_validation(cfg):
    cfg.data.val.split = 'ImageSets/Segmentation/no.txt'
    assert check_job(cfg, 'cpu', None, 1, validate=False).endswith('images: train 3')


def test_the_nodes_of_a_scheduler(cfg, monkeypatch):
    for name, value in dict(PET_NNODES='2', PET_NODE_RANK='1', PET_MASTER_ADDR='h').items():
        monkeypatch.setenv(name, value)
    assert check_job(cfg, 'cpu', None, 2).endswith(
        'val 1; PET_NNODES (torchrun, Kubeflow): node 1 of 2, which meet at h')
    assert 'node 2 of 3, which meet at mine' in check_job(
        cfg, 'cpu', None, 2, nnodes=3, node_rank=2, addr='mine')


def test_a_test(cfg, tmp_path):
    checkpoint = tmp_path / 'a.pth'
    with pytest.raises(CheckpointError, match=r'no checkpoint .*a\.pth.*--checkpoint=FILE'):
        check_job(cfg, 'cpu', None, 2, str(checkpoint))
    torch.save(dict(state_dict=build_segmentor(cfg.model).state_dict()), checkpoint)
    assert check_job(cfg, 'cpu', None, 2, str(checkpoint)).endswith('images: test 1')


@pytest.mark.parametrize(('key', 'value'), [
    ('ann_dir', 'SegmentationClassAug'), ('split', 'ImageSets/Segmentation/aug.txt'),
    ('split', 'ImageSets/Segmentation/trainaug.txt')])
def test_data_that_are_not_converted(cfg, tmp_path, key, value):
    cfg.data.train[key] = value
    with pytest.raises(DataError) as raised:
        check_job(cfg, 'cpu', None, 1)
    told = '\n'.join([str(raised.value), *getattr(raised.value, '__notes__', [])])
    assert f'tools/convert_datasets/voc_aug.py {tmp_path} {tmp_path}/VOCaug' in told


def test_other_missing_data_have_nothing_to_do_with_the_conversion(cfg):
    cfg.data.val.split = 'ImageSets/Segmentation/no.txt'
    with pytest.raises(DataError, match=r'no\.txt') as raised:
        check_job(cfg, 'cpu', None, 1)
    told = '\n'.join([str(raised.value), *getattr(raised.value, '__notes__', [])])
    assert 'voc_aug' not in told


def test_own_data_are_planned_for_a_training_and_read_for_a_test(cfg, tmp_path):
    root = tmp_path / 'VOC2012'
    for name in 'abcd':
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(root / f'SegmentationClass/{name}.png')
    for split in ('train', 'val', 'test'):
        cfg.data[split].pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
    cfg.own_data = dict(images=str(root / 'JPEGImages'), masks=str(root / 'SegmentationClass'),
                        group=False)
    cfg.work_dir = str(tmp_path / 'run')
    before = cfg.deepcopy()
    assert 'train 3, val 1' in check_job(cfg, 'cpu', None, 1)
    assert not (tmp_path / 'run').exists()
    (tmp_path / 'x.pth').touch()
    with pytest.raises(ConfigError, match='own_data: no training with these data is in'):
        check_job(before, 'cpu', None, 1, str(tmp_path / 'x.pth'))
