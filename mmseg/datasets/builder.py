"""The registries of datasets and pipeline steps, and datasets from configs."""
import copy
import logging
from collections.abc import Callable, Sequence, Sized
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils import Registry, build_from_cfg
from mmcv_replace.utils.errors import ConfigError, EmptyDatasetError

from .loader import build_dataloader

__all__ = ['DATASETS', 'PIPELINES', 'build_dataloader', 'build_dataset']

DATASETS = Registry('dataset', Sized)
PIPELINES = Registry('pipeline', Callable)
# Settings that may be lists; they make one dataset of each entry.
LISTED = ('img_dir', 'ann_dir', 'split')
# Datasets made of other datasets.
INNER = ('ConcatDataset', 'RepeatDataset')

Cfg = dict[str, Any]


def build_dataset(
    cfg: Cfg | Sequence[Cfg], default_args: Cfg | None = None
) -> Dataset:
    """Build the dataset of a config; a list of configs, or lists in it, become a ConcatDataset."""
    if isinstance(cfg, list | tuple):
        return _concat(cfg, default_args)
    if cfg.get('type') in INNER:
        return build_from_cfg(_build_inner(cfg, default_args), DATASETS)
    if any(isinstance(cfg.get(key), list | tuple) for key in LISTED):
        return _concat_parts(_split_lists(cfg), default_args)
    return build_from_cfg(cfg, DATASETS, default_args)


def _build_inner(cfg: Cfg, default_args: Cfg | None) -> Cfg:
    """The config of a wrapper with the datasets inside it built."""
    cfg = copy.copy(cfg)
    if isinstance(cfg.get('dataset'), dict | list | tuple):
        cfg['dataset'] = build_dataset(cfg['dataset'], default_args)
    if isinstance(cfg.get('datasets'), list | tuple):
        cfg['datasets'] = [build_dataset(inner, default_args) for inner in cfg['datasets']]
    return cfg


def _concat(cfgs: Sequence[Cfg], default_args: Cfg | None) -> Dataset:
    return DATASETS.get('ConcatDataset')([build_dataset(cfg, default_args) for cfg in cfgs])


def _concat_parts(cfgs: Sequence[Cfg], default_args: Cfg | None) -> Dataset:
    """Join what one config lists; an empty part is left out, if others have images.

    The 'aug' list of a subset of VOC may well be empty; a list that does not exist is an error.
    """
    parts, empty = [], []
    for cfg in cfgs:
        try:
            parts.append(build_dataset(cfg, default_args))
        except EmptyDatasetError as error:
            empty.append(error)
    if not parts:
        raise empty[0]
    for error in empty:
        logging.getLogger('mmseg').warning('left out of the data: %s', error)
    return DATASETS.get('ConcatDataset')(parts)


def _split_lists(cfg: Cfg) -> list[Cfg]:
    """One config for each entry of the lists; a single value serves all."""
    lists = {key: cfg[key] for key in LISTED if isinstance(cfg.get(key), list | tuple)}
    lengths = {key: len(values) for key, values in lists.items()}
    number = max(lengths.values())
    if set(lengths.values()) - {1, number}:
        raise ConfigError(f'the lists of {cfg.get("type")} have different lengths, {lengths}: '
                          'give as many entries in each, or one value for all')
    cfgs = []
    for index in range(number):
        part = copy.deepcopy(cfg)
        for key, values in lists.items():
            part[key] = values[index % len(values)]
        cfgs.append(part)
    return cfgs
