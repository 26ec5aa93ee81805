"""What decides the predictions in a folder, kept there so that no others are mixed among them."""
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcv_replace.fileio import atomic_write
from mmcv_replace.runner.checkpoints.download import sha256
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

from .options import PredictOptions
from .pipeline import inference_steps
from .records import read_records

NAME = 'predicted_by.json'
# Options that change what is predicted; others change pictures and speed, or add files.
DECISIVE = ('tta', 'slide', 'crop', 'stride', 'scale', 'amp', 'threshold', 'scores')
DIGITS = 16  # of a digest
INFORMATIVE = 'checkpoint'  # as it was called; the weights decide


def describe_run(cfg: Config, checkpoint: str, averaged: bool, options: PredictOptions
                 ) -> dict[str, Any]:
    """What decides the predictions: weights, config and options.

    `cfg` is the config before `apply_options` changes it. The digest of `weights` is that of the
    file; an address, whose file is not read, stands for itself.
    """
    return {INFORMATIVE: str(checkpoint), 'weights': _weights(checkpoint),
            'config': _digest([_without_loading(cfg.get('model') or {}), cfg.get('test_cfg'),
                               inference_steps(cfg), cfg.get('fp16'), cfg.get('bf16')]),
            'ema': averaged, **{name: _plain(getattr(options, name)) for name in DECISIVE}}


def check_same(folder: Path, described: Mapping[str, Any]) -> None:
    """Raise ConfigError where the predictions in a folder were decided by something else.

    A folder without predictions, or without a description, is for any.
    """
    former = _read(folder)
    if former is None or not read_records(folder):
        return
    told = ', '.join(_difference(name, former, described) for name in described
                     if _differs(name, former, described))
    if told:
        raise ConfigError(f'--skip-existing: the predictions in {folder} were made differently: '
                          f'{told}. Give what was given then, or another --out; without '
                          '--skip-existing they are replaced')


def keep_description(folder: Path, described: Mapping[str, Any]) -> None:
    """Write what decides the predictions in a folder. Raises OSError."""
    with atomic_write(folder / NAME, 'w', sync=False) as file:
        file.write(json.dumps(described, ensure_ascii=False, indent=1) + '\n')


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        former = json.loads((folder / NAME).read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError):  # or cut off, as by a power cut
        return None
    return former if isinstance(former, dict) else None


def _differs(name: str, former: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    if name == INFORMATIVE or name not in former:
        return False
    if name == 'scores' and None in (former[name], described[name]):
        return False  # files that are missing, which are predicted again
    return former[name] != described[name]


def _difference(name: str, former: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    if name == 'weights':
        return f'other weights, {former.get(INFORMATIVE)} then and {described[INFORMATIVE]} now'
    if name == 'config':
        return 'another config of the model'
    return f'--{name} {_words(former[name])} then and {_words(described[name])} now'


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ' '.join(map(str, value))
    if value is None or value is False:
        return 'not given'
    return 'given' if value is True else str(value)


def _weights(checkpoint: str) -> str:
    if not os.path.isfile(checkpoint):
        return checkpoint
    with open(checkpoint, 'rb') as file:
        return sha256(file).hexdigest()[:DIGITS]


def _without_loading(model: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a model without what the weights of its checkpoint make needless."""
    return {key: value for key, value in model.items() if key not in ('pretrained', 'train_cfg')}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
