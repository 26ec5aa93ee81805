"""The data sets of a config: data.train, data.val and data.test."""
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError, add_note
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.datasets import build_dataset
from mmseg.datasets.file_list import files_may_be_missing
from mmseg.datasets.settings import DataSettings

from .labels.configured import follow_training

SPLITS = ('train', 'val', 'test')
# What tools/convert_datasets/voc_aug.py adds to the folder of VOC 2012.
CONVERTED = ('SegmentationClassAug', 'ImageSets/Segmentation/aug.txt',
             'ImageSets/Segmentation/trainaug.txt')


def build_split(cfg: Config, name: str, may_lack_files: bool = False) -> Dataset:
    """Build `cfg.data[name]`; where converted data are missing, the error tells the command.

    Label settings that val and test leave open follow the training data. With `may_lack_files`,
    and for training with data.on_error='skip', the first files may be missing: `check_files` of
    the data set looks for them later.
    """
    if name not in cfg.data:
        raise ConfigError(f'the config has no data.{name}{did_you_mean(name, cfg.data)}')
    dataset = cfg.data[name]
    options = None if name == 'train' else dict(test_mode=True)
    settings = read_section(DataSettings, cfg.data, 'data')
    skips = name == 'train' and settings.max_skipped is not None
    try:
        with files_may_be_missing() if may_lack_files or skips else nullcontext():
            built = build_dataset(dataset, options)
    except DataError as error:
        if any(path in str(error) for path in CONVERTED):
            root = dataset.get('data_root') if isinstance(dataset, dict) else None
            devkit = Path(root or 'DIR/VOCdevkit/VOC2012').parent
            add_note(error, 'this makes it: python tools/convert_datasets/voc_aug.py '
                            f'{devkit} {devkit / "VOCaug"} --nproc 8')
        raise
    if name != 'train':
        follow_training(cfg, built)
    return built


def splits_of(datasets: Sequence[Dataset],
              workflow: Sequence[tuple[str, int]]) -> dict[str, Dataset]:
    """Split -> the first data set of the workflow's entries with this mode.

    The training data come first, wherever the workflow begins: they decide what labels mean.
    """
    first: dict[str, Dataset] = {}
    for (mode, _), dataset in zip(workflow, datasets, strict=True):
        first.setdefault(mode, dataset)
    return {name: first[name] for name in SPLITS if name in first}
