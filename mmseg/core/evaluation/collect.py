"""Bring together what the processes of a distributed evaluation hold."""
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from mmcv_replace.runner import get_dist_info
from mmcv_replace.runner.dist_utils import host_group
from mmcv_replace.utils.errors import ConfigError

from .confusion import ConfusionMatrix

# (index of the sample, its label map)
Result = tuple[int, np.ndarray]


def reduce_confusion(confusion: ConfusionMatrix, device: torch.device) -> None:
    """Sum the counts of all processes, in place, on every process.

    Some accelerators add neither int64 nor float64: the counts travel as two halves of 16 low
    and 31 high bits in int32, which is exact below 2**47 pixels a cell.
    """
    if get_dist_info()[1] == 1:
        return
    halves = np.stack([confusion.matrix & 0xFFFF, confusion.matrix >> 16]).astype(np.int32)
    total = torch.from_numpy(halves).to(device)
    dist.all_reduce(total)
    low, high = total.cpu().numpy().astype(np.int64)
    confusion.matrix[...] = low + (high << 16)


def collect_results(
    results: Sequence[Result], tmpdir: str | os.PathLike | None = None, gpu_collect: bool = False
) -> list[np.ndarray] | None:
    """All processes' label maps in the order of the dataset on rank 0, None elsewhere.

    They travel as files under `tmpdir` (a new folder in the working directory by default), which
    every host must see, or with `gpu_collect` over the network of the devices. A sample that
    several processes hold is taken once.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        parts = [results]
    elif gpu_collect:
        parts = [None] * world_size
        dist.all_gather_object(parts, list(results))
    else:
        parts = _exchange_files(results, tmpdir, rank, world_size)
    if rank != 0:
        return None
    merged = {index: label_map for part in parts for index, label_map in part}
    return [merged[index] for index in sorted(merged)]


def gather_results(results: Sequence[tuple[int, Sequence[Any]]]) -> list[Any] | None:
    """All processes' results in the order of the dataset on rank 0, None elsewhere.

    Each entry is the index of a sample and what there is of it; they may be any Python objects.
    """
    rank, world_size = get_dist_info()
    parts: list[Any] = [results]
    if world_size > 1:
        parts = [None] * world_size if rank == 0 else []
        dist.gather_object(list(results), parts if rank == 0 else None, group=host_group())
    if rank != 0:
        return None
    merged = {index: found for part in parts for index, found in part}
    return [each for index in sorted(merged) for each in merged[index]]


def _exchange_files(
    results: Sequence[Result], tmpdir: str | os.PathLike | None, rank: int, world_size: int
) -> list[list[Result]] | None:
    """Write this process's share, and on rank 0 read all of them; the files are removed."""
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
    np.savez(files[rank], **{str(index): label_map for index, label_map in results})
    dist.barrier()
    if rank != 0:
        return None
    parts = []
    for file in files:
        with np.load(file) as stored:
            parts.append([(int(name), stored[name]) for name in stored.files])
    shutil.rmtree(folder[0])
    return parts
