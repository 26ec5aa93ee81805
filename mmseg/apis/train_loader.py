"""The loaders of a training: seeded, skipping damaged files if set, a batch ahead on the device."""
import torch
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.device import is_asynchronous
from mmcv_replace.parallel import DevicePrefetcher
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.section import read_section
from mmseg.datasets import build_dataloader
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.datasets.settings import DataSettings

from .settings.loader import loader_settings


def training_loader(
    dataset: Dataset, cfg: Config, distributed: bool, device: torch.device, mode: str
) -> DataLoader:
    """Loader for an entry of the workflow; `mode` is 'train', or 'val' for its losses alone.

    Raises DataError for a data set that is smaller than one batch.
    """
    set_pipeline_options(dataset, cfg.data, is_asynchronous(device))
    return _build(dataset, cfg, distributed, device, mode)


def first_batches(dataset: Dataset, number: int, cfg: Config, distributed: bool,
                  device: torch.device) -> DataLoader:
    """Loader of the first `number` batches of a training whose `training_loader` exists."""
    loader = _build(dataset, cfg, distributed, device, 'train', persistent_workers=False)
    loader.sampler.stop = number * loader.batch_size
    return loader


def _build(
    dataset: Dataset, cfg: Config, distributed: bool, device: torch.device, mode: str,
    **options: object,
) -> DataLoader:
    data = read_section(DataSettings, cfg.data, 'data')
    settings = loader_settings(cfg, 'train', device, samples_per_gpu=cfg.data.samples_per_gpu,
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
