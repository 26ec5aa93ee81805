"""Check a job in one process before many are started for it."""
from pathlib import Path

from torch.utils.data import Dataset

from mmcv_replace.device import kind_of, resolve_device
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import (
    CheckpointError,
    DataError,
    DeviceError,
    add_note,
)
from mmseg.datasets import build_dataset

from .process import device_indices

# What tools/convert_datasets/voc_aug.py adds to the folder of VOC 2012.
CONVERTED = ('SegmentationClassAug', 'ImageSets/Segmentation/aug.txt',
             'ImageSets/Segmentation/trainaug.txt')


def check_job(cfg: Config, device: str, device_list: str | None, nproc: int,
              checkpoint: str | None = None) -> str:
    """Raise the error that would end each of `nproc` processes; returns a line on what they get.

    A job with a `checkpoint` tests it; one without trains and validates.
    """
    devices = check_devices(device, device_list, nproc)
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise CheckpointError(f'there is no checkpoint {checkpoint}: train first, or name one with '
                              '--checkpoint=FILE')
    names = ('train', 'val') if checkpoint is None else ('test',)
    sizes = ', '.join(f'{name} {len(_build(cfg, name)):,}' for name in names)
    return f'processes on this machine: {nproc} ({devices}); images: {sizes}'


def check_devices(device: str, device_list: str | None, nproc: int) -> str:
    """Raise DeviceError where this machine lacks a device for a process; returns their names."""
    kind = kind_of(resolve_device(device))
    if kind.type == 'cpu':
        return kind.type
    count = kind.count()
    indices = list(range(nproc)) if device_list is None else device_indices(device_list)
    absent = [index for index in indices if index >= count]
    if absent and device_list is None:
        raise DeviceError(f'{nproc} processes need a device each, but there are only {count} of '
                          f'type {kind.type!r} here: --nproc={count}')
    if absent:
        raise DeviceError(f'--device-list={device_list}: there is no {kind.type}:{absent[0]} here, '
                          f'only {count} of type {kind.type!r}, counted from 0')
    return ', '.join(f'{kind.type}:{index}' for index in indices)


def _build(cfg: Config, name: str) -> Dataset:
    dataset = cfg.data[name]
    try:
        return build_dataset(dataset, None if name == 'train' else dict(test_mode=True))
    except DataError as error:
        if any(path in str(error) for path in CONVERTED):
            devkit = Path(dataset.get('data_root', 'DIR/VOCdevkit/VOC2012')).parent
            add_note(error, 'this makes it: python tools/convert_datasets/voc_aug.py '
                            f'{devkit} {devkit / "VOCaug"} --nproc 8')
        raise
