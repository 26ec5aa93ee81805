"""Building of models from configs."""
import pytest
from torch import nn

from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import ArgumentError, ConfigError, RegistryError
from mmseg.models import build_backbone, build_segmentor
from mmseg.models.builder import BACKBONES, build


@pytest.mark.parametrize('place', ['inside', 'outside'])
def test_train_and_test_cfg_may_stand_in_either_place(tiny_cfg, place):
    given = dict(train_cfg=dict(sampler=1), test_cfg=dict(mode='slide', crop_size=(8, 8),
                                                          stride=(4, 4)))
    if place == 'inside':
        model = build_segmentor({**tiny_cfg, **given})
    else:
        model = build_segmentor(tiny_cfg, **given)
    assert model.train_cfg == given['train_cfg']
    assert model.test_cfg == given['test_cfg']
    assert model.test_cfg.crop_size == (8, 8)
    assert 'test_cfg' not in tiny_cfg


@pytest.mark.parametrize('name', ['train_cfg', 'test_cfg'])
def test_not_in_both_places(tiny_cfg, name):
    tiny_cfg[name] = dict(mode='whole')
    with pytest.raises(ConfigError, match=f'{name} is given twice: model.{name}=.*'
                       fr'; keep one of them: model = dict\({name}=dict\(...\)\) changes'):
        build_segmentor(tiny_cfg, **{name: dict(mode='slide')})


def test_an_empty_one_does_not_count(tiny_cfg):
    model = build_segmentor({**tiny_cfg, 'test_cfg': {}}, train_cfg={},
                            test_cfg=dict(mode='whole'))
    assert model.test_cfg.mode == 'whole'
    assert build_segmentor(tiny_cfg).test_cfg.mode == 'whole'


def test_a_list_becomes_a_row():
    cfg = dict(type='ResNet', depth=18, base_channels=4, stem_channels=4, num_stages=1,
               strides=(1,), dilations=(1,), out_indices=(0,))
    row = build([cfg, cfg], BACKBONES)
    assert isinstance(row, nn.Sequential)
    assert len(row) == 2


def test_typing_errors_name_component_and_key(tiny_cfg):
    tiny_cfg['decode_head']['chanels'] = 3
    with pytest.raises(ArgumentError, match="head 'PSPHead' does not take 'chanels'.*'channels'"):
        build_segmentor(ConfigDict(tiny_cfg))
    with pytest.raises(RegistryError, match="did you mean 'ResNet"):
        build_backbone(dict(type='ResNett', depth=18))


def test_building_reads_no_file(tiny_cfg, tmp_path):
    absent = str(tmp_path / 'absent.pth')
    tiny_cfg['decode_head']['loss_decode'] = dict(type='CrossEntropyLoss',
                                                  class_weight=str(tmp_path / 'absent.npy'))
    build_segmentor({**tiny_cfg, 'pretrained': absent})
