import logging
from types import SimpleNamespace

import pytest

from mmcv_replace.utils import Config
from mmseg.datasets.expected_normalization import warn_of_other_normalization

WANTED = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


def messages(caplog, step, **backbone):
    caplog.clear()
    pipeline = [dict(type='LoadImageFromFile'), dict(step, type='Normalize')]
    cfg = Config(dict(data=dict(train=dict(type='RepeatDataset', dataset=dict(pipeline=pipeline)))))
    backbone = SimpleNamespace(**dict(dict(img_norm_cfg=WANTED, model_name='vit'), **backbone))
    logging.getLogger('mmseg').propagate = True
    with caplog.at_level(logging.WARNING, 'mmseg'):
        warn_of_other_normalization(cfg, SimpleNamespace(backbone=backbone))
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize('change', [dict(mean=[127.5] * 3), dict(std=[1, 1, 1]),
                                    dict(to_rgb=False), dict(mean=[1], std=[1])])
def test_another_normalization_is_told(caplog, change):
    [text] = messages(caplog, dict(WANTED, **change))
    assert text.startswith("the weights of SimpleNamespace('vit') were trained with images of "
                           'Normalize(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],'
                           ' to_rgb=True), but data.train.pipeline has Normalize(mean=[')
    assert messages(caplog, dict(WANTED, **change), starts_from_timm=False) == []
    assert messages(caplog, dict(WANTED, **change), img_norm_cfg=None) == []


def test_the_same_normalization_is_not(caplog):
    assert messages(caplog, WANTED) == []
    del (step := dict(WANTED))['to_rgb']  # on by default
    assert messages(caplog, dict(step, mean=[123.7, 116.3, 103.5])) == []
