"""The loss of an evaluation, against torch's cross entropy of all logits."""
import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core import EvalHook
from mmseg.core.evaluation import evaluate_model, val_loss
from mmseg.core.evaluation.val_loss import ValidationLoss

from .conftest import CopyingModel


def logits_of(image):
    """Logits [1, 3, H, W] of a normalised image [3, H, W]."""
    return torch.stack([image[0], image[1] - image[2], image[0] * image[1]])[None] * 3


class LogitsModel(CopyingModel):
    """Predicts by logits and gives them away; the last image of a batch first."""

    num_classes = 3

    def forward(self, img, img_metas, return_loss=True, rescale=False, on_logits=None):
        assert not torch.is_grad_enabled()
        maps = {}
        for place in reversed(range(len(img_metas[0]))):
            height, width = img_metas[0][place]['img_shape'][:2]
            logits = logits_of(img[0][place, :, :height, :width])
            if on_logits is not None:
                on_logits(place, logits)
            maps[place] = logits[0].argmax(0).numpy()
        return [maps[place] for place in range(len(maps))]

    def check_prediction_losses(self):
        return ['loss_seg', 'loss_half', 'loss']

    def prediction_losses(self, logits, label):
        loss = F.cross_entropy(logits, label[:, 0].long(), ignore_index=255)
        return dict(loss_seg=loss, loss_half=loss / 2, loss=1.5 * loss)


def plain_loss(dataset):
    losses = [F.cross_entropy(logits_of(dataset[index]['img'][0].data),
                              torch.tensor(label[None]).long(), ignore_index=255).item()
              for index, label in enumerate(dataset.labels)]
    return sum(losses) / len(losses)


@pytest.fixture
def model():
    return MMDataParallel(LogitsModel())


@pytest.fixture
def logged(make_runner, make_loader, train_loader, tmp_path):
    """The records of the log of a run with `val_loss`."""
    def run(batch_size=1, length=4, hook=EvalHook, **options):
        runner = make_runner(hook(make_loader(batch_size), **{'interval': 2, **options}), length)
        runner.register_training_hooks(
            dict(policy='fixed'), {},
            log_config=dict(interval=1, hooks=[dict(type='TextLoggerHook')]))
        runner.run([train_loader], [('train', 1)])
        lines = max(tmp_path.glob('*.log.json')).read_text().splitlines()
        return [json.loads(line) for line in lines[1:]]
    return run


@pytest.mark.parametrize('batch_size', [1, 2, 7])
def test_the_mean_over_the_images(logged, dataset, batch_size):
    dataset.labels[2][:2] = 255
    records = logged(batch_size, val_loss=True)
    found = [record for record in records if record['mode'] == 'val']
    assert len(found) == 2
    for record in found:
        assert record['val/loss_seg'] == pytest.approx(plain_loss(dataset), rel=1e-5)
        assert record['val/loss_half'] == pytest.approx(plain_loss(dataset) / 2, rel=1e-5)
        assert record['val/loss'] == pytest.approx(1.5 * plain_loss(dataset), rel=1e-5)
        assert 'mIoU' in record


def test_no_losses_of_one_kind_are_logged_among_the_other(logged):
    records = logged(val_loss=True)
    assert [record['mode'] for record in records] == ['train', 'train', 'val', 'train', 'train',
                                                      'val']
    for record in records:
        names = [name for name in record if 'loss' in name]
        assert names == (['loss'] if record['mode'] == 'train' else
                         ['val/loss_seg', 'val/loss_half', 'val/loss'])


def test_it_is_off_by_default(logged, monkeypatch):
    monkeypatch.setattr(val_loss, 'ValidationLoss', None)
    assert not any('val/loss' in record for record in logged())


def test_one_forward_pass_and_one_reading_of_labels(make_loader, dataset, model, monkeypatch):
    read, passes = [], []
    monkeypatch.setattr(dataset, 'get_gt_seg_map', lambda index: (
        read.append(index), dataset.labels[index])[1])
    plain = LogitsModel.forward
    monkeypatch.setattr(LogitsModel, 'forward', lambda self, *args, **kwargs: (
        passes.append(1), plain(self, *args, **kwargs))[1])
    loss = ValidationLoss(model.module, dataset)
    evaluate_model(model, make_loader(2), loss=loss)
    assert sorted(read) == [*range(7)]
    assert len(passes) == 4
    assert not loss._labels
    scores = dataset.evaluated[0][0].matrix
    evaluate_model(model, make_loader(2))
    np.testing.assert_array_equal(scores, dataset.evaluated[1][0].matrix)


