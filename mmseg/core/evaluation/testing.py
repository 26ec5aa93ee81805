"""Whole test runs: score a model, or collect its predictions."""
import os
from collections.abc import Iterator

import numpy as np
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.device import no_kernel_search
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.runner.preemption import StopRequest
from mmcv_replace.utils import warn_once

from .collect import Result, collect_results
from .predict import Prediction, predict
from .scores import conclude, gather
from .sinks import kept, painted, with_progress


def evaluate_model(
    model: nn.Module, data_loader: DataLoader, request: StopRequest | None = None,
    **eval_kwargs: object,
) -> dict[str, float]:
    """Score the model on the loader's dataset; `eval_kwargs` go to `dataset.evaluate`.

    In a distributed job every process calls it with its own share of the samples, and gets the
    scores of all of them. Memory does not grow with the number of samples, unless the dataset
    scores all predictions by an `evaluate` of its own. Raises EvaluationCut where `request` is to
    stop at once.
    """
    dataset = data_loader.dataset
    stream = predict(model, data_loader)
    if request is not None:
        stream = request.watched(stream, len(data_loader.sampler))
    stream = with_progress(stream, len(data_loader.sampler))
    with no_kernel_search():
        gathered = gather(stream, dataset)
    return conclude(gathered, dataset, device_of(model), **eval_kwargs)


def single_gpu_test(
    model: nn.Module,
    data_loader: DataLoader,
    show: bool = False,
    out_dir: str | os.PathLike | None = None,
    efficient_test: bool = False,
    opacity: float = 0.5,
) -> list[np.ndarray]:
    """Label maps of all samples, [H, W] each, in the loader's order.

    `show` and `out_dir` also paint them. `efficient_test` has no effect: to spare memory score
    with `evaluate_model`, which keeps no label maps.
    """
    _warn_efficient_test(efficient_test)
    paint = show or out_dir is not None
    stream = with_progress(predict(model, data_loader, paint), len(data_loader.sampler))
    if paint:
        stream = painted(stream, model, data_loader.dataset, out_dir, show, opacity)
    return [label_map for _, label_map in _drain(stream)]


def multi_gpu_test(
    model: nn.Module,
    data_loader: DataLoader,
    tmpdir: str | os.PathLike | None = None,
    gpu_collect: bool = False,
    efficient_test: bool = False,
) -> list[np.ndarray] | None:
    """Label maps of all processes' samples in the dataset's order on rank 0, None elsewhere.

    `tmpdir` and `gpu_collect` choose how they travel, see `collect_results`.
    """
    _warn_efficient_test(efficient_test)
    stream = with_progress(predict(model, data_loader), len(data_loader.sampler))
    return collect_results(_drain(stream), tmpdir, gpu_collect)


def _drain(stream: Iterator[Prediction]) -> list[Result]:
    results = []
    for _ in kept(stream, results):
        pass
    return results


def _warn_efficient_test(efficient_test: bool) -> None:
    if efficient_test:
        warn_once('efficient_test has no effect: evaluation in a run keeps no predictions anyway')
