"""DataLoaders whose samples do not depend on the number of workers."""
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.parallel import collate
from mmcv_replace.runner import get_dist_info

from .deterministic_dataset import DeterministicDataset
from .sampler import make_sampler
from .skip_samples import ReportingLoader, SkippingDataset
from .workers import ShieldedLoader, start_worker


def build_dataloader(dataset: Dataset, samples_per_gpu: int, workers_per_gpu: int,
                     num_gpus: int = 1, dist: bool = True, shuffle: bool = True,
                     seed: int | None = None, drop_last: bool = False, pin_memory: bool = True,
                     dataloader_type: str = 'PoolDataLoader',
                     persistent_workers: bool | None = None, max_skipped: int | None = None,
                     collate_fn: Callable[[list], Any] | None = None, **kwargs: Any) -> DataLoader:
    """Loader of a data set, with `dist` of this process's share, `samples_per_gpu` a batch.

    With `shuffle` (training) the order changes with every epoch and all processes get the same
    number of samples; without it (evaluation) each sample comes once, in order. Workers are kept
    from epoch to epoch unless `persistent_workers` is False. With `max_skipped` other samples
    replace those that cannot be loaded, up to this number of files; the loader then is a
    `ReportingLoader`, for a SkippedFilesHook. Without `dist` the process loads for `num_gpus`
    devices. `dataloader_type` has no effect. Further arguments are those of torch's DataLoader.
    """
    rank, world_size = get_dist_info() if dist else (0, 1)
    seed = seed or 0
    devices = 1 if dist else num_gpus
    workers = workers_per_gpu * devices
    len(dataset)  # which lists its samples, before there are workers that would do it once more
    if max_skipped is None:
        loader_type, samples = ShieldedLoader, DeterministicDataset(dataset, seed)
    else:
        loader_type, samples = ReportingLoader, SkippingDataset(dataset, seed, max_skipped)
    return loader_type(
        samples,
        batch_size=samples_per_gpu * devices,
        sampler=make_sampler(dataset, dist, shuffle, seed, rank, world_size),
        num_workers=workers,
        collate_fn=collate_fn or partial(collate, samples_per_gpu=samples_per_gpu),
        pin_memory=pin_memory and torch.accelerator.is_available(),
        drop_last=drop_last,
        worker_init_fn=start_worker,
        # A generator of its own: starting an epoch takes nothing from the global one.
        generator=torch.Generator().manual_seed(seed),
        persistent_workers=workers > 0 if persistent_workers is None else persistent_workers,
        **kwargs)
