"""The loader of an evaluation: each sample once, in the order of the dataset."""
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.parallel import DataContainer, collate
from mmcv_replace.utils import Config
from mmseg.datasets import build_dataloader
from mmseg.datasets.pipeline_options import set_pipeline_options

from .settings.loader import loader_settings


def evaluation_loader(
    dataset: Dataset, cfg: Config, split: str, distributed: bool, device: torch.device
) -> DataLoader:
    """Loader of this process's share of `dataset`, with `data.SPLIT_dataloader` of the config.

    `samples_per_gpu` (1) consecutive images make a batch, of which the model predicts those of
    equal size together; the predictions and their order stay the same.
    """
    # The model takes normalised floats, and each image is read once: no cache.
    set_pipeline_options(dataset, dict(plan_pipeline=cfg.data.get('plan_pipeline')),
                         asynchronous=False)
    settings = loader_settings(cfg, split, device, samples_per_gpu=1)
    joined = None if settings['samples_per_gpu'] == 1 else partial(
        collate_sizes, samples_per_gpu=settings['samples_per_gpu'])
    return build_dataloader(dataset, dist=distributed, shuffle=False, collate_fn=joined, **settings)


def collate_sizes(samples: Sequence[dict[str, Any]], samples_per_gpu: int) -> dict[str, Any]:
    """Like `collate`, but images [C, H, W] of several sizes are padded to the largest.

    A segmentor crops them again by their `pad_shape`.
    """
    return collate([{key: _stackable(value) for key, value in sample.items()}
                    for sample in samples], samples_per_gpu)


def _stackable(value: Any) -> Any:
    if isinstance(value, list):
        return [_stackable(view) for view in value]
    is_image = isinstance(value, torch.Tensor) and value.dim() == 3
    return DataContainer(value, stack=True) if is_image else value
