"""The data sets of a config: data.train, data.val and data.test."""
import copy
from collections.abc import Sequence
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.core.utils import leaf_configs, leaf_datasets
from mmseg.datasets import build_dataset
from mmseg.datasets.converters.made_by import tell_converter
from mmseg.datasets.settings import DataSettings

from .labels.configured import follow_training

SPLITS = ('train', 'val', 'test')


def build_split(cfg: Config, name: str, may_lack_files: bool = False) -> Dataset:
    """Build `cfg.data[name]`; where converted data are missing, the error tells the command.

    Label settings that val and test leave open follow the training data. The files are checked,
    see `check_files`; the first of them may be missing with `may_lack_files`.
    """
    if name not in cfg.data:
        raise ConfigError(f'the config has no data.{name}{did_you_mean(name, cfg.data)}')
    dataset = cfg.data[name]
    options = None if name == 'train' else dict(test_mode=True)
    try:
        built = build_dataset(dataset, options)
        check_files(built, cfg, name, may_lack_files)
    except DataError as error:
        tell_converter(error, dataset)
        raise
    if name != 'train':
        follow_training(cfg, built)
    return built


def build_validation(cfg: Config) -> Dataset:
    """The images of data.val with the pipeline of data.train, for a workflow that has 'val'.

    Where data.train mixes samples, those of data.val are mixed in the same way. Raises ConfigError
    for data.train without a pipeline.
    """
    if cfg.data.get('val') is None:
        raise ConfigError("the workflow has 'val', and the config no data.val: add it, or leave "
                          "('val', 1) out of the workflow")
    dataset = build_dataset(_like_training(cfg.data.train, copy.deepcopy(cfg.data.val)))
    check_files(dataset, cfg, 'val')
    follow_training(cfg, dataset)
    return dataset


def _like_training(train: Any, val: Any) -> Any:
    """The config `val` with the pipelines of `train`, the first of several data sets."""
    if isinstance(train, list | tuple):
        return _like_training(train[0], val)
    inner = train.get('dataset') or train.get('datasets')
    if inner:
        val = _like_training(inner, val)
        # A wrapper without a pipeline, such as RepeatDataset, leaves samples as they are.
        return dict(train, dataset=val) if train.get('pipeline') else val
    if not train.get('pipeline'):
        raise ConfigError("the workflow has 'val', whose images go through the pipeline of "
                          "data.train, and that has none: leave ('val', 1) out of the workflow")
    for _, part in leaf_configs(val):
        part['pipeline'] = copy.deepcopy(train['pipeline'])
    return val


def check_files(dataset: Dataset, cfg: Config, split: str, may_lack_files: bool = False) -> None:
    """Raise DataError where folders or first files of the data sets in `dataset` do not exist.

    The files may be missing with `may_lack_files`, and for training with data.on_error='skip'.
    """
    settings = read_section(DataSettings, cfg.data, 'data')
    skips = split == 'train' and settings.max_skipped is not None
    for part in leaf_datasets(dataset):
        if hasattr(part, 'check_files'):
            part.check_files(may_be_missing=may_lack_files or skips)


def splits_of(datasets: Sequence[Dataset],
              workflow: Sequence[tuple[str, int]]) -> dict[str, Dataset]:
    """Split -> the first data set of the workflow's entries with this mode.

    The training data come first, wherever the workflow begins: they decide what labels mean.
    """
    first: dict[str, Dataset] = {}
    for (mode, _), dataset in zip(workflow, datasets, strict=True):
        first.setdefault(mode, dataset)
    return {name: first[name] for name in SPLITS if name in first}
