"""Whole test runs in one process."""
import logging

import numpy as np
import pytest
import torch

from mmseg.core.evaluation import (
    eval_metrics,
    evaluate_model,
    multi_gpu_test,
    single_gpu_test,
)


def test_evaluate_model_scores_as_the_list_of_predictions_would(model, dataset, make_loader):
    scores = evaluate_model(model, make_loader(2))
    all_acc, acc, iou = eval_metrics(dataset.preds, dataset.labels, 3, 255)
    assert scores['aAcc'] == pytest.approx(all_acc)
    assert scores['mIoU'] == pytest.approx(np.mean(iou))
    assert scores['mAcc'] == pytest.approx(np.mean(acc))


def test_evaluate_model_passes_arguments_on(model, dataset, make_loader):
    assert 'mDice' in evaluate_model(model, make_loader(), metric='mDice')
    assert dataset.evaluated[0][1] == 'mDice'


def test_kernels_are_not_searched_for_images_of_many_sizes(model, make_loader, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', True)
    seen = []
    model.register_forward_pre_hook(lambda *args: seen.append(torch.backends.cudnn.benchmark))
    evaluate_model(model, make_loader())
    assert set(seen) == {False}
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize('run', [single_gpu_test, multi_gpu_test])
def test_label_maps_of_all_samples(model, dataset, make_loader, run):
    results = run(model, make_loader(3))
    assert len(results) == 7
    for result, expected in zip(results, dataset.preds, strict=True):
        np.testing.assert_array_equal(result, expected)
    assert not model.module.shown


def test_single_gpu_test_paints(model, make_loader, tmp_path):
    single_gpu_test(model, make_loader(), out_dir=tmp_path, opacity=0.7)
    assert model.module.shown[6]['out_file'] == str(tmp_path / 'city/6.png')
    assert model.module.shown[6]['opacity'] == 0.7
    assert not model.module.shown[6]['show']
    single_gpu_test(model, make_loader(), show=True)
    assert model.module.shown[7]['show']


@pytest.mark.parametrize('run', [single_gpu_test, multi_gpu_test])
def test_efficient_test_says_that_it_has_no_effect(model, make_loader, run, monkeypatch):
    said = []
    monkeypatch.setattr('mmseg.core.evaluation.testing.warn_once', said.append)
    assert len(run(model, make_loader(), efficient_test=True)) == 7
    assert 'efficient_test has no effect' in said[0]


def test_progress_is_shown(model, make_loader, capsys, caplog):
    with caplog.at_level(logging.WARNING):
        single_gpu_test(model, make_loader())
    assert '7/7' in capsys.readouterr().err


@pytest.mark.parametrize('run', [single_gpu_test, multi_gpu_test])
def test_what_the_data_set_makes_of_predictions_may_be_collected(model, dataset, make_loader, run):
    dataset.pre_eval = lambda preds, indices: [(indices[0], int(preds[0].sum()))]
    dataset.format_results = lambda results, out_dir, indices: [f'{out_dir}/{indices[0]}.png']

    assert run(model, make_loader(2), pre_eval=True) == [
        (index, pred.sum()) for index, pred in enumerate(dataset.preds)]
    assert run(model, make_loader(2), format_only=True, format_args=dict(out_dir='out')) == [
        f'out/{index}.png' for index in range(7)]
    with pytest.raises(AssertionError, match='pre_eval is for scores and format_only for a test'):
        run(model, make_loader(), pre_eval=True, format_only=True)


def test_pictures_of_a_data_set_without_a_palette(model, make_loader, dataset, tmp_path,
                                                  monkeypatch):
    monkeypatch.delattr(type(dataset), 'PALETTE')
    single_gpu_test(model, make_loader(), out_dir=tmp_path)
    assert model.module.shown[6]['palette'] is None
