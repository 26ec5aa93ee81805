"""A whole test job on images of several sizes: what makes it fast changes no score."""
import logging
import pickle
import weakref

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.apis import OutputOptions, Process, evaluate_from_config, init_segmentor
from mmseg.apis.acceleration import prepare_inference
from mmseg.apis.loaders import evaluation_loader
from mmseg.core.evaluation.records import read_record
from mmseg.datasets import build_dataset
from mmseg.models import EncoderDecoder, build_segmentor

CPU = Process(torch.device('cpu'))
SIZES = [(40, 48), (40, 48), (48, 40), (40, 48), (33, 57)]
NORM = dict(type='BN')
STEPS = [dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'),
         dict(type='Normalize', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True),
         dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])]
MODEL = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=18, num_stages=2, strides=(1, 2), dilations=(1, 1),
                  out_indices=(0, 1), base_channels=8, stem_channels=8, norm_cfg=NORM),
    decode_head=dict(type='PSPHead', in_channels=16, channels=8, in_index=1, pool_scales=(1, 2),
                     num_classes=4, norm_cfg=NORM, dropout_ratio=0))


@pytest.fixture
def make_job(tmp_path):
    """Writes images, masks and a checkpoint; returns a function that makes the config."""
    def write(number):
        rng = np.random.default_rng(0)
        for i in range(number):
            size = SIZES[i % len(SIZES)]
            coarse = rng.integers(0, 256, (5, 6, 3), np.uint8)
            for folder, array in (('img', cv2.resize(coarse, size[::-1])),
                                  ('ann', rng.integers(0, 4, size).astype(np.uint8))):
                (tmp_path / folder).mkdir(exist_ok=True)
                cv2.imwrite(str(tmp_path / folder / f'{i:03}.png'), array)

    def make(number=10, options=None, **data):
        write(number)
        torch.manual_seed(0)
        model = build_segmentor(MODEL)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1)
        nn.init.normal_(model.decode_head.conv_seg.weight)
        torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / 'model.pth')
        dataset = dict(type='CustomDataset', data_root=str(tmp_path), img_dir='img', ann_dir='ann',
                       img_suffix='.png', classes=('a', 'b', 'c', 'd'), pipeline=[
                           dict(type='LoadImageFromFile'),
                           dict(type='MultiScaleFlipAug', img_scale=(96, 64), flip=False,
                                transforms=STEPS)])
        return Config(dict(model=MODEL, data=dict(workers_per_gpu=0, test=dataset, **data),
                           **(options or {})))
    return make


@pytest.fixture
def run(tmp_path):
    """Scores and label maps of a job."""
    def run(cfg):
        out = tmp_path / 'out.pkl'
        scores = evaluate_from_config(cfg, str(tmp_path / 'model.pth'), CPU,
                                      OutputOptions(metrics=['mIoU'], out=str(out)))
        return scores, pickle.loads(out.read_bytes())
    return run


def same(first, second):
    assert first[0] == second[0]
    for one, other in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def batches(monkeypatch):
    """The sizes of the batches that the network sees."""
    seen = []
    plain = EncoderDecoder.encode_decode

    def watch(self, img, img_metas):
        seen.append(tuple(img.shape))
        return plain(self, img, img_metas)

    monkeypatch.setattr(EncoderDecoder, 'encode_decode', watch)
    return seen


def test_images_of_equal_size_are_predicted_together(make_job, run, batches):
    single = run(make_job())
    assert [shape[0] for shape in batches] == [1] * 10
    assert len({label_map.shape for label_map in single[1]}) == 3
    assert all(len(np.unique(label_map)) > 1 for label_map in single[1])
    batches.clear()
    same(run(make_job(test_dataloader=dict(samples_per_gpu=5))), single)
    assert [shape[0] for shape in batches] == [3, 1, 1] * 2


