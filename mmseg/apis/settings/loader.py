"""`data.train_dataloader`, `data.val_dataloader` and `data.test_dataloader` of a config."""
from typing import Any

import torch

from mmcv_replace.device import supports_pinned_memory
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean, short

SETTINGS = ('samples_per_gpu', 'workers_per_gpu', 'persistent_workers', 'pin_memory',
            'prefetch_factor', 'timeout')
# What configs of mmsegmentation may say as well, and what it is here, always.
TRAINING = {'shuffle': True, 'drop_last': True}
FIXED = {'train': TRAINING, **dict.fromkeys(('val', 'test'), dict.fromkeys(TRAINING, False))}


def loader_settings(cfg: Config, split: str, device: torch.device,
                    **defaults: Any) -> dict[str, Any]:
    """Arguments for `build_dataloader`: those of `data.SPLIT_dataloader`, of `data`, `defaults`.

    Raises ConfigError for a setting that is not known.
    """
    key = f'{split}_dataloader'
    given = dict(cfg.data.get(key) or {})
    for name, value in FIXED[split].items():
        if (wanted := given.pop(name, value)) != value:
            raise ConfigError(f'data.{key}.{name}={short(wanted)}: it is always {value}, as '
                              + ('all processes need equally many full batches of each epoch'
                                 if value else 'each image is scored once, in order')
                              + '; leave it out')
    for name in given:
        if name not in SETTINGS:
            raise ConfigError(f'data.{key} takes {", ".join(SETTINGS)}, not {name}'
                              f'{did_you_mean(name, SETTINGS)}')
    settings = dict(workers_per_gpu=cfg.data.workers_per_gpu,
                    pin_memory=supports_pinned_memory(device)) | defaults | given
    if settings['workers_per_gpu'] == 0:
        settings['prefetch_factor'] = None  # torch refuses it without workers
    return settings