def test_classes_in_another_order_than_the_models(make_loader, dataset, model):
    """Class 0 of the model is class 1 of the data, and so on; the label maps are of the data."""
    expected = pytest.approx(1.5 * plain_loss(dataset), rel=1e-5)
    dataset.labels = [np.where(label == 255, 255, np.array([1, 2, 0])[label % 3]).astype(np.uint8)
                      for label in dataset.labels]
    loss = ValidationLoss(model.module, dataset, [1, 2, 0])
    evaluate_model(model, make_loader(2), loss=loss)
    assert loss.finish()['val/loss'] == expected


def test_the_best_checkpoint_by_the_loss(logged, tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(ValidationLoss, 'finish', lambda self: {'val/loss': next(losses)})
    logged(length=6, val_loss=True, save_best='val/loss')
    assert [path.name for path in tmp_path.glob('best*')] == ['best_val%2Floss_iter_4.pth']


def test_averaged_weights_have_a_loss_of_their_own(make_runner, make_loader, train_loader):
    runner = make_runner(EvalHook(make_loader(), val_loss=True), 1)
    runner.register_optimizer_hook({})
    runner.register_hook_from_cfg(dict(type='EMAHook'))
    runner.run([train_loader], [('train', 1)])
    assert {'val/loss', 'val/loss_ema'} <= runner.log_buffer.output.keys()


def test_hooks_and_data_of_users_that_score_in_their_own_way(logged, dataset, monkeypatch):
    class Own(EvalHook):
        def evaluate(self, runner, results):
            runner.log_buffer.output['mIoU'] = len(results) / 10

    expected = pytest.approx(1.5 * plain_loss(dataset), rel=1e-5)
    record = logged(val_loss=True, hook=Own)[-1]
    assert (record['mIoU'], record['val/loss']) == (0.7, expected)
    monkeypatch.setattr(dataset, 'evaluate', lambda results, **kwargs: dict(mIoU=0.25))
    record = logged(val_loss=True)[-1]
    assert (record['mIoU'], record['val/loss']) == (0.25, expected)


def test_a_loss_that_is_not_finite_is_seen(logged, dataset):
    dataset.labels[1][:] = 255  # torch's mean over no pixel
    record = logged(val_loss=True)[-1]
    assert record['val/loss'] is None
    assert record['mIoU'] > 0


def test_labels_of_more_than_eight_bits(logged, dataset):
    dataset.labels = [label.astype(np.uint16) for label in dataset.labels]
    assert logged(val_loss=True)[-1]['val/loss'] == pytest.approx(1.5 * plain_loss(dataset), 1e-5)


@pytest.mark.parametrize('dtype', [np.uint8, np.int16])
def test_a_label_that_is_no_class(logged, dataset, dtype):
    dataset.labels[4] = dataset.labels[4].astype(dtype)
    dataset.labels[4][0, 0] = 9
    with pytest.raises(DataError, match='sample 4 of the dataset: the annotation holds 9, but '
                                        'classes are 0 to 2'):
        logged(val_loss=True)


def refused(model, dataset, message):
    with pytest.raises(ConfigError, match=f'^val_loss=True: {message}'):
        ValidationLoss(model, dataset).check()


def test_what_is_refused_before_training(logged, dataset, model, monkeypatch):
    refused(nn.Linear(1, 1), dataset, 'Linear does not tell its losses: derive it from')
    plain = dataset[0]
    monkeypatch.setattr(type(dataset), '__getitem__',
                        lambda self, index: {**plain, 'img': plain['img'] * 2})
    refused(model.module, dataset, 'a loss is that of the logits of one view, but the test '
                                   'pipeline gives 2 of each')
    with pytest.raises(ConfigError, match='gives 2 of each'):
        logged(val_loss=True, interval=99)
    monkeypatch.delattr(type(dataset), 'get_gt_seg_map')
    refused(model.module, dataset, 'the dataset gives no annotations: it needs get_gt_seg_map')


def test_means_do_not_depend_on_the_order(dataset, model):
    found = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        loss = ValidationLoss(model.module, dataset)
        for index in order:
            loss.add(order, 0, order.index(index), torch.full((1, 3, *dataset.preds[index].shape),
                                                              0.1) * torch.arange(3).view(3, 1, 1))
            loss.end_batch()
        found.append(loss.finish())
    assert found[0] == found[1]
    assert math.isfinite(found[0]['val/loss'])