def test_settings_of_the_loader_are_checked(make_job, run):
    with pytest.raises(ConfigError, match=r'data\.test_dataloader\.sample_per_gpu .* is no setting '
                       r"and .* mean 'data\.test_dataloader\.samples_per_gpu'"):
        run(make_job(test_dataloader=dict(sample_per_gpu=5)))
    with pytest.raises(ConfigError, match=r'data\.test_dataloader\.shuffle=True .*it takes '
                       'False: each image is scored once'):
        run(make_job(test_dataloader=dict(shuffle=True)))
    run(make_job(test_dataloader=dict(shuffle=False, drop_last=False),
                 train_dataloader=dict(shuffle=True)))


def test_each_split_has_its_own_loader(make_job):
    cfg = make_job(val_dataloader=dict(samples_per_gpu=4, workers_per_gpu=2),
                   test_dataloader=dict(samples_per_gpu=3))
    dataset = build_dataset(cfg.data.test, dict(test_mode=True))
    for split, expected in (('val', (4, 2)), ('test', (3, 0))):
        loader = evaluation_loader(dataset, cfg, split, False, CPU.device)
        assert (loader.batch_size, loader.num_workers) == expected


def test_evaluation_has_the_plain_pipeline_too(make_job):
    planned = {}
    for plan in (True, False):
        cfg = make_job(plan_pipeline=plan)
        dataset = build_dataset(cfg.data.test, dict(test_mode=True))
        evaluation_loader(dataset, cfg, 'test', False, CPU.device)
        inner = dataset.pipeline.transforms[-1].transforms
        planned[plan] = 'CHWNormalize' in [type(step).__name__ for step in inner._steps()]
    assert planned == {True: True, False: False}


@pytest.mark.parametrize(('mode', 'search'), [('whole', False), ('slide', True)])
def test_kernels_are_searched_for_windows_alone(make_job, run, monkeypatch, mode, search):
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', not search)
    cfg = make_job()
    cfg.cudnn_benchmark = True
    cfg.test_cfg = dict(mode=mode, crop_size=(32, 32), stride=(32, 32))
    run(cfg)
    assert torch.backends.cudnn.benchmark is search


def test_folded_norms_and_memory_format_change_no_label(make_job, run, monkeypatch):
    seen = []

    def norms(self, *args, plain=EncoderDecoder.simple_test, **options):
        weight = self.backbone.layer1[0].conv1.weight
        seen.append((sum(isinstance(module, nn.BatchNorm2d) for module in self.modules()),
                     weight.is_contiguous(memory_format=torch.channels_last)))
        return plain(self, *args, **options)

    monkeypatch.setattr(EncoderDecoder, 'simple_test', norms)
    first, plain, channels_last = [
        run(make_job(options=options)) for options in (
            dict(channels_last=False), dict(channels_last=False, fuse_conv_bn=False),
            dict(channels_last=True))]
    same(plain, first)
    same(channels_last, first)
    assert set(seen[:10]) == {(0, False)}
    assert seen[10][0] > 10
    assert not seen[10][1]
    assert set(seen[20:]) == {(0, True)}


class NoSettings(EncoderDecoder):
    """A model of a user that keeps no test_cfg."""

    def __init__(self, **options):
        super().__init__(**options)
        del self.test_cfg

    def simple_test(self, img, img_metas, rescale=True):
        self.test_cfg = Config(dict(mode='whole'))
        return super().simple_test(img, img_metas, rescale)


def test_a_model_without_settings_for_tests(make_job, run):
    cfg = make_job()
    expected = run(cfg)
    cfg.model.type = NoSettings
    same(run(cfg), expected)


class ForeignNet(EncoderDecoder):
    """A model of a user, whose own layers may run in any order."""

    def __init__(self, **options):
        super().__init__(**options)
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def encode_decode(self, img, img_metas):
        return super().encode_decode(self.conv(self.norm(img)), img_metas)


def test_norms_of_foreign_modules_are_folded_only_when_asked(make_job, tmp_path):
    cfg = make_job()
    cfg.model.type = ForeignNet
    for wanted, left in ((None, 1), (True, 0)):
        if wanted:
            cfg.fuse_conv_bn = wanted
        model = build_segmentor(cfg.model)
        prepare_inference(model, cfg, CPU.device)
        assert sum(isinstance(module, nn.BatchNorm2d) for module in model.modules()) == left


