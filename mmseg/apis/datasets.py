"""The data sets of a config: data.train, data.val and data.test."""
from collections.abc import Sequence

from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.core.utils import leaf_datasets
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
