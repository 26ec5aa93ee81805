"""Run a model over a test set: to score it, or to collect its predictions."""
import os
from collections.abc import Sequence

import numpy as np
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.device import no_kernel_search
from mmcv_replace.runner.preemption import StopRequest
from mmcv_replace.utils import warn_once

from .collect import Result, collect_results
from .predict import ScoreKind, predict
from .scores import Score
from .sinks import CollectSegMaps, ShowProgress, Sink, WriteOverlays, relabel, run_sinks


def run_test(model: nn.Module, data_loader: DataLoader, sinks: Sequence[Sink],
             order: Sequence[int] | None = None, request: StopRequest | None = None,
             scores: ScoreKind | None = None) -> None:
    """Predict this process's share of the samples, and give each prediction to all `sinks`.

    Every evaluation goes through here. `order` renumbers the classes, see `relabel`; `scores` are
    those that the predictions carry. Raises EvaluationCut if `request` asks to stop at once.
    """
    total = len(data_loader.sampler)
    stream = predict(model, data_loader, scores)
    if request is not None:
        stream = request.watched(stream, total)
    if order is not None:
        stream = relabel(stream, order)
    run_sinks(stream, [*sinks, ShowProgress(total)])


def evaluate_model(model: nn.Module, data_loader: DataLoader, request: StopRequest | None = None,
                   **eval_kwargs: object) -> dict[str, float]:
    """Score the model on the loader's data set; `eval_kwargs` are for its `evaluate`.

    In a distributed job every process has to call this, with a loader of its share of the samples,
    and gets the scores of all samples. Memory does not grow with their number, unless the data set
    has its own `evaluate`. Raises EvaluationCut if `request` asks to stop at once.
    """
    score = Score(data_loader.dataset)
    with no_kernel_search():
        run_test(model, data_loader, [score], request=request)
    return score.evaluate(**eval_kwargs)


def single_gpu_test(model: nn.Module, data_loader: DataLoader, show: bool = False,
                    out_dir: str | os.PathLike | None = None, efficient_test: bool = False,
                    opacity: float = 0.5) -> list[np.ndarray]:
    """Segmentation maps [H, W] of all samples, in the loader's order.

    `out_dir` and `show` also write or show them over the images. `efficient_test` has no effect: to
    save memory, score with `evaluate_model`, which keeps no segmentation maps.
    """
    sinks = [] if out_dir is None and not show else [
        WriteOverlays(model, out_dir, show, opacity, palette=data_loader.dataset.PALETTE)]
    return [seg_map for _, seg_map in _collect(model, data_loader, efficient_test, sinks)]


def multi_gpu_test(model: nn.Module, data_loader: DataLoader,
                   tmpdir: str | os.PathLike | None = None, gpu_collect: bool = False,
                   efficient_test: bool = False) -> list[np.ndarray] | None:
    """Segmentation maps of all processes' samples, in the data set's order; None except on rank 0.

    `tmpdir` and `gpu_collect` choose how they are brought together, see `collect_results`.
    `efficient_test` has no effect.
    """
    return collect_results(_collect(model, data_loader, efficient_test), tmpdir, gpu_collect)


def _collect(model: nn.Module, data_loader: DataLoader, efficient_test: bool,
             sinks: Sequence[Sink] = ()) -> list[Result]:
    if efficient_test:
        warn_once('efficient_test has no effect: evaluation in a run keeps no predictions anyway')
    collect = CollectSegMaps()
    run_test(model, data_loader, [*sinks, collect])
    return collect.results
