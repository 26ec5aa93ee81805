"""`data.train_dataloader`, `data.val_dataloader` and `data.test_dataloader` of a config."""
from typing import Any

import torch

from mmcv_replace.device import kind_of
from mmcv_replace.utils import Config
from mmcv_replace.utils.section import read_section
from mmseg.datasets.settings import EvaluationLoaderSettings, LoaderSettings


def loader_settings(cfg: Config, split: str, device: torch.device,
                    **defaults: Any) -> dict[str, Any]:
    """Arguments for `build_dataloader`: `data.SPLIT_dataloader`, then `defaults`, then `data`.

    Raises ConfigError for a name or a value that does not fit.
    """
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
