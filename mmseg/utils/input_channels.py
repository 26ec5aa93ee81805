"""`in_channels` of a config, the bands of its images, in the places that depend on it.

With it `img_norm_cfg` at the top of a config, a value a band, is that of the steps that inherited
pipelines normalise by.
"""
from collections.abc import Iterator
from typing import Any

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.config_dict import PROGRAM
from mmcv_replace.utils.config.merge import merge_dict
from mmcv_replace.utils.errors import ConfigError

SETTING = 'in_channels'
LOADER, NORMALIZE = 'LoadImageFromFile', 'Normalize'
NORM = 'img_norm_cfg'
# Channels of the images that other color_types than 'bands' give.
COLOURS = {'color': 3, 'grayscale': 1}


def spread_in_channels(cfg: Config) -> None:
    """Pass `in_channels` on to the backbone and to each LoadImageFromFile; again if called again.

    A loading step without a `color_type` then keeps all bands. A Normalize with another number of
    values, or with to_rgb=True, takes those of the config's `img_norm_cfg`, if they are as many as
    bands. Raises ConfigError for a
    loading step that gives images of another number of channels.
    """
    number = cfg.get(SETTING)
    if not isinstance(number, int) or isinstance(number, bool):
        return  # the check of all settings tells what it takes
    origin = cfg.origin(SETTING) or PROGRAM
    backbone = (cfg.get('model') or {}).get('backbone')
    if isinstance(backbone, dict):
        merge_dict(backbone, {SETTING: number}, origin, 'model.backbone.')
    norm = cfg.get(NORM)
    keeps_order = all(step.get('color_type') in (None, 'bands')
                      for _, step in _steps(cfg, LOADER, ''))
    if _values(norm) == number:
        for place, step in _steps(cfg, NORMALIZE, ''):
            # Bands have red first: what turns them around is for images that are loaded otherwise.
            if _values(step) != number or keeps_order and step.get('to_rgb', True):
                merge_dict(step, norm, norm.origin('mean') or PROGRAM, f'{place}.')
    for place, step in _steps(cfg, LOADER, ''):
        own = step.get('color_type')
        if COLOURS.get(own, number) != number:
            raise ConfigError(
                f'{SETTING}={number}, but {place} loads color_type={own!r}, images of '
                f'{COLOURS[own]} channel{"s" * (COLOURS[own] > 1)}: leave color_type out there, '
                'which keeps all bands of the files')
        if own in (None, 'bands'):
            merge_dict(step, dict(color_type='bands', channels=number), origin, f'{place}.')


def _values(norm: Any) -> int | None:
    """The number of means, where there are as many deviations; None for anything else."""
    mean, std = (norm.get(key) if isinstance(norm, dict) else None for key in ('mean', 'std'))
    whole = isinstance(mean, list | tuple) and isinstance(std, list | tuple)
    return len(mean) if whole and len(mean) == len(std) else None


def _steps(part: Any, kind: str, place: str) -> Iterator[tuple[str, dict]]:
    """Each step of a type in a part of a config, with its dotted key."""
    if isinstance(part, dict):
        if part.get('type') == kind:
            yield place, part
        for key, value in part.items():
            yield from _steps(value, kind, f'{place}.{key}' if place else str(key))
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _steps(value, kind, f'{place}.{index}')
