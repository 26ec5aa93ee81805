"""What a config says otherwise than that of the run which it resumes, and which of the two counts.

The settings of the optimizer's groups are compared where its state is loaded.
"""
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmcv_replace.runner.checkpoint import read_outline
from mmcv_replace.runner.optimizer_state import is_same, short_value
from mmcv_replace.utils import Config
from mmcv_replace.utils.config_literal import read_literal_config
from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmseg.utils import get_root_logger

CONFIGS = "the config's"
# Dotted key of a setting, or of a dict of settings -> which of the two values counts.
IN_FORCE = {
    'optimizer.type': f'{CONFIGS}, with the running averages of the checkpoint',
    'optimizer_config': CONFIGS,
    'lr_config': f'{CONFIGS}, on the learning rate of the checkpoint',
    'momentum_config': f'{CONFIGS}, on the momentum of the checkpoint',
    'runner': CONFIGS,
    'total_iters': CONFIGS,
    'total_epochs': CONFIGS,
    'seed': f'{CONFIGS} for the order of the data; random numbers go on as in the checkpoint',
    'data.samples_per_gpu': f'{CONFIGS}, from the same place in the data',
    'fp16': CONFIGS,
    'bf16': CONFIGS,
}


def tell_changes(cfg: Config, checkpoint: str | Path | None) -> None:
    """Warn about what the run that wrote `checkpoint` was told otherwise, as far as it says so."""
    saved = {} if checkpoint is None else _saved_config(checkpoint)
    changes = [f'{key}: config {short_value(ours)}, checkpoint {short_value(theirs)}; in force is '
               f'{IN_FORCE[root]}' for root, key, ours, theirs in _changes(cfg, saved)]
    if changes:
        get_root_logger().warning(
            'the config differs from that of the run which wrote %s:\n  %s\nTo go on as that run '
            'did, set its values; for a new run from its weights use --load-from instead',
            checkpoint, '\n  '.join(changes))


def _saved_config(checkpoint: str | Path) -> dict[str, Any]:
    """The config in the meta data of a checkpoint; empty where there is none that can be read."""
    try:
        meta = read_outline(checkpoint).get('meta')
        text = meta.get('config') if isinstance(meta, dict) else None
        saved = read_literal_config(text, str(checkpoint)) if isinstance(text, str) else {}
    except (CheckpointError, ConfigError):  # the former is told when it is loaded
        return {}
    return {**saved, 'seed': meta['seed']} if saved and 'seed' in meta else saved


def _changes(cfg: Mapping[str, Any],
             saved: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Key of the table, dotted key, both values; nothing where the checkpoint has no config."""
    for root in IN_FORCE if saved else ():
        ours, theirs = _flat(root, _at(cfg, root)), _flat(root, _at(saved, root))
        # A seed is drawn, or that of the checkpoint, where the config has none.
        if root == 'seed' and ours.get('seed') is None:
            continue
        keys = dict.fromkeys([*ours, *theirs])
        for key in keys:
            # One side has settings below it, which tell it in full.
            if any(other.startswith(f'{key}.') for other in keys):
                continue
            if not is_same(ours.get(key), theirs.get(key)):
                yield root, key, ours.get(key), theirs.get(key)


def _at(config: Any, key: str) -> Any:
    for part in key.split('.'):
        config = config.get(part) if isinstance(config, Mapping) else None
    return config


def _flat(key: str, value: Any) -> dict[str, Any]:
    """Settings by their dotted keys; of an empty dict itself."""
    if not isinstance(value, Mapping) or not value:
        return {key: value}
    return {name: leaf for part, item in value.items()
            for name, leaf in _flat(f'{key}.{part}', item).items()}
