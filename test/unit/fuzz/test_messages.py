"""What the fuzz tests found, one by one: each mistake is told with its key and its value."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.fileio import FileClient, HTTPBackend, list_from_file, load
from mmcv_replace.runner import build_optimizer, load_checkpoint, load_state_dict
from mmcv_replace.runner.checkpoints.optimizer_state import load_optimizer_state
from mmcv_replace.runner.hooks import HOOKS
from mmcv_replace.utils import Config, build_from_cfg, import_modules_from_strings
from mmcv_replace.utils.errors import ArgumentError, CheckpointError, ConfigError, DataError
from mmcv_replace.utils.suggest import short
from mmseg.apis.cli import set_data_root
from mmseg.apis.inference import load_weights
from mmseg.datasets.masks.classes import choose_palette, read_classes
from mmseg.datasets.pipelines import Compose
from mmseg.models import build_backbone, build_head
from mmseg.models.losses.utils import get_class_weight

HEAD = dict(type='FCNHead', in_channels=4, in_index=0, channels=4, num_classes=3)
RESNET = dict(type='ResNet', depth=18, base_channels=4, stem_channels=4)


def sample():
    return dict(img=np.zeros((4, 4, 3), np.uint8), filename='a.jpg')


@pytest.mark.parametrize(('step', 'message'), [
    (dict(type='CLAHE', tile_grid_size=(0, 0)), 'CLAHE: tile_grid_size='),
    (dict(type='CLAHE', clip_limit=-1), 'CLAHE: clip_limit=-1'),
    (dict(type='RandomCrop', crop_size=(5, 0)), 'RandomCrop: crop_size='),
    (dict(type='RandomCrop', crop_size=(5, 5), cat_max_ratio=-1), 'cat_max_ratio=-1'),
    (dict(type='Resize', img_scale='abc'), "img_scale='abc'"),
    (dict(type='Resize', img_scale=()), 'img_scale='),
    (dict(type='Resize', ratio_range=(0, 1)), r'ratio_range=\(0, 1\): give 2 numbers from 0.01'),
    (dict(type='SegRescale', scale_factor=0), 'SegRescale: scale_factor=0'),
    (dict(type='Pad', size=(0, 5)), 'Pad: size='),
    (dict(type='Pad', size_divisor=0), 'size_divisor'),
    (dict(type='Pad', size=(5, 5), pad_val='x'), 'pad_val'),
    (dict(type='Pad', size=(5, 5), seg_pad_val=300), 'seg_pad_val=300'),
    (dict(type='RandomRotate', prob=1, degree=9, center=(0,)), 'center'),
    (dict(type='RandomRotate', prob=1, degree=9, center=(0, 0), auto_bound=True), 'auto_bound'),
    (dict(type='RandomRotate', prob=1, degree=9, pad_val=(1, 'x')), 'pad_val'),
    (dict(type='Normalize', mean=[1, 2], std=[1, 2]), 'Normalize: mean=.*three channels'),
    (dict(type='Normalize', mean=[1, 2, 3], std=[1]), 'Normalize: std='),
    (dict(type='Rerange', max_value=float('inf')), 'Rerange: max_value=inf'),
    (dict(type='AdjustGamma', gamma=1e9), 'AdjustGamma: gamma='),
    (dict(type='PhotoMetricDistortion', hue_delta=0), 'hue_delta=0: give a number from 1 to 180'),
    (dict(type='PhotoMetricDistortion', brightness_delta=-1), 'brightness_delta=-1'),
    (dict(type='PhotoMetricDistortion', contrast_range=(1,)), 'contrast_range'),
    (dict(type='PhotoMetricDistortion', saturation_range=(-1, 2)), 'saturation_range'),
    (dict(type='MultiScaleFlipAug', transforms=[], img_scale=None, img_ratios=[0]), 'img_ratios'),
    (dict(type='Collect', keys='img'), 'Collect: keys='),
    (dict(type='Collect', keys=[], meta_keys=[1]), 'Collect: meta_keys='),
    (dict(type='ToTensor', keys='img'), 'ToTensor: keys='),
    (dict(type='ImageToTensor', keys='img'), 'ImageToTensor: keys='),
    (dict(type='Transpose', keys='img', order=[0]), 'Transpose: keys='),
    (dict(type='ToDataContainer', fields=[dict(stack=True)]), 'ToDataContainer: fields='),
])
def test_steps(step, message):
    with pytest.raises(ConfigError, match=message):
        Compose([step])


def test_a_pipeline_is_a_list():
    with pytest.raises(ConfigError, match="a pipeline is a list of steps, not 'Resize'"):
        Compose('Resize')


@pytest.mark.parametrize(('step', 'message'), [
    (dict(type='Transpose', keys=['img'], order=[0, 9]), r'a\.jpg: Transpose\(.*cannot work'),
    (dict(type='ImageToTensor', keys=['depth']), "ImageToTensor.*KeyError: 'depth'"),
    (dict(type='Pad', size=(9, 9), pad_val=300), 'Pad.*OverflowError'),
    (dict(type='RandomRotate', prob=1, degree=9, pad_val=(1, 2)), '2 values to fill with, .*or one '
     'for each'),
    (dict(type='LoadImageFromFile', file_client_args=dict(no=1)), "backend 'disk' does not take"),
])
def test_steps_that_fail_at_an_image(step, message):
    results = {**sample(), 'img_info': dict(filename='x.jpg')}
    with pytest.raises((ConfigError, ArgumentError), match=message):
        Compose([step])(results)


def test_a_users_step_keeps_its_error_also_inside_of_one_of_ours():
    def fail(results):
        raise KeyError('mine')

    inner = dict(type='MultiScaleFlipAug', transforms=[fail], img_scale=(4, 4))
    for steps in ([fail], [inner]):
        with pytest.raises(KeyError, match='mine'):
            Compose(steps)(sample())


@pytest.mark.parametrize(('change', 'message'), [
    (dict(num_classes=0), 'FCNHead: num_classes=0'), (dict(channels=-1), 'FCNHead: channels=-1'),
    (dict(in_channels=0), 'FCNHead: in_channels=0'), (dict(kernel_size=0), 'kernel_size=0'),
    (dict(dilation=0), 'dilation=0'), (dict(dropout_ratio=2), 'FCNHead: dropout_ratio=2'),
    (dict(dropout_ratio=-0.5), 'dropout_ratio=-0.5'),
    (dict(type='PSPHead', pool_scales=(0,)), r'PSPHead: pool_scales=\(0,\)'),
    (dict(type='PSPHead', pool_scales=(1.5,)), 'pool_scales'),
    (dict(align_corners='x'), "align_corners='x'"),
    (dict(loss_decode=dict(type='CrossEntropyLoss', loss_weight=float('nan'))), 'loss_weight=nan'),
])
def test_heads(change, message):
    with pytest.raises((ConfigError, ArgumentError), match=message):
        build_head({**HEAD, **change})


@pytest.mark.parametrize(('change', 'message'), [
    (dict(in_index=2), 'FCNHead: in_index=2, but the backbone gives 2 maps'),
    (dict(in_index=1), r'in_channels=\[4\], but the maps in_index=1 of the backbone have \[8\]'),
    (dict(in_channels=[4, 4], in_index=[0, 1], input_transform='resize_concat'), r'\[4, 8\]'),
])
def test_heads_that_do_not_fit_the_backbone(change, message):
    head = build_head({**HEAD, **change})
    with pytest.raises(ConfigError, match=message):
        head([torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)])


@pytest.mark.parametrize(('change', 'message'), [
    (dict(strides=(0, 1, 1, 1)), 'ResNet: strides='), (dict(dilations=(1, 1, 1, -1)), 'dilations='),
    (dict(stem_channels=0), 'stem_channels=0'),
    (dict(deep_stem=True, stem_channels=1), '2 or more'),
    (dict(base_channels=0), 'base_channels=0'), (dict(multi_grid=(1, 0)), 'multi_grid='),
])
def test_backbones(change, message):
    with pytest.raises(ConfigError, match=message):
        build_backbone({**RESNET, **change})


def test_images_that_do_not_fit_the_backbone():
    with pytest.raises(ConfigError, match='ResNet: in_channels=4, but the images have 3 channels'):
        build_backbone({**RESNET, 'in_channels': 4})(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize(('optimizer', 'message'), [
    (dict(lr='x'), "optimizer.lr='x'"), (dict(lr=-1), 'optimizer.lr=-1'),
    (dict(lr=1e300), 'from 0 to 1e'), (dict(lr=1, weight_decay=float('nan')), 'weight_decay=nan'),
    (dict(lr=1, momentum='x'), "momentum='x'"),
    (dict(lr=1, paramwise_cfg=dict(bias_lr_mult=None)), 'paramwise_cfg.bias_lr_mult=None'),
    (dict(lr=1, paramwise_cfg=5), 'paramwise_cfg is a dict'),
    (dict(lr=1, paramwise_cfg=dict(custom_keys=[1])), 'custom_keys is a dict'),
    (dict(lr=1, paramwise_cfg=dict(custom_keys=dict(a=1))), r"custom_keys\['a'\] is a dict"),
    (dict(lr=1, paramwise_cfg=dict(custom_keys=dict(a=dict(lr_mult='x')))), "lr_mult='x'"),
])
def test_optimizers(optimizer, message):
    with pytest.raises((ConfigError, ArgumentError), match=message):
        build_optimizer(nn.Linear(1, 1), dict(type='SGD', **optimizer))


@pytest.mark.parametrize(('hook', 'message'), [
    (dict(type='OptimizerHook', grad_clip=dict(max_norm='x')), "grad_clip.max_norm='x'"),
    (dict(type='OptimizerHook', grad_clip=dict(max_norm=0)), 'max_norm=0 must be above 0'),
    (dict(type='CheckpointHook', filename_tmpl='{x}'), 'filename_tmpl=.{x}.: give the name'),
    (dict(type='CheckpointHook', filename_tmpl='x.pth'), 'filename_tmpl='),
    (dict(type='CheckpointHook', filename_tmpl='../x_{}.pth'), 'filename_tmpl='),
    (dict(type='CheckpointHook', interval='x'), "interval='x' does not fit, it takes int"),
])
def test_hooks(hook, message):
    with pytest.raises((ConfigError, ArgumentError), match=message):
        build_from_cfg(hook, HOOKS)


@pytest.mark.parametrize(('settings', 'message'), [
    (dict(type='PolyLrUpdaterHook', min_lr=-1), 'PolyLrUpdaterHook gives -0'),
    (dict(type='PolyLrUpdaterHook', min_lr=1e300), r'gives 1.*e\+299'),
    (dict(type='PolyLrUpdaterHook', power=-1), r'no number .*negative power.*correct lr_config'),
    (dict(type='ExpLrUpdaterHook', gamma=1e300), r'gives 1e\+299 at iteration 1'),
])
def test_schedules_that_leave_the_numbers(settings, message):
    hook = build_from_cfg(dict(settings, by_epoch=False), HOOKS)

    def follow():
        for step in range(9):
            hook._scheduled(SimpleNamespace(iter=step, epoch=0, max_iters=8, max_epochs=1), 0.1)

    with pytest.raises(ConfigError, match=message):
        follow()


def test_files_of_no_use(tmp_path):
    (tmp_path / 'a.txt').write_text('cat\ncat\n')
    for work, message in (
            (lambda: FileClient().get('a\0b'), 'cannot read .*null'),
            (lambda: FileClient(backend=['disk']), 'unknown file backend'),
            (lambda: FileClient(path='x'), "file backend 'disk' does not take 'path'"),
            (lambda: HTTPBackend().get('http://[x'), 'cannot fetch'),
            (lambda: list_from_file('a\0b'), 'cannot read the list'),
            (lambda: load('a\0b.json'), 'cannot read'),
            (lambda: read_classes(str(tmp_path / 'a.txt')), 'each class must be there once'),
            (lambda: read_classes([]), 'one name at least'),
            (lambda: choose_palette(['a'], [[1, 2]]), r'the palette holds \[1, 2\]'),
            (lambda: choose_palette(['a'], [[1, 2, 300]]), 'each from 0 to 255'),
            (lambda: choose_palette(['a'], ['red']), "holds 'red'"),
            (lambda: get_class_weight([1, -1]), 'must be a number from 0 on'),
            (lambda: get_class_weight(['x']), 'must be numbers')):
        with pytest.raises((ConfigError, DataError, ArgumentError), match=message):
            work()


@pytest.mark.parametrize(('content', 'message'), [
    ({'state_dict': 5}, 'its state_dict is a int'),
    ({'state_dict': {}, 'meta': [1]}, 'its meta is a list'),
    ({'state_dict': {}, 'meta': {'hook_msgs': 'x'}}, 'its hook_msgs is a str'),
])
def test_checkpoints(tmp_path, content, message):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=rf'x\.pth is damaged .*{message}'):
        load_checkpoint(nn.Linear(1, 1), tmp_path / 'x.pth')


def test_weights_that_are_none():
    with pytest.raises(CheckpointError, match='tensors that are no weights'):
        load_state_dict(nn.Linear(1, 1), {'weight': torch.eye(1).to_sparse()})


def test_optimizer_states_of_another_kind():
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 1)
    with pytest.raises(CheckpointError, match=r'state of x\.pth cannot be used \(TypeError'):
        load_optimizer_state(optimizer, {'optimizer': 5}, 'x.pth')


def test_arrays_in_the_meta_data_of_old_checkpoints(tmp_path):
    """A palette as an array is one; what lists nothing is passed over."""
    meta = dict(PALETTE=np.array([[1, 2, 3]]), CLASSES=5, dataset_meta=dict(classes=['cat']))
    model = nn.Linear(1, 1)
    torch.save(dict(meta=meta, state_dict=model.state_dict()), tmp_path / 'x.pth')
    load_weights(model, str(tmp_path / 'x.pth'))
    assert (model.CLASSES, np.array(model.PALETTE).tolist()) == (('cat',), [[1, 2, 3]])


def test_configs(tmp_path):
    with pytest.raises(ConfigError, match=r"'\.x' is not the name of a module"):
        import_modules_from_strings('.x')
    with pytest.raises(ConfigError, match='data is a dict of train, val and test, not 5'):
        set_data_root(Config(dict(data=5)), str(tmp_path))
    with pytest.raises(ConfigError, match=r'data\.train is the dict of a dataset, .*not 3'):
        set_data_root(Config(dict(data=dict(train=3))), str(tmp_path))
    with pytest.raises(ConfigError, match="'a' is an int of 1200 bits, too large for a config"):
        Config.fromstring('a: 0x' + 'f' * 300, 'yaml')


def test_shortened_values_take_no_time():
    """A list that is unfolded has 9**20 entries."""
    value = ['x']
    for _ in range(20):
        value = [value] * 9
    assert short(value, 30) == '[[[[[[[[[[[[[[[[[[[[[\'x\'], [\'x...'[:27] + '...'
    assert short({'a': (1,), 'b': [2.5, None]}) == "{'a': (1,), 'b': [2.5, None]}"
    assert short(10**9999) == 'an int of 33216 bits'
    value.append(value)
    assert len(short(value, 50)) == 50
