"""The registries of data sets and pipeline steps, and data sets from configs."""
import copy
import logging
from collections.abc import Callable, Sequence, Sized
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils import Registry, build_from_cfg, worker_init_fn
from mmcv_replace.utils.errors import ConfigError, EmptyDatasetError

from .loader import build_dataloader

__all__ = ['DATASETS', 'PIPELINES', 'build_dataloader', 'build_dataset', 'worker_init_fn']

# Each with the modules of our own entries, which are imported when a config names them.
DATASETS = Registry('dataset', base=Sized, modules={
    'mmseg.datasets.ade': ['ADE20KDataset'],
    'mmseg.datasets.chase_db1': ['ChaseDB1Dataset'],
    'mmseg.datasets.cityscapes': ['CityscapesDataset'],
    'mmseg.datasets.coco_stuff': ['COCOStuffDataset'],
    'mmseg.datasets.custom': ['CustomDataset'],
    'mmseg.datasets.dark_zurich': ['DarkZurichDataset'],
    'mmseg.datasets.dataset_wrappers': ['ConcatDataset', 'RepeatDataset'],
    'mmseg.datasets.drive': ['DRIVEDataset'],
    'mmseg.datasets.hrf': ['HRFDataset'],
    'mmseg.datasets.isaid': ['iSAIDDataset'],
    'mmseg.datasets.isprs': ['ISPRSDataset'],
    'mmseg.datasets.loveda': ['LoveDADataset'],
    'mmseg.datasets.night_driving': ['NightDrivingDataset'],
    'mmseg.datasets.multi_image_mix': ['MultiImageMixDataset'],
    'mmseg.datasets.pascal_context': ['PascalContextDataset', 'PascalContextDataset59'],
    'mmseg.datasets.potsdam': ['PotsdamDataset'],
    'mmseg.datasets.stare': ['STAREDataset'],
    'mmseg.datasets.voc': ['PascalVOCDataset'],
})
PIPELINES = Registry('pipeline', base=Callable, modules={
    'mmseg.datasets.pipelines.compose': ['Compose'],
    'mmseg.datasets.pipelines.crop': ['RandomCrop'],
    'mmseg.datasets.pipelines.cutout': ['RandomCutOut'],
    'mmseg.datasets.pipelines.distortion': ['PhotoMetricDistortion'],
    'mmseg.datasets.pipelines.foreign.albu': ['Albu'],
    'mmseg.datasets.pipelines.foreign.torchvision_transform': ['TorchvisionTransform'],
    'mmseg.datasets.pipelines.formating': [
        'Collect', 'DefaultFormatBundle', 'ImageToTensor', 'ToDataContainer', 'ToTensor',
        'Transpose'],
    'mmseg.datasets.pipelines.geometric': ['Pad', 'RandomFlip', 'RandomRotate'],
    'mmseg.datasets.pipelines.loading': ['LoadAnnotations', 'LoadImageFromFile'],
    'mmseg.datasets.pipelines.mosaic': ['RandomMosaic'],
    'mmseg.datasets.pipelines.normalize': ['Normalize'],
    'mmseg.datasets.pipelines.photometric': ['CLAHE', 'AdjustGamma', 'RGB2Gray', 'Rerange'],
    'mmseg.datasets.pipelines.resize': ['Resize', 'ResizeToMultiple', 'SegRescale'],
    'mmseg.datasets.pipelines.test_time_aug': ['MultiScaleFlipAug'],
})
# Settings that may be lists, of which each entry makes a data set.
LISTED = ('img_dir', 'ann_dir', 'split')

Cfg = dict[str, Any]


def build_dataset(cfg: Cfg | Sequence[Cfg], default_args: Cfg | None = None) -> Dataset:
    """Build the data set of a config.

    A list of configs, or lists for `img_dir`, `ann_dir` and `split`, make a ConcatDataset.
    `default_args` are for the data sets inside wrappers, not for the wrappers.
    """
    if isinstance(cfg, list | tuple):
        return _concat([build_dataset(part, default_args) for part in cfg])
    if _is_wrapper(cfg.get('type')):
        return build_from_cfg(_build_inner(cfg, default_args), DATASETS)
    if any(isinstance(cfg.get(key), list | tuple) for key in LISTED):
        return _concat(_build_listed(cfg, default_args))
    return build_from_cfg(cfg, DATASETS, default_args)


def _is_wrapper(kind: Any) -> bool:
    """Whether a type in a config is a class with `inner()`."""
    if isinstance(kind, str):
        kind = DATASETS.get(kind) if kind in DATASETS else None
    return hasattr(kind, 'inner')


def _build_inner(cfg: Cfg, default_args: Cfg | None) -> Cfg:
    """The config of a wrapper with the data sets inside it built."""
    cfg = copy.copy(cfg)
    if isinstance(cfg.get('dataset'), dict | list | tuple):
        cfg['dataset'] = build_dataset(cfg['dataset'], default_args)
    if isinstance(cfg.get('datasets'), list | tuple):
        cfg['datasets'] = [build_dataset(part, default_args) for part in cfg['datasets']]
    return cfg


def _concat(datasets: Sequence[Dataset]) -> Dataset:
    return DATASETS.get('ConcatDataset')(datasets)


def _build_listed(cfg: Cfg, default_args: Cfg | None) -> list[Dataset]:
    """The data sets of a config with lists; an empty one is left out, if others have images.

    The 'aug' list of a subset of VOC may well be empty; a list that does not exist is an error.
    """
    datasets, empty = [], []
    for part in _split_lists(cfg):
        dataset = build_dataset(part, default_args)
        try:
            if hasattr(dataset, 'check_files') and not len(dataset):
                dataset.check_files()
            datasets.append(dataset)
        except EmptyDatasetError as error:
            empty.append(error)
    if not datasets:
        raise empty[0]
    for error in empty:
        logging.getLogger('mmseg').warning('left out of the data: %s', error)
    return datasets


def _split_lists(cfg: Cfg) -> list[Cfg]:
    """One config for each entry of the lists; a single value is used for all."""
    lists = {key: cfg[key] for key in LISTED if isinstance(cfg.get(key), list | tuple)}
    lengths = {key: len(values) for key, values in lists.items()}
    number = max(lengths.values())
    if set(lengths.values()) - {1, number}:
        raise ConfigError(f'the lists of {cfg.get("type")} have different lengths, {lengths}: '
                          'give as many entries in each, or one value for all')
    cfgs = [copy.deepcopy(cfg) for _ in range(number)]
    for index, part in enumerate(cfgs):
        part.update({key: values[index % len(values)] for key, values in lists.items()})
    return cfgs
