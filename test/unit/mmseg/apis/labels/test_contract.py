"""One meaning of labels for data sets, steps, heads and checkpoints: what follows, what clashes."""
import copy
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, ConfigError, DataError
from mmseg.apis import OutputOptions, Process, evaluate_from_config, init_segmentor
from mmseg.apis.check_dataset import check_dataset
from mmseg.apis.datasets import build_split, splits_of
from mmseg.apis.preflight import check_job
from mmseg.apis.train_job import train_from_config
from mmseg.datasets import build_dataset
from mmseg.models import build_segmentor

CPU = Process(torch.device('cpu'))
ABC = ['a', 'b', 'c']
NORM = dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True)
TRAIN = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
         dict(type='RandomCrop', crop_size=(12, 12), cat_max_ratio=0.9),
         dict(type='RandomRotate', prob=1, degree=20), dict(type='RandomFlip', prob=0.5), NORM,
         dict(type='Pad', size=(16, 16)), dict(type='DefaultFormatBundle'),
         dict(type='Collect', keys=['img', 'gt_semantic_seg'])]
TEST = [dict(type='LoadImageFromFile'), dict(
    type='MultiScaleFlipAug', img_scale=(16, 16), flip=False, transforms=[
        dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'), NORM,
        dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
HEAD = dict(type='FCNHead', in_channels=8, channels=8, num_convs=0, concat_input=False,
            num_classes=3, dropout_ratio=0)


@pytest.fixture
def cfg(tmp_path):
    """Images of 16 x 16 with masks of the classes 0 to 2, in which 3 marks what has no class."""
    random = np.random.default_rng(0)
    for folder in ('img', 'ann'):
        (tmp_path / folder).mkdir()
    for number in range(6):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(
            tmp_path / f'img/{number}.jpg')
        Image.fromarray(random.integers(0, 4, (16, 16)).astype(np.uint8)).save(
            tmp_path / f'ann/{number}.png')
    (tmp_path / 'train.txt').write_text('0\n1\n2\n3\n')
    (tmp_path / 'val.txt').write_text('4\n5\n')
    data = dict(type='CustomDataset', data_root=str(tmp_path), img_dir='img', ann_dir='ann',
                classes=ABC)
    backbone = dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                    out_indices=(0,), base_channels=8, stem_channels=8)
    config = Config(dict(
        model=dict(type='EncoderDecoder', backbone=backbone, decode_head=HEAD,
                   auxiliary_head=HEAD),
        data=dict(samples_per_gpu=4, workers_per_gpu=0,
                  train=dict(data, split='train.txt', pipeline=TRAIN),
                  val=dict(data, split='val.txt', pipeline=TEST),
                  test=dict(data, split='val.txt', pipeline=TEST)),
        optimizer=dict(type='SGD', lr=0.01), lr_config=dict(policy='poly'), seed=0,
        runner=dict(type='IterBasedRunner', max_iters=1), work_dir=str(tmp_path / 'work'),
        checkpoint_config=dict(interval=1), evaluation=dict(interval=1),
        log_config=dict(interval=1, hooks=[])))
    config.filename = str(tmp_path / 'own.py')
    return config


def train(cfg):
    return train_from_config(cfg, CPU)


@pytest.mark.parametrize('look', ['off', 'quick'])
def test_missing_validation_files_end_a_run_before_it_begins(cfg, tmp_path, look):
    (tmp_path / 'img/4.jpg').unlink()
    cfg.data.check = look
    with pytest.raises(DataError, match=r'(?s)(images are missing|missing files).*img/4\.jpg'):
        train(cfg)
    assert not list((tmp_path / 'work').glob('*.pth'))


def preflight(cfg):
    return check_job(cfg, 'cpu', None, 1)


def doctor(cfg):
    """Raises what the doctor finds, as the others do."""
    text, code = check_dataset(cfg, nproc=1)
    if code:
        raise DataError(text)


EVERYWHERE = pytest.mark.parametrize('check', [train, preflight, doctor])


@EVERYWHERE
@pytest.mark.parametrize('splits', [('train',), ('train', 'val', 'test')])
def test_a_void_label_in_the_data_alone_simply_works(cfg, check, splits):
    for split in splits:
        cfg.data[split].ignore_index = 3
    check(cfg)


def test_what_follows_a_void_label(cfg):
    cfg.data.train.ignore_index = 3
    runner = train(cfg)
    model = runner.model.module
    assert [model.decode_head.ignore_index, model.auxiliary_head.ignore_index] == [3, 3]
    dataset = build_split(cfg, 'train')
    labels = [dataset[0]['gt_semantic_seg'].data for _ in range(8)]
    assert set(torch.cat([label.flatten() for label in labels]).tolist()) == {0, 1, 2, 3}
    # The evaluation of data.val, which says nothing of it, does not count these pixels either.
    assert build_split(cfg, 'val').ignore_index == build_split(cfg, 'test').ignore_index == 3


def test_a_training_builds_each_data_set_once(cfg, monkeypatch):
    cfg.data.train.ignore_index = 3
    built = []
    monkeypatch.setattr('mmseg.apis.datasets.build_dataset', lambda dataset, options: built.append(
        dataset.split) or build_dataset(dataset, options))
    train(cfg)
    assert built == ['train.txt', 'val.txt']


def settle(cfg, split, **settings):
    for key, value in settings.items():
        cfg.data[split][key] = value


@EVERYWHERE
@pytest.mark.parametrize(('change', 'told'), [
    (lambda cfg: cfg.model.decode_head.update(ignore_index=255),
     r'ignore_index=3 of data\.train \(CustomDataset\), but model\.decode_head\.ignore_index=255'),
    (lambda cfg: cfg.model.auxiliary_head.update(ignore_index=1),
     r'of data\.train \(CustomDataset\), but model\.auxiliary_head\.ignore_index=1'),
    (lambda cfg: settle(cfg, 'val', ignore_index=255),
     r'ignore_index=3 of data\.train, but ignore_index=255 of data\.val \(CustomDataset\)'),
    (lambda cfg: settle(cfg, 'val', reduce_zero_label=True, ignore_index=3, label_map={}),
     r'with reduce_zero_label mask values from 1 to 3|reduce_zero_label=False of data\.train, but '
     r'reduce_zero_label=True of data\.val'),
    (lambda cfg: settle(cfg, 'val', classes=['b', 'a', 'c']),
     r"another order of them: .*data\.train has 'a', 'b', 'c', data\.val .* 'b', 'a', 'c'"),
    (lambda cfg: settle(cfg, 'val', classes=['a', 'b', 'x']),
     r"data\.train alone has 'c'; data\.val \(CustomDataset\) alone has 'x'"),
    (lambda cfg: settle(cfg, 'val', classes=['a', 'b']),
     r"other classes, or another order of them: 3 classes there, 2 here; data\.train alone has "),
    (lambda cfg: settle(cfg, 'train', label_map={0: 1, 1: 0}),
     r'data\.train has label_map=\{0: 1, 1: 0\}, but data\.val .* has none: .*label_map=\{\}'),
    (lambda cfg: settle(cfg, 'val', label_map={0: 1, 1: 0}),
     r'data\.val .* has label_map=\{0: 1, 1: 0\}, but data\.train has none'),
    (lambda cfg: cfg.model.decode_head.update(num_classes=4),
     r'model\.decode_head has num_classes=4 but data\.train \(CustomDataset\) has 3 classes'),
])
def test_clashes_name_both_places_before_a_step(cfg, check, change, told):
    cfg.data.train.ignore_index = 3
    change(cfg)
    with pytest.raises((ConfigError, DataError), match=f'(?s){told}'):
        check(cfg)


def test_clashes_that_are_meant(cfg):
    cfg.data.train.ignore_index = 3
    cfg.match_classes = False
    settle(cfg, 'val', classes=['a', 'b'])
    with pytest.raises(ConfigError, match=r'num_classes=3 but data\.val \(CustomDataset\) has 2'):
        preflight(cfg)
    settle(cfg, 'val', classes=['b', 'a', 'c'])
    preflight(cfg)
    settle(cfg, 'val', classes=ABC, label_map={})
    settle(cfg, 'train', label_map={0: 1, 1: 0})
    preflight(cfg)
    del cfg.match_classes  # `label_map={}` says that the masks need none
    preflight(cfg)


@pytest.fixture
def warned(caplog, monkeypatch):
    """What the log has warned of so far."""
    monkeypatch.setattr(logging.getLogger('mmseg'), 'propagate', True)
    caplog.set_level(logging.WARNING, 'mmseg')
    return lambda: caplog.text


def test_other_colours_are_told(cfg, warned):
    cfg.data.train.ignore_index = 3
    cfg.data.train.palette = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    preflight(cfg)
    assert 'data.val paints the classes in other colours than data.train' in warned()


@pytest.fixture
def from_one(cfg, tmp_path):
    """The same config with masks of 0 for void and 1 to 3 for the classes."""
    for number in range(6):
        file = tmp_path / f'ann/{number}.png'
        label = np.array(Image.open(file))
        Image.fromarray(np.where(label == 3, 0, label + 1).astype(np.uint8)).save(file)
    return cfg


def loading(cfg, value):
    cfg.data.train.pipeline[1].reduce_zero_label = value


@EVERYWHERE
@pytest.mark.parametrize('set_it', [
    lambda cfg: settle(cfg, 'train', reduce_zero_label=True), lambda cfg: loading(cfg, True)])
def test_reduce_zero_label_in_one_place_is_followed_by_the_others(from_one, check, set_it):
    set_it(from_one)
    check(from_one)
    assert build_split(from_one, 'train').reduce_zero_label
    stored = np.array(Image.open(f'{from_one.data.val.data_root}/ann/4.png'))
    expected = np.where(stored == 0, 255, stored.astype(int) - 1)
    np.testing.assert_array_equal(build_split(from_one, 'val').get_gt_seg_map(0), expected)


@EVERYWHERE
def test_reduce_zero_label_that_is_told_both_ways(from_one, check):
    settle(from_one, 'train', reduce_zero_label=True)
    loading(from_one, False)
    with pytest.raises(ConfigError, match=r'same in CustomDataset \(True\) and in LoadAnnotations '
                                          r'.*\(False\).* leave it out of LoadAnnotations'):
        check(from_one)
    loading(from_one, True)
    settle(from_one, 'val', reduce_zero_label=False)
    with pytest.raises((ConfigError, DataError), match=(
            r'reduce_zero_label=True of data\.train, but reduce_zero_label=False of data\.val')):
        check(from_one)


def test_the_data_of_a_second_workflow_follow_too(cfg):
    settle(cfg, 'train', ignore_index=3)
    cfg.data.samples_per_gpu = 2
    cfg.workflow = [('train', 1), ('val', 1)]
    cfg.runner.max_iters = 2
    assert train(cfg).iter == 2


# ------------------------------------------------------------------ checkpoints


def save(cfg, file, num_classes=3, **meta):
    model = copy.deepcopy(cfg.model)
    for part in (model.decode_head, model.auxiliary_head):
        part.num_classes = num_classes
    torch.save(dict(meta=meta, state_dict=build_segmentor(model).state_dict()), file)
    return str(file)


def score(cfg, checkpoint):
    cfg.data.test.ignore_index = 3
    return evaluate_from_config(cfg, checkpoint, CPU, OutputOptions(metrics=['mIoU']))


PREDICT = pytest.mark.parametrize('predict', [
    score, lambda cfg, file: check_job(cfg, 'cpu', None, 1, file), init_segmentor])


@PREDICT
@pytest.mark.parametrize('remove', [False, True])
def test_a_head_that_was_not_loaded_does_not_predict(cfg, tmp_path, predict, remove):
    file = save(cfg, tmp_path / 'other.pth', num_classes=2)
    told = r'conv_seg\.weight \[3, 8, 1, 1\] \(\[2, 8, 1, 1\] in the checkpoint\)'
    if remove:
        content = torch.load(file)
        content['state_dict'] = {key: value for key, value in content['state_dict'].items()
                                 if not key.startswith('decode_head')}
        torch.save(content, file)
        told = r'conv_seg\.weight \[3, 8, 1, 1\], '
    with pytest.raises(CheckpointError, match=f'other.pth lacks weights that the model predicts '
                                              rf'with: decode_head\.{told}'):
        predict(cfg, file)
    cfg.match_weights = False
    assert predict(cfg, file)


@PREDICT
def test_auxiliary_heads_predict_nothing(cfg, tmp_path, predict):
    file = save(cfg, tmp_path / 'whole.pth', CLASSES=ABC)
    del cfg.model['auxiliary_head']
    assert predict(cfg, file)
    content = torch.load(file)
    content['state_dict'] = {f'module.{key}': value for key, value in content['state_dict'].items()
                             if not key.startswith('auxiliary_head')}
    torch.save(content, file)
    cfg.model.auxiliary_head = HEAD
    assert predict(cfg, file)


def test_fine_tuning_takes_a_checkpoint_of_other_classes(cfg, tmp_path, warned):
    settle(cfg, 'train', ignore_index=3)
    cfg.load_from = save(cfg, tmp_path / 'other.pth', num_classes=5, CLASSES=list('vwxyz'))
    assert train(cfg).iter == 1
    assert 'of another shape, not loaded' in warned()


@pytest.mark.parametrize('check', [train, preflight])
def test_a_run_does_not_go_on_with_another_order(cfg, check):
    settle(cfg, 'train', ignore_index=3)
    train(cfg)
    cfg.resume_from = f'{cfg.work_dir}/iter_1.pth'
    check(cfg)
    for split in ('train', 'val'):
        settle(cfg, split, classes=['b', 'a', 'c'])
    with pytest.raises(CheckpointError, match='cannot be resumed with CustomDataset'):
        check(cfg)


def test_preflight_compares_the_classes_of_a_checkpoint(cfg, tmp_path):
    file = save(cfg, tmp_path / 'other.pth', CLASSES=['a', 'b', 'x'])
    with pytest.raises(CheckpointError, match='was trained for other classes than those of Custom'):
        check_job(cfg, 'cpu', None, 1, file)


def test_a_checkpoint_without_names_is_taken_for_that_of_the_training_data(cfg, tmp_path):
    file = save(cfg, tmp_path / 'nameless.pth')
    assert score(cfg, file)
    settle(cfg, 'test', classes=['b', 'a', 'c'])
    with pytest.raises(ConfigError, match=r'data\.train and data\.test .* another order'):
        score(cfg, file)
    cfg.match_classes = False
    assert score(cfg, file)


# ------------------------------------------------------------------ what a look at the data finds


@pytest.mark.parametrize('check', [train, preflight])
def test_labels_that_are_no_class_stop_the_job(cfg, check):
    with pytest.raises(DataError, match=r'(?s)masks with values that are no class: .*'
                                        r'if 3 marks pixels without a class \(void, unlabelled\), '
                                        'set ignore_index=3'):
        check(cfg)


def test_the_doctor_goes_on_where_the_model_cannot_be_built(cfg):
    settle(cfg, 'train', ignore_index=3)
    cfg.model.decode_head.channels = 0
    text, code = check_dataset(cfg, nproc=1)
    assert code == 0
    assert 'its model cannot be built, so heads and losses are not compared' in text
    assert 'channels=0' in text
    del cfg['model']
    assert check_dataset(cfg, nproc=1)[1] == 0


@pytest.mark.parametrize('modes', [('train', 'val'), ('val', 'train'), ('val', 'train', 'val')])
def test_the_training_data_decide_wherever_a_workflow_begins(modes):
    datasets = [f'{mode} {number}' for number, mode in enumerate(modes)]
    expected = [(mode, f'{mode} {modes.index(mode)}') for mode in ('train', 'val')]
    assert list(splits_of(datasets, [(mode, 1) for mode in modes]).items()) == expected