def test_a_model_for_inference_keeps_its_keys(make_job, tmp_path):
    cfg = make_job()
    model = init_segmentor(cfg, str(tmp_path / 'model.pth'), 'cpu')
    stored = torch.load(tmp_path / 'model.pth')['state_dict']
    assert model.state_dict().keys() == stored.keys()
    assert all(torch.equal(value, stored[key]) for key, value in model.state_dict().items())


def test_weights_that_a_checkpoint_lacks_are_drawn(make_job, tmp_path, monkeypatch):
    cfg = make_job()
    cfg.match_weights = False
    stored = torch.load(tmp_path / 'model.pth')
    del stored['state_dict']['decode_head.conv_seg.weight']
    torch.save(stored, tmp_path / 'part.pth')
    empty = torch.empty
    monkeypatch.setattr(torch, 'empty', lambda *size, **options: empty(*size, **options).fill_(9e9))
    for checkpoint in (None, str(tmp_path / 'part.pth')):
        model = init_segmentor(cfg, checkpoint, 'cpu')
        assert all(parameter.abs().max() < 100 for parameter in model.parameters())


def test_nothing_of_a_sample_is_kept(make_job, tmp_path, monkeypatch):
    held, alive = [], []

    def counting(self, img, img_metas, plain=EncoderDecoder.simple_test, **options):
        alive.append(sum(each() is not None for each in held))
        label_maps = plain(self, img, img_metas, **options)
        held.extend(map(weakref.ref, [img, *label_maps]))
        return label_maps

    monkeypatch.setattr(EncoderDecoder, 'simple_test', counting)
    evaluate_from_config(make_job(30), str(tmp_path / 'model.pth'), CPU,
                         OutputOptions(metrics=['mIoU'], show_dir=str(tmp_path / 'show')))
    assert len(alive) == 30
    assert max(alive) <= 4


def test_options_of_format_results(make_job, tmp_path):
    def run(**given):
        options = OutputOptions(format_only=True,
                                eval_options={'out_dir': str(tmp_path / 'files'), **given})
        evaluate_from_config(make_job(3), str(tmp_path / 'model.pth'), CPU, options)

    run()
    assert len(list((tmp_path / 'files').glob('*.png'))) == 3
    with pytest.raises(ArgumentError, match='out_dir=.* and imgfile_prefix=.* are names of one'):
        run(imgfile_prefix='here')
    with pytest.raises(ConfigError, match='--eval-options competition=...: format_results'):
        run(competition='comp5')


def test_a_metric_that_does_not_exist_is_refused_before_the_model_is_built(make_job, tmp_path):
    with pytest.raises(ConfigError, match="metric 'mIOU' does not exist"):
        evaluate_from_config(make_job(1), 'nowhere.pth', CPU, OutputOptions(metrics=['mIOU']))


# ------------------------------------------------------------------ two classes by one logit


SIGMOID = dict(type='CrossEntropyLoss', use_sigmoid=True)


@pytest.fixture
def make_binary_job(make_job, tmp_path):
    """As `make_job`, of two classes, by one logit; masks show the dark and the light."""
    def make(head=None, dataset=None, **options):
        cfg = make_job(**options)
        for file in (tmp_path / 'ann').iterdir():
            mask = cv2.imread(str(tmp_path / 'img' / file.name), 0) // 128
            mask[:4] = 255
            cv2.imwrite(str(file), mask)
        cfg.model.decode_head.update(dict(num_classes=2, out_channels=1, loss_decode=SIGMOID))
        cfg.model.decode_head.update(head or {})
        cfg.data.test.classes = ('dark', 'light')
        cfg.data.test.update(dataset or {})
        stored = torch.load(tmp_path / 'model.pth')
        for key in ('weight', 'bias'):
            name = f'decode_head.conv_seg.{key}'
            stored['state_dict'][name] = stored['state_dict'][name][:1]
        torch.save(stored, tmp_path / 'model.pth')
        return cfg
    return make


