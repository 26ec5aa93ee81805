"""Check a job in one process before many are started for it."""
from collections.abc import Sequence
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.device import kind_of, resolve_device
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, DataError, DeviceError, add_note
from mmseg.datasets import build_dataset

# What tools/convert_datasets/voc_aug.py adds to a VOC folder.
CONVERTED = ('SegmentationClassAug', 'ImageSets/Segmentation/aug.txt',
             'ImageSets/Segmentation/trainaug.txt')


def check_job(cfg: Config, device: str, device_list: str | None, nproc: int,
              checkpoint: str | None = None) -> str:
    """Raise the error that would end each of `nproc` processes; returns a line on what they get.

    A job with a `checkpoint` tests it, without one it trains and validates.
    """
    devices = check_devices(device, device_list, nproc)
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise CheckpointError(f'there is no checkpoint {checkpoint}: train first, or name one with '
                              '--checkpoint=FILE')
    names = ('train', 'val') if checkpoint is None else ('test',)
    sizes = ', '.join(f'{name} {len(_build(cfg, name)):,}' for name in names)
    return f'processes here: {nproc}, on {devices}; images: {sizes}'


def check_devices(device: str, device_list: str | None, nproc: int) -> str:
    """Raise DeviceError where this machine lacks a device for a process; returns their names."""
    kind = kind_of(resolve_device(device))
    if kind.type == 'cpu':
        return kind.type
    count = kind.count()
    if device_list is None and nproc > count:
        raise DeviceError(f'{nproc} processes need a device each, and this one sees {count} of '
                          f'type {kind.type!r}: lower --nproc to {count}')
    indices = list(range(nproc)) if device_list is None else _indices(device_list)
    absent = [index for index in indices if index >= count]
    if absent:
        raise DeviceError(f'there is no {kind.type}:{absent[0]}: this process sees {count} of type '
                          f'{kind.type!r}, counted from 0; correct --device-list {device_list!r}')
    return ', '.join(f'{kind.type}:{index}' for index in indices)
