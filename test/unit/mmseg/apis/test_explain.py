"""Whose default a value is that no config has set."""
import inspect

import pytest
import torch

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.explain import explain_key
from mmseg.models.decode_heads.decode_head import BaseDecodeHead


@pytest.fixture
def cfg():
    return Config(dict(
        model=dict(decode_head=dict(type='PSPHead', norm_cfg=dict(type='BN'))),
        optimizer=dict(type='SGD', lr=0.1),
        lr_config=dict(policy='cosine_annealing'),
        log_config=dict(interval=7, hooks=[dict(type='TextLoggerHook')]),
        runner=dict(type='IterBasedRunner'),
        data=dict(train=dict(type='PascalVOCDataset', pipeline=[dict(type='RandomFlip')]))))


DEFAULT = inspect.signature(BaseDecodeHead).parameters


@pytest.mark.parametrize(('key', 'told'), [
    ('model.decode_head.dropout_ratio',
     f'= {DEFAULT["dropout_ratio"].default}  # default of PSPHead, in '
     'mmseg.models.decode_heads.decode_head.BaseDecodeHead'),
    ('model.decode_head.pool_scales', '= (1, 2, 3, 6)  # default of PSPHead, in '
     'mmseg.models.decode_heads.psp_head.PSPHead'),
    ('model.decode_head.loss_decode.type', "= 'CrossEntropyLoss'  # default of PSPHead, in "),
    ('model.decode_head.loss_decode.class_weight', '= None  # default of CrossEntropyLoss, in '),
    ('model.decode_head.norm_cfg.eps',
     f'= {torch.nn.BatchNorm2d(1).eps}  # default of BatchNorm2d, in torch.nn.modules.batchnorm.'),
    ('optimizer.nesterov', '= False  # default of SGD, in torch.optim.sgd.SGD'),
    ('optimizer.fused', 'True is chosen where torch has such a kernel'),
    ('lr_config.warmup_ratio', '= 0.1  # default of CosineAnnealingLrUpdaterHook, in mmcv_replace.'
                               'runner.hooks.schedule_hook.ScheduleHook'),
    ('lr_config.by_epoch', 'that of the runner, which counts iterations or epochs'),
    ('log_config.hooks.0.interval', '= 7  # set by program code (log_config.interval)'),
    ('log_config.hooks.0.ignore_last', '= True  # default of TextLoggerHook'),
    ('evaluation.save_best', "= 'auto'  # default of EvalHook"),
    ('checkpoint_config.max_keep_ckpts', '= -1  # default of CheckpointHook'),
    ('data.train.ignore_index',
     '= None  # default of PascalVOCDataset, in mmseg.datasets.custom.CustomDataset'),
    ('data.train.pipeline.0.direction', "= 'horizontal'  # default of RandomFlip"),
    ('optimizer.lr', 'optimizer.lr = 0.1  # set by'),
])
def test_defaults(cfg, key, told):
    line = explain_key(cfg, key)
    assert line.startswith(f'{key} = ')
    assert told in line


@pytest.mark.parametrize(('key', 'message'), [
    ('nothing', "the config has no 'nothing'"),
    ('model.decode_head.pool_scale', "PSPHead does not take it either; did you mean 'pool_scales'"),
    ('model.decode_head.channels', 'PSPHead has no default for it'),
    ('model.nothing', "model has no 'nothing'"),
    ('runner.type.x', 'which has no parts'),
    ('data.val.type', "data has no 'val'"),
])
def test_what_neither_has_is_an_error(cfg, key, message):
    with pytest.raises(ConfigError, match=message):
        explain_key(cfg, key)
