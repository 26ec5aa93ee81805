"""Run a model over a test set: to score it, or to collect its predictions."""
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.device import no_kernel_search
from mmcv_replace.runner.preemption import StopRequest
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError

from .class_names import classes_of_model
from .collect import collect_results, gather_results
from .gathering import Gatherer
from .predict import Prediction, ScoreKind, predict
from .scores import Score
from .sinks import CollectResults, ShowProgress, Sink, WriteOverlays, relabel, run_sinks
from .val_loss import ValidationLoss


def run_test(model: nn.Module, data_loader: DataLoader, sinks: Sequence[Sink],
             order: Sequence[int] | None = None, request: StopRequest | None = None,
             scores: ScoreKind | None = None, loss: ValidationLoss | None = None) -> None:
    """Predict this process's share of the samples, and give each prediction to all `sinks`.

    Every evaluation goes through here. `order` renumbers the classes, see `relabel`; `scores` are
    those that the predictions carry; `loss` gets all logits. Raises EvaluationCut if `request` asks
    to stop at once.
    """
    total = len(data_loader.sampler)
    stream = predict(model, data_loader, scores, loss)
    if request is not None:
        stream = request.watched(stream, total)
    if order is not None:
        stream = relabel(stream, order)
    run_sinks(stream, [*sinks, ShowProgress(total)])


def evaluate_model(model: nn.Module, data_loader: DataLoader, request: StopRequest | None = None,
                   gather: Gatherer | None = None, loss: ValidationLoss | None = None,
                   **eval_kwargs: object) -> dict[str, float]:
    """Score the model on the loader's data set; `eval_kwargs` are for its `evaluate`.

    `gather` takes what hooks need besides, `loss` all logits.

    In a distributed job every process has to call this, with a loader of its share of the samples,
    and gets the scores of all samples. Memory does not grow with their number, unless the data set
    has its own `evaluate`. Raises EvaluationCut if `request` asks to stop at once.
    """
    score = Score(data_loader.dataset, eval_kwargs.get('metric') or (), gather,
                  classes_of_model(model))
    with no_kernel_search():
        run_test(model, data_loader, [score], request=request, loss=loss)
    return score.evaluate(**eval_kwargs)


def single_gpu_test(model: nn.Module, data_loader: DataLoader, show: bool = False,
                    out_dir: str | os.PathLike | None = None, efficient_test: bool = False,
                    opacity: float = 0.5, pre_eval: bool = False, format_only: bool = False,
                    format_args: Mapping[str, Any] | None = None) -> list[Any]:
    """Segmentation maps [H, W] of all samples, in the loader's order.

    `out_dir` and `show` also write or show them over the images. With `pre_eval` what the data
    set's method of this name returns is collected instead, with `format_only` what its
    `format_results` returns, which gets `format_args`. `efficient_test` has no effect: to save
    memory, score with `evaluate_model`, which keeps no segmentation maps.
    """
    sinks = [] if out_dir is None and not show else [WriteOverlays(
        model, out_dir, show, opacity, palette=getattr(data_loader.dataset, 'PALETTE', None))]
    results = _collect(model, data_loader, efficient_test,
                       _converter(data_loader.dataset, pre_eval, format_only, format_args), sinks)
    return [each for _, found in results for each in found]


def multi_gpu_test(model: nn.Module, data_loader: DataLoader,
                   tmpdir: str | os.PathLike | None = None, gpu_collect: bool = False,
                   efficient_test: bool = False, pre_eval: bool = False, format_only: bool = False,
                   format_args: Mapping[str, Any] | None = None) -> list[Any] | None:
    """`single_gpu_test` of all processes, in the data set's order; None except on rank 0.

    `tmpdir` and `gpu_collect` choose how segmentation maps are brought together, see
    `collect_results`.
    """
    results = _collect(model, data_loader, efficient_test,
                       _converter(data_loader.dataset, pre_eval, format_only, format_args))
    if pre_eval or format_only:
        return gather_results(results)
    return collect_results([(index, seg_map) for index, (seg_map,) in results], tmpdir,
                           gpu_collect)


def _converter(dataset: Dataset, pre_eval: bool, format_only: bool,
               format_args: Mapping[str, Any] | None) -> Callable[[Prediction], Sequence[Any]]:
    """The function that makes of a prediction what is kept of it."""
    if pre_eval and format_only:
        raise ConfigError('pre_eval is for scores and format_only for a test server: give one of '
                          'the two')
    if pre_eval:
        return lambda prediction: dataset.pre_eval([prediction.seg_map], [prediction.index])
    if format_only:
        return lambda prediction: dataset.format_results(
            [prediction.seg_map], indices=[prediction.index], **(format_args or {}))
    return lambda prediction: [prediction.seg_map]


def _collect(model: nn.Module, data_loader: DataLoader, efficient_test: bool,
             convert: Callable[[Prediction], Sequence[Any]], sinks: Sequence[Sink] = ()
             ) -> list[tuple[int, Sequence[Any]]]:
    """(index, what is kept of the prediction) of this process's samples."""
    if efficient_test:
        warn_once('efficient_test has no effect: evaluation in a run keeps no predictions anyway')
    collect = CollectResults(convert)
    run_test(model, data_loader, [*sinks, collect])
    return collect.results
