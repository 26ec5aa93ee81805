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
