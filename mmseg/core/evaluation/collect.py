"""Bring together the results of the processes of a distributed evaluation."""
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist

from mmcv_replace.engine.gather import gather_parts
from mmcv_replace.runner import get_dist_info
from mmcv_replace.runner.dist_utils import host_group
from mmcv_replace.utils.errors import ConfigError

from .confusion import ConfusionMatrix

T = TypeVar('T')
Result = tuple[int, np.ndarray]  # index of a sample, and its segmentation map


def reduce_confusion(confusion: ConfusionMatrix) -> None:
    """Sum the counts of all processes, in place, on every process; each has to call this."""
    if get_dist_info()[1] > 1:
        for counts in confusion.arrays():
            # On the host, since some accelerators cannot add int64.
            dist.all_reduce(torch.from_numpy(counts), group=host_group())


def collect_results(
    results: Sequence[Result], tmpdir: str | os.PathLike | None = None, gpu_collect: bool = False,
) -> list[np.ndarray] | None:
    """All processes' segmentation maps in the order of the data set on rank 0, None elsewhere.

    They travel in files below `tmpdir` (by default a new folder in the working directory), which
    all hosts have to see, or with `gpu_collect` over the network of the devices. A sample that
    several processes hold appears once. Raises ConfigError if a host does not see `tmpdir`.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        parts = [results]
    elif gpu_collect:
        parts = gather_parts(list(results), over_devices=True)
    else:
        parts = _exchange_files(results, tmpdir, rank, world_size)
    return _merge(parts) if rank == 0 else None


def gather_results(results: Sequence[tuple[int, Sequence[Any]]]) -> list[Any] | None:
    """All processes' results in the order of the data set on rank 0, None elsewhere.

    results: (index of a sample, any objects that belong to it); the objects come in one list.
    """
    parts = gather_parts(list(results))
    return None if parts is None else [each for found in _merge(parts) for each in found]


def _merge(parts: Iterable[Sequence[tuple[int, T]]]) -> list[T]:
    """What belongs to the samples of all parts, in the order of their indices."""
    merged = {index: found for part in parts for index, found in part}
    return [merged[index] for index in sorted(merged)]


def _exchange_files(
    results: Sequence[Result], tmpdir: str | os.PathLike | None, rank: int, world_size: int,
) -> list[list[Result]]:
    """Write this process's results, and on rank 0 read those of all; removes the files."""
    folder = [None]
    if rank == 0:
        parent = Path('.dist_test') if tmpdir is None else Path(tmpdir)
        parent.mkdir(parents=True, exist_ok=True)
        folder = [tempfile.mkdtemp(dir=parent.resolve())]
    dist.broadcast_object_list(folder)
    if not os.path.isdir(folder[0]):
        raise ConfigError(f'process {rank} does not see {folder[0]}, where the predictions are '
                          'brought together: give --tmpdir a folder that all hosts share, or '
                          '--gpu-collect')
    files = [Path(folder[0], f'part_{number}.npz') for number in range(world_size)]
    np.savez(files[rank], **{str(index): seg_map for index, seg_map in results})
    dist.barrier()
    parts = []
    if rank == 0:
        for file in files:
            with np.load(file) as stored:
                parts.append([(int(name), stored[name]) for name in stored.files])
        shutil.rmtree(folder[0])
    return parts
