"""The stream of predictions."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
from torch.utils.data.distributed import DistributedSampler

from mmcv_replace.parallel import collate
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation import Sink, predict, run_test
from mmseg.core.evaluation.predict import sample_order


class EverySecond(SequentialSampler):
    def __iter__(self):
        return iter(range(1, len(self.data_source), 2))

    def __len__(self):
        return len(range(1, len(self.data_source), 2))


@pytest.mark.parametrize('batch_size', [1, 3])
@pytest.mark.parametrize('workers', [0, 1])
def test_each_sample_once_in_order(model, dataset, make_loader, batch_size, workers):
    predictions = list(predict(model, make_loader(batch_size, num_workers=workers)))
    assert [prediction.index for prediction in predictions] == list(range(7))
    for prediction, expected in zip(predictions, dataset.preds, strict=True):
        np.testing.assert_array_equal(prediction.seg_map, expected)
        assert prediction.meta['ori_filename'] == f'city/{prediction.index}.png'
        assert prediction.scores is None


def test_indices_are_those_of_the_sampler(model, dataset, make_loader):
    predictions = list(predict(model, make_loader(2, sampler=EverySecond(dataset))))
    assert [prediction.index for prediction in predictions] == [1, 3, 5]
    np.testing.assert_array_equal(predictions[1].seg_map, dataset.preds[3])


def test_indices_are_those_of_a_batch_sampler(model, dataset):
    loader = DataLoader(dataset, batch_sampler=[[4, 0], [2]],
                        collate_fn=lambda samples: collate(samples, 2))
    predictions = list(predict(model, loader))
    assert [prediction.index for prediction in predictions] == [4, 0, 2]
    np.testing.assert_array_equal(predictions[2].seg_map, dataset.preds[2])


@pytest.mark.parametrize('training', [True, False])
def test_evaluates_and_restores_the_mode(model, make_loader, training):
    model.train(training)
    stream = predict(model, make_loader())
    next(stream)
    assert torch.is_grad_enabled()
    list(stream)
    assert set(model.module.modes) == {(False, False)}
    assert model.training is training


def test_a_frozen_part_stays_frozen(model, make_loader):
    model.module.frozen, model.module.free = nn.Dropout(), nn.Dropout()
    model.train()
    model.module.frozen.eval()
    list(predict(model, make_loader()))
    assert not model.module.frozen.training
    assert model.module.free.training


def test_parts_that_change_their_form_hear_of_the_end(model, make_loader):
    class Merging(nn.Module):
        merged = False

        def train(self, mode=True):
            self.merged = not mode
            return super().train(mode)

    model.module.part = Merging()
    model.train()
    list(predict(model, make_loader()))
    assert not model.module.part.merged


def test_a_tensor_that_a_module_keeps_serves_the_training_after_it(model, make_loader):
    plain = model.module.forward

    def keeping(img, *args, **kwargs):
        model.module.kept = img[0] * 2
        return plain(img, *args, **kwargs)

    model.module.forward = keeping
    list(predict(model.train(), make_loader()))
    (model.module.weight * model.module.kept).sum().backward()
    assert model.module.weight.grad is not None


def test_mode_is_restored_when_the_stream_is_left(model, make_loader):
    stream = predict(model.train(), make_loader())
    next(stream)
    stream.close()
    assert model.training


def test_the_original_image_is_the_one_of_the_same_index(model, dataset, make_loader):
    for prediction in predict(model, make_loader(2)):
        np.testing.assert_array_equal(prediction.read_image(),
                                      dataset.get_original_image(prediction.index))


@pytest.mark.parametrize('kind', ['probabilities', 'confidence'])
def test_scores_on_request(model, dataset, make_loader, kind):
    plain = model.module.forward

    def scoring(img, img_metas, scores, **options):
        assert scores == kind
        return [(seg_map, seg_map / 2) for seg_map in plain(img, img_metas, **options)]

    model.module.forward = scoring
    loader, seen = make_loader(3), []

    class Look(Sink):
        def add(self, prediction):
            seen.append(prediction)

    run_test(model, loader, [Look()], scores=kind)
    for predictions in (seen, list(predict(model, loader, kind))):
        for prediction, expected in zip(predictions, dataset.preds, strict=True):
            np.testing.assert_array_equal(prediction.seg_map, expected)
            np.testing.assert_array_equal(prediction.scores, expected / 2)


@pytest.mark.parametrize('sampler', [
    RandomSampler, lambda data: DistributedSampler(data, num_replicas=2, rank=0)])
def test_samplers_that_lose_the_order_are_refused(model, dataset, make_loader, sampler):
    with pytest.raises(ConfigError, match=r'each sample once and in a known order, which the '
                                          r'sampler (Random|Distributed)Sampler .*shuffle=False'):
        next(predict(model, make_loader(sampler=sampler(dataset))))


def test_dropped_samples_are_refused(make_loader):
    with pytest.raises(ConfigError, match='drop_last=True'):
        sample_order(make_loader(2, drop_last=True))


def test_what_a_module_keeps_serves_the_training(model, make_loader):
    """A table that is made in the first pass, whichever that is."""
    class Table(torch.nn.Module):
        def forward(self, x):
            self.table = getattr(self, 'table', None)
            if self.table is None:
                self.table = torch.ones(3)
            return x * self.table

    table = Table()
    model.register_forward_pre_hook(lambda *args: [table(torch.zeros(3))].clear())
    list(predict(model, make_loader()))
    weight = torch.ones(3, requires_grad=True)
    table(weight).sum().backward()
    assert weight.grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize('result', [torch.tensor([[1]]), np.zeros((4, 5))])
def test_a_model_and_a_loader_of_users_without_lists(result):
    class Plain(torch.nn.Module):
        def forward(self, img, img_metas, return_loss, rescale):
            assert img.shape == (1, 1)
            return result

    data = [dict(img=torch.tensor([index]), img_metas={}) for index in range(2)]
    found = list(predict(Plain(), DataLoader(data)))

    assert [prediction.index for prediction in found] == [0, 1]
    assert all(prediction.seg_map is result for prediction in found)
    assert [prediction.name for prediction in found] == ['sample_0.png', 'sample_1.png']
