"""What kinds of values the settings of a run are, checked before any work is done."""
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from torch.distributed import init_process_group
from torch.nn.parallel import DistributedDataParallel

from mmcv_replace.device import KINDS
from mmcv_replace.device_start import start_settings
from mmcv_replace.runner.precision import PRECISION_SETTINGS
from mmcv_replace.utils import Config, ConfigDict, warn_once
from mmcv_replace.utils.config.config_dict import PROGRAM
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.misspelling import misspelt
from mmcv_replace.utils.signature import parameters_of
from mmcv_replace.utils.suggest import did_you_mean, short
from mmcv_replace.utils.type_check import fits, in_words
from mmseg.core import EvalHook

from ..datasets import SPLITS
from .loader import FIXED
from .loader import SETTINGS as LOADER_SETTINGS

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
    'bf16': bool | dict | None,
    'compile': bool | dict | None,
    **{f'data.{split}_dataloader': dict | None for split in SPLITS},
    'ddp': dict | None,
    'dist_params': dict | None,
    'find_unused_parameters': bool,
    'cudnn_benchmark': bool,
    'deterministic': bool | str | None,
    'load_from': str | None,
    'match_classes': bool,
    'match_weights': bool,
    'resume_from': str | None,
    'resume_override': str | Sequence[str] | None,
    'work_dir': str | None,
    'seed': int | None,
}
# What `data` may hold beside data sets, which are dicts.
DATA_SETTINGS = ('samples_per_gpu', 'workers_per_gpu', 'train_dataloader', 'val_dataloader',
                 'test_dataloader', 'prefetch_factor', 'plan_pipeline', 'normalize_on_device',
                 'cache', 'on_error', 'check')
# Settings whose values are checked where they are used, beside those of SETTINGS.
OTHERS = ('custom_imports', 'auto_resume', 'winograd', 'recompute_norms', 'channels_last',
          'fuse_conv_bn', *(kind.type for kind in KINDS))
TOP = (*(key for key in SETTINGS if '.' not in key), *OTHERS)
# Dict of settings -> their names, where a command that does not use it would not miss them.
PARTS: dict[str, Sequence[str]] = {
    'data': (*DATA_SETTINGS, *SPLITS),
    **{f'data.{split}_dataloader': (*LOADER_SETTINGS, *FIXED[split]) for split in SPLITS},
    'evaluation': (*parameters_of(EvalHook), 'metric', 'broadcast_bn_buffer'),
    'log_config': ('interval', 'hooks'),
    'dist_params': parameters_of(init_process_group),
    'ddp': parameters_of(DistributedDataParallel),
    'fp16': PRECISION_SETTINGS,
    'bf16': PRECISION_SETTINGS,
    **{kind.type: start_settings(kind) for kind in KINDS},
    **{f'{model}test_cfg': ('mode', 'crop_size', 'stride', 'batch_windows', 'max_logits_mb')
       for model in ('', 'model.')},
}
# Those of them that take no other name.
CLOSED = (*(f'data.{split}_dataloader' for split in SPLITS), 'ddp', 'fp16', 'bf16', 'cpu')
LEAST = {'data.samples_per_gpu': 1, 'data.workers_per_gpu': 0, 'log_config.interval': 1, 'seed': 0}
MOST = {'seed': 2**32 - 1, 'data.workers_per_gpu': 1024, 'data.samples_per_gpu': 2**20}


def check_settings(cfg: Config) -> None:
    """Raise ConfigError for a setting of the wrong kind or name, naming its key and who set it.

    A setting of `data` or `log_config` that is not known, and would be ignored, is warned about.
    """
    check_names(cfg)
    for key, kind in SETTINGS.items():
        *path, name = key.split('.')
        holder = _part(cfg, path)
        if name not in holder:
            continue
        value, least, most = holder[name], LEAST.get(key), MOST.get(key)
        wanted = in_words(kind)
        if least is not None:
            wanted += f' from {least} on' if most is None else f' from {least} to {most}'
        small = least is not None and isinstance(value, int) and value < least
        large = most is not None and isinstance(value, int) and value > most
        if not fits(value, kind) or small or large:
            raise ConfigError(f'{key}={short(value)} ({_set_by(holder, name)}) does not fit, '
                              f'it takes {wanted}')
    level = cfg.get('log_level', 'INFO')
    if isinstance(level, str) and not isinstance(logging.getLevelName(level), int):
        raise ConfigError(f"log_level={level!r}: choose 'DEBUG', 'INFO', 'WARNING' or 'ERROR'")


def check_names(cfg: Config) -> None:
    """Raise ConfigError for names that are nearly those of settings, which would be ignored.

    Other names are the user's own. In `data` and `log_config`, where they have no use, they are
    warned about unless they may be data sets; in the parts that are CLOSED they are errors too.
    """
    wrong = list(_misspelt(cfg, TOP, ''))
    if wrong:
        wrong.append('A variable of your own needs a name that is less like that of a setting, or '
                     'one that begins with an underscore')
    for part, names in PARTS.items():
        wrong += _misspelt(_part(cfg, part.split('.')), names, f'{part}.', part in CLOSED)
    if wrong:
        raise ConfigError('\n'.join(wrong))
    for part in ('data', 'log_config'):
        holder = _part(cfg, [part])
        for name, value in holder.items():
            if name not in PARTS[part] and not isinstance(value, dict | list | tuple | None):
                warn_once(f'{part}.{name}={short(value)} ({_set_by(holder, name)}) has no '
                          f'effect{did_you_mean(name, PARTS[part])}')


def _misspelt(holder: ConfigDict, names: Sequence[str], place: str,
              closed: bool = False) -> Iterator[str]:
    for name in holder:
        meant = misspelt(str(name), names)
        told = f'{place}{name} ({_set_by(holder, name)}) is no setting'
        if meant is not None:
            yield f'{told} and would be ignored; did you mean {place + meant!r}?'
        elif closed and name not in names:
            yield f'{told}: {place[:-1]} takes {", ".join(names)}'


def _set_by(holder: ConfigDict, name: str) -> str:
    return f'set by {holder.origin(name) or PROGRAM}'


def _part(cfg: Config, path: Sequence[str]) -> ConfigDict:
    """The dict at a path of keys, an empty one where there is none."""
    holder: Any = cfg
    for step in path:
        holder = holder.get(step) if isinstance(holder, dict) else None
    return holder if isinstance(holder, ConfigDict) else ConfigDict()
