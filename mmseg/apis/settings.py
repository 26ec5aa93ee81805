"""What kinds of values the settings of a run are, checked before any work is done."""
import logging
from collections.abc import Sequence
from typing import Any

from mmcv_replace.utils import Config, warn_once
from mmcv_replace.utils.annotations import fits, in_words
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean, short

# Dotted key -> what it takes. Dicts with a type are checked when what they describe is built.
SETTINGS: dict[str, Any] = {
    'model': dict,
    'train_cfg': dict | None,
    'test_cfg': dict | None,
    'data': dict,
    'data.samples_per_gpu': int,
    'data.workers_per_gpu': int,
    'data.train': dict | Sequence[dict],
    'data.val': dict | Sequence[dict] | None,
    'data.test': dict | Sequence[dict] | None,
    'optimizer': dict,
    'optimizer_config': dict | None,
    'lr_config': dict | None,
    'momentum_config': dict | None,
    'runner': dict | None,
    'total_iters': int | None,
    'total_epochs': int | None,
    'checkpoint_config': dict | None,
    'evaluation': dict | None,
    'log_config': dict | None,
    'log_config.hooks': Sequence[dict],
    'log_config.interval': int,
    'log_level': str | int,
    'custom_hooks': Sequence[dict] | None,
    'nonfinite': dict | None,
    'preemption': dict | None,
    'workflow': Sequence[Sequence],
    'fp16': dict | None,
    'ddp': dict | None,
    'dist_params': dict | None,
    'find_unused_parameters': bool,
    'cudnn_benchmark': bool,
    'deterministic': bool | str | None,
    'load_from': str | None,
    'match_classes': bool,
    'resume_from': str | None,
    'work_dir': str | None,
    'seed': int | None,
}
# What `data` may hold beside data sets, which are dicts.
DATA_SETTINGS = ('samples_per_gpu', 'workers_per_gpu', 'train_dataloader', 'val_dataloader',
                 'test_dataloader', 'prefetch_factor', 'plan_pipeline', 'normalize_on_device',
                 'cache', 'on_error', 'check')
LEAST = {'data.samples_per_gpu': 1, 'data.workers_per_gpu': 0, 'log_config.interval': 1, 'seed': 0}
MOST = {'seed': 2**32 - 1, 'data.workers_per_gpu': 1024, 'data.samples_per_gpu': 2**20}


def check_settings(cfg: Config) -> None:
    """Raise ConfigError for a setting of the wrong kind, naming its key and who set it.

    A setting of `data` that is not known, and would be ignored, is warned about.
    """
    for key, kind in SETTINGS.items():
        holder: Any = cfg
        *path, name = key.split('.')
        for step in path:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or name not in holder:
            continue
        value, least, most = holder[name], LEAST.get(key), MOST.get(key)
        wanted = in_words(kind)
        if least is not None:
            wanted += f' from {least} on' if most is None else f' from {least} to {most}'
        small = least is not None and isinstance(value, int) and value < least
        large = most is not None and isinstance(value, int) and value > most
        if not fits(value, kind) or small or large:
            raise ConfigError(f'{key}={short(value)} (set by {holder.origin(name)}) does not fit, '
                              f'it takes {wanted}')
    for name, value in (cfg.get('data') or {}).items():
        if name not in DATA_SETTINGS and not isinstance(value, dict | list | tuple | None):
            warn_once(f'data.{name}={short(value)} (set by {cfg.data.origin(name)}) has no effect'
                      f'{did_you_mean(name, DATA_SETTINGS)}')
    level = cfg.get('log_level', 'INFO')
    if isinstance(level, str) and not isinstance(logging.getLevelName(level), int):
        raise ConfigError(f"log_level={level!r}: choose 'DEBUG', 'INFO', 'WARNING' or 'ERROR'")
