"""Checkpoints of other classes, or of another order of them, than those of the data set."""
import pickle
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError
from mmseg.apis import OutputOptions, Process, evaluate_from_config
from mmseg.apis.labels.trained_classes import (
    check_resumed_classes,
    classes_in,
    places_by_name,
    tell_other_classes,
)
from mmseg.datasets import CustomDataset, build_dataset
from mmseg.models import build_segmentor

CPU = Process(torch.device('cpu'))
ABCD = ('a', 'b', 'c', 'd')
PALETTE = [[10, 0, 0], [0, 200, 0], [0, 0, 90], [40, 40, 40]]
MODEL = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                  out_indices=(0,), base_channels=8, stem_channels=8),
    decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_convs=0, concat_input=False,
                     num_classes=4, dropout_ratio=0))


@pytest.mark.parametrize(('trained', 'wanted', 'expected'), [
    (ABCD, list(ABCD), [0, 1, 2, 3]),
    (['c', 'a', 'b'], ('a', 'b', 'c'), [2, 0, 1]),
    (np.array(['b', 'a']), ('a', 'b'), [1, 0]),
    ((' Traffic light', 'car'), ('traffic_light', 'Car'), [0, 1]),
    (('CAR', 'traffic-light'), ('trafficlight', 'car'), [1, 0]),
    (('a', 'A'), ('A', 'a'), [1, 0]),  # nothing but the case tells them apart
    (('a', 'A', 'b'), ('a', 'A', 'B'), None),
    (('a', 'a'), ('a', 'a'), [0, 1]),
    (('a', 'a', 'b'), ('a', 'b', 'b'), None),
    (('a', 'b'), ('a', 'c'), None),
    (('a', 'b', 'c'), ('a', 'b'), None),
    (None, ('a', 'b'), [0, 1]),
    (('a', 'b'), None, [0, 1])])
def test_places(trained, wanted, expected):
    assert places_by_name(trained, wanted) == expected


@pytest.mark.parametrize(('checkpoint', 'expected'), [
    ({}, None), (dict(meta=None), None), (dict(meta=3), None),
    (dict(meta=dict(CLASSES='ab')), None),
    (dict(meta=dict(CLASSES=['a', 'b'])), ('a', 'b')), (dict(meta=dict(CLASSES=[])), None),
    (dict(meta=dict(dataset_meta=dict(classes=('x',)))), ('x',))])
def test_classes_in_a_checkpoint(checkpoint, expected):
    assert classes_in(checkpoint) == expected


@pytest.fixture
def job(tmp_path):
    """`job(CLASSES, out, ...)`: label maps, scores and files of a test with such a checkpoint."""
    rng = np.random.default_rng(0)
    for i in range(3):
        for folder, array in (('img', rng.integers(0, 256, (20, 24, 3), np.uint8)),
                              ('ann', rng.integers(0, 4, (20, 24)).astype(np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f'{i}.png'), array)
    torch.manual_seed(0)
    model = build_segmentor(MODEL)
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    weights = model.state_dict()
    steps = [dict(type='LoadImageFromFile'), dict(type='MultiScaleFlipAug', img_scale=(24, 20),
             flip=False, transforms=[
                 dict(type='Resize', keep_ratio=True),
                 dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True),
                 dict(type='ImageToTensor', keys=['img']),
                 dict(type='Collect', keys=['img'], meta_keys=(
                     'ori_filename', 'ori_shape', 'img_shape', 'pad_shape', 'img_norm_cfg'))])]

    def run(meta, name='out', dataset=None, evaluate=True, **settings):
        test = dict(type='CustomDataset', data_root=str(tmp_path), img_dir='img', ann_dir='ann',
                    img_suffix='.png', classes=ABCD, palette=PALETTE, pipeline=steps)
        test.update(dataset or {})
        cfg = Config(dict(model=MODEL, data=dict(workers_per_gpu=0, test=test), **settings))
        checkpoint, folder = tmp_path / f'{name}.pth', tmp_path / name
        torch.save(dict(meta=meta, state_dict=weights), checkpoint)
        options = OutputOptions(
            metrics=['mIoU'] if evaluate else (), out=str(tmp_path / f'{name}.pkl'),
            format_only=not evaluate, show_dir=str(folder / 'painted'), opacity=1,
            eval_options={} if evaluate else dict(out_dir=str(folder / 'formatted')))
        scores = evaluate_from_config(cfg, str(checkpoint), CPU, options)
        maps = pickle.loads((tmp_path / f'{name}.pkl').read_bytes())
        return SimpleNamespace(scores=scores, maps=maps, folder=folder, cfg=cfg)
    return run


@pytest.mark.parametrize('meta', [
    dict(CLASSES=('c', 'a', 'd', 'b')), dict(CLASSES=['C', ' A', 'd', 'b']),
    dict(dataset_meta=dict(classes=('c', 'a', 'd', 'b')))])