@pytest.mark.parametrize('head', [None, dict(num_classes=1, out_channels=None)])
@pytest.mark.parametrize('aug_test', [False, True])
def test_one_logit_has_two_rows(make_binary_job, tmp_path, capsys, head, aug_test):
    cfg = make_binary_job(head)
    out = tmp_path / 'out.pkl'
    scores = evaluate_from_config(
        cfg, str(tmp_path / 'model.pth'), CPU,
        OutputOptions(metrics=['mIoU'], out=str(out), aug_test=aug_test))
    table = capsys.readouterr().out
    maps = pickle.loads(out.read_bytes())
    files = sorted((tmp_path / 'ann').iterdir())
    counts = np.zeros((2, 2))
    for label_map, file in zip(maps, files, strict=True):
        mask = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        for truth, found in zip(mask[mask < 2], label_map[mask < 2], strict=True):
            counts[truth, found] += 1
    assert counts.sum(0).min() > 0
    for i, name in enumerate(('dark', 'light')):
        iou = counts[i, i] / (counts[i].sum() + counts[:, i].sum() - counts[i, i])
        assert scores[f'IoU.{name}'] == pytest.approx(iou)
        assert f'| {name} ' in table
    assert scores['mIoU'] == pytest.approx((scores['IoU.dark'] + scores['IoU.light']) / 2)


def test_a_problem_of_one_class_has_two_ways_out(make_binary_job, tmp_path):
    cfg = make_binary_job(dict(num_classes=1, out_channels=None), dict(classes=('light',)))
    with pytest.raises(ConfigError, match=r'has 1 class: name both.*\(1\).*\(2\)'):
        evaluate_from_config(cfg, str(tmp_path / 'model.pth'), CPU,
                             OutputOptions(metrics=['mIoU']))


@pytest.mark.parametrize(('work_dir', 'of_config', 'options', 'folder'), [
    (None, None, {}, 'work_dirs/toy/format_results'),
    (None, 'own', {}, 'own/format_results'),
    ('given', 'own', {}, 'given/format_results'),
    ('given', None, dict(out_dir='there'), 'there'),
])
def test_files_for_a_test_server_are_in_the_work_dir(make_job, tmp_path, monkeypatch, caplog,
                                                     work_dir, of_config, options, folder):
    cfg = make_job(2)
    cfg.filename, cfg.work_dir = str(tmp_path / 'toy.py'), of_config
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    monkeypatch.setattr(logging.getLogger('mmseg'), 'propagate', True)
    with caplog.at_level('INFO', 'mmseg'):
        evaluate_from_config(cfg, str(tmp_path / 'model.pth'), CPU, OutputOptions(
            format_only=True, eval_options=options, work_dir=work_dir, out='all.pkl'))
    written = tmp_path / 'here' / folder
    assert sorted(file.name for file in written.iterdir()) == ['000.png', '001.png']
    assert f'files for a test server: {written}' in caplog.messages
    assert f'predictions: {tmp_path}/here/all.pkl' in caplog.messages
    assert not [each for each in caplog.messages if each.startswith('painted')]


def test_a_legend_on_request(make_job, tmp_path):
    for name, legend in (('plain', False), ('listed', True)):
        evaluate_from_config(make_job(2), str(tmp_path / 'model.pth'), CPU, OutputOptions(
            show_dir=str(tmp_path / name), show_legend=legend))
    plain, listed = (cv2.imread(str(tmp_path / name / '000.png')) for name in ('plain', 'listed'))
    assert plain.shape == (40, 48, 3)
    assert listed.shape[0] > 40
    assert np.array_equal(listed[:40, :48], plain)
    for wrong in (dict(show_legend=True), dict(show_bands=[0])):
        with pytest.raises(ConfigError, match='give --show-dir DIR or --show too'):
            OutputOptions(metrics=['mIoU'], **wrong)


def test_classes_without_names_are_those_of_the_model(make_job, tmp_path):
    """The counts are kept in the record of the test, as with names."""
    found = []
    for classes in (('0', '1', '2', '3'), None):
        cfg = make_job()
        cfg.data.test.classes = classes
        folder = tmp_path / str(classes is None)
        scores = evaluate_from_config(cfg, str(tmp_path / 'model.pth'), CPU,
                                      OutputOptions(metrics=['mIoU'], work_dir=str(folder)))
        record = read_record(next(folder.glob('eval_*.npz')))
        found.append((scores, record.classes, record.confusion.tolist()))
    assert found[0] == found[1]
