"""The loaders of a run: data.train_dataloader, data.val_dataloader and data.test_dataloader."""
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.device import is_asynchronous, kind_of
from mmcv_replace.parallel import DataContainer, DevicePrefetcher, collate
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.section import read_section
from mmseg.datasets import build_dataloader
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.datasets.settings import DataSettings, EvaluationLoaderSettings, LoaderSettings


def training_loader(dataset: Dataset, cfg: Config, distributed: bool, device: torch.device,
                    mode: str) -> DataLoader:
    """Loader for an entry of the workflow; `mode` is 'train', or 'val' for its losses alone.

    It is seeded, skips damaged files if `data.on_error` asks for it, and on an accelerator loads a
    batch ahead. Raises DataError for a data set that is smaller than one batch.
    """
    set_pipeline_options(dataset, cfg.data, is_asynchronous(device))
    return _training_loader(dataset, cfg, distributed, device, mode)


def first_batches(dataset: Dataset, number: int, cfg: Config, distributed: bool,
                  device: torch.device) -> DataLoader:
    """Loader of the first `number` batches of a training whose `training_loader` exists."""
    loader = _training_loader(dataset, cfg, distributed, device, 'train', persistent_workers=False)
    loader.sampler.stop = number * loader.batch_size
    return loader


def _training_loader(dataset: Dataset, cfg: Config, distributed: bool, device: torch.device,
                     mode: str, **options: object) -> DataLoader:
    data = read_section(DataSettings, cfg.data, 'data')
    settings = _loader_settings(cfg, 'train', device, samples_per_gpu=cfg.data.samples_per_gpu,
                                prefetch_factor=data.prefetch_factor)
    loader = build_dataloader(
        dataset, dist=distributed, seed=cfg.get('seed') or 0, drop_last=True,
        # A validation that skips samples would average its loss over other images.
        max_skipped=data.max_skipped if mode == 'train' else None, **settings | options)
    if len(loader) == 0:
        raise DataError(
            f'the training set has {len(dataset)} images, fewer than one batch '
            f'(data.samples_per_gpu={settings["samples_per_gpu"]} on each process); lower '
            'data.samples_per_gpu, or repeat the images with RepeatDataset')
    if is_asynchronous(device) or data.normalize_on_device:
        return DevicePrefetcher(loader, device, finish)
    return loader


def evaluation_loader(dataset: Dataset, cfg: Config, split: str, distributed: bool,
                      device: torch.device) -> DataLoader:
    """Loader of this process's share of `dataset`, in its order, with `data.SPLIT_dataloader`.

    `samples_per_gpu` (1) consecutive images make a batch, of which the model predicts those of
    equal size together; the predictions and their order stay the same.
    """
    # The model takes normalised floats, and each image is read once: no cache.
    set_pipeline_options(dataset, dict(plan_pipeline=cfg.data.get('plan_pipeline')),
                         asynchronous=False)
    settings = _loader_settings(cfg, split, device, samples_per_gpu=1)
    joined = None if settings['samples_per_gpu'] == 1 else partial(
        _collate_sizes, samples_per_gpu=settings['samples_per_gpu'])
    return build_dataloader(dataset, dist=distributed, shuffle=False, collate_fn=joined, **settings)


def _collate_sizes(samples: Sequence[dict[str, Any]], samples_per_gpu: int) -> dict[str, Any]:
    """Like `collate`, but pads images [C, H, W] to the largest; segmentors crop them again."""
    return collate([{key: _stackable(value) for key, value in sample.items()}
                    for sample in samples], samples_per_gpu)


def _stackable(value: Any) -> Any:
    if isinstance(value, list):
        return [_stackable(view) for view in value]
    is_image = isinstance(value, torch.Tensor) and value.dim() == 3
    return DataContainer(value, stack=True) if is_image else value


def _loader_settings(cfg: Config, split: str, device: torch.device,
                     **defaults: Any) -> dict[str, Any]:
    """Arguments for `build_dataloader`: `data.SPLIT_dataloader`, then `defaults`, then `data`."""
    key = f'{split}_dataloader'
    given = cfg.data.get(key) or {}
    read_section(LoaderSettings if split == 'train' else EvaluationLoaderSettings, given,
                 f'data.{key}')
    settings = dict(workers_per_gpu=cfg.data.workers_per_gpu,
                    pin_memory=kind_of(device).pinned_memory) | defaults | given
    for name in ('shuffle', 'drop_last'):  # what mmsegmentation accepts as well, with one value
        settings.pop(name, None)
    if settings['workers_per_gpu'] == 0:
        settings['prefetch_factor'] = None  # torch refuses it without workers
    return settings