def test_another_order_is_mapped_everywhere(job, meta):
    plain = job(dict(CLASSES=ABCD))
    assert len(np.unique(plain.maps)) > 2
    # A predicted 0 is 'c', which is the class 2 of the data set, and so on.
    expected = [np.array([2, 0, 3, 1])[label_map] for label_map in plain.maps]
    found = job(meta, 'mapped')
    np.testing.assert_array_equal(found.maps, expected)
    dataset = build_dataset(found.cfg.data.test, dict(test_mode=True))
    assert found.scores == dataset.evaluate(expected)
    assert found.scores != plain.scores
    files = job(meta, 'files', dict(ann_dir=None), evaluate=False)
    for i, label_map in enumerate(expected):
        with Image.open(files.folder / f'formatted/{i}.png') as image:
            np.testing.assert_array_equal(np.array(image), label_map)
        colours = cv2.imread(str(found.folder / f'painted/{i}.png'))[..., ::-1]
        np.testing.assert_array_equal(colours, np.array(PALETTE)[label_map])


@pytest.mark.parametrize('meta', [
    {}, dict(CLASSES=list(ABCD)), dict(CLASSES=('A', 'b ', 'C', 'd')), dict(CLASSES=None)])
def test_nothing_changes_where_the_classes_are_the_same(job, meta):
    plain, found = job(dict(CLASSES=ABCD)), job(meta, 'other')
    assert found.scores == plain.scores
    np.testing.assert_array_equal(found.maps, plain.maps)


def test_a_choice_of_classes_in_another_order(job):
    """`classes` of a data set that knows them: masks and predictions are renumbered alike."""
    class Letters(CustomDataset):
        CLASSES = ABCD
        PALETTE = PALETTE

    plain = job(dict(CLASSES=ABCD), dataset=dict(type=Letters, classes=None, palette=None))
    found = job(dict(CLASSES=ABCD), 'mapped',
                dict(type=Letters, classes=('d', 'b', 'a', 'c'), palette=None))
    assert found.scores == pytest.approx(plain.scores)
    assert list(found.scores) != list(plain.scores)  # the table has the order of `classes`


def test_other_classes_are_refused(job):
    with pytest.raises(CheckpointError, match=(
            r"(?s)out\.pth was trained for other classes than those of CustomDataset: 4 classes "
            r"there, 4 here; the checkpoint alone has 'e', 'f'; the data set alone has 'b', 'c'\. "
            r'Give the checkpoint .* set `classes` in data\.test .* match_classes=False')):
        job(dict(CLASSES=('a', 'e', 'f', 'd')))


def test_many_other_classes_are_counted(job):
    names = [f'class {i}' for i in range(150)]
    with pytest.raises(CheckpointError, match="'class 7' and 142 more; the data set"):
        job(dict(CLASSES=names))


def test_comparing_may_be_switched_off(job):
    plain = job(dict(CLASSES=ABCD))
    for name, classes in (('renamed', ('w', 'x', 'y', 'z')), ('permuted', ('c', 'a', 'd', 'b'))):
        found = job(dict(CLASSES=classes), name, match_classes=False)
        assert found.scores == plain.scores


# ------------------------------------------------------------------ training


DATASET = SimpleNamespace(CLASSES=ABCD)


@pytest.fixture
def resumed(tmp_path):
    """`resumed(CLASSES, ...)`: the config of a run that goes on from such a checkpoint."""
    def make(classes, **settings):
        torch.save(dict(meta=dict(CLASSES=classes)), tmp_path / 'iter_1.pth')
        return Config(dict(resume_from=str(tmp_path / 'iter_1.pth'), **settings))
    return make


@pytest.mark.parametrize(('classes', 'message'), [
    (('b', 'a', 'c', 'd'), r"order differs from class 0 on, the checkpoint has 'b', 'a', 'c', 'd', "
                           "the data set 'a', 'b', 'c', 'd'"),
    (('a', 'b', 'c', 'x'), "the checkpoint alone has 'x'; the data set alone has 'd'"),
    (('a', 'b', 'c'), "3 classes there, 4 here; the data set alone has 'd'")])
def test_a_run_does_not_go_on_with_other_classes(resumed, classes, message):
    with pytest.raises(CheckpointError, match=rf'cannot be resumed with .*{message}.*load_from'):
        check_resumed_classes(resumed(classes), DATASET)
    check_resumed_classes(resumed(classes, match_classes=False), DATASET)


@pytest.mark.parametrize('classes', [None, ABCD, list(ABCD), ('A', ' b', 'c', 'd')])
def test_a_run_goes_on_with_the_same(resumed, classes):
    check_resumed_classes(resumed(classes), DATASET)


def test_a_start_from_the_classifier_of_other_classes_is_told(caplog):
    def tell(classes, **settings):
        caplog.clear()
        with caplog.at_level('INFO', 'mmseg'):
            tell_other_classes(Config(dict(load_from='x.pth', **settings)),
                               dict(meta=dict(CLASSES=classes)), DATASET)
        return caplog.text

    assert "x.pth begins with the classifier of other classes" in tell(('a', 'b', 'c', 'e'))
    assert 'the order differs from class 2 on' in tell(('a', 'b', 'd', 'c'))
    told = tell(('x', 'y'))
    assert 'trained for 2 classes, and SimpleNamespace has 4: the classifiers start' in told
    for classes in (ABCD, None):
        assert not tell(classes)
    assert not tell(('a', 'b', 'd', 'c'), match_classes=False)
