"""Run a model over a data set: the results of all samples, in their order."""
import os
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from ..utils import ProgressBar
from ..utils.rank import get_dist_info
from .gather import gather_parts

_NOTHING = object()


def single_gpu_test(model: nn.Module, data_loader: DataLoader) -> list[Any]:
    """Results of all samples, in the loader's order.

    For each batch `model(return_loss=False, **batch)` gives a list with a result a sample; the
    model is in eval mode, then and afterwards.
    """
    return _run(model, data_loader, len(data_loader.dataset), shown=True)


def multi_gpu_test(model: nn.Module, data_loader: DataLoader,
                   tmpdir: str | os.PathLike | None = None, gpu_collect: bool = False,
                   ) -> list[Any] | None:
    """Results of all samples on rank 0, None elsewhere; every process has to call this.

    The loader of each process gives its share of the samples: those at its rank, rank + number of
    processes, and so on. See `single_gpu_test` for the model, `collect_results_cpu` for `tmpdir`;
    `gpu_collect`: the results travel over the network of the devices.
    """
    rank, world_size = get_dist_info()
    size = len(data_loader.dataset)
    share = -(-size // world_size)
    results = _run(model, data_loader, share, shown=rank == 0)
    if gpu_collect:
        return collect_results_gpu(results, size)
    return collect_results_cpu(results, size, tmpdir)


def collect_results_cpu(result_part: Sequence[Any], size: int,
                        tmpdir: str | os.PathLike | None = None) -> list[Any] | None:
    """The first `size` of all processes' results in turn on rank 0, None elsewhere.

    They travel over the network of the hosts: `tmpdir` is not needed, and takes nothing.
    """
    return _in_turn(gather_parts(list(result_part)), size)


def collect_results_gpu(result_part: Sequence[Any], size: int) -> list[Any] | None:
    """As `collect_results_cpu`, over the network of the devices."""
    return _in_turn(gather_parts(list(result_part), over_devices=True), size)


def _run(model: nn.Module, data_loader: DataLoader, total: int, shown: bool) -> list[Any]:
    model.eval()
    results: list[Any] = []
    bar = ProgressBar(total) if shown else None
    try:
        for batch in data_loader:
            with torch.no_grad():
                results.extend(model(return_loss=False, **batch))
            if bar is not None:
                # A sampler may repeat samples, so that all processes have as many.
                bar.update(min(len(results), total) - bar.completed)
    finally:
        if bar is not None:
            bar.close()
    return results


def _in_turn(parts: Sequence[Sequence[Any]] | None, size: int) -> list[Any] | None:
    """The first result of each part, the second of each, and so on."""
    if parts is None:
        return None
    turns = chain.from_iterable(zip_longest(*parts, fillvalue=_NOTHING))
    return [result for result in turns if result is not _NOTHING][:size]
