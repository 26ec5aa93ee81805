"""Check a job in one process before many are started for it."""
from pathlib import Path

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.device import kind_of, resolve_device
from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.checkpoints.weights import get_state_dict
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, DeviceError

from .cluster_check import check_cluster
from .data_check import check_training_data
from .datasets import build_split
from .idle_model import build_idle_model
from .labels.contract import check_labels_agree
from .labels.trained_classes import check_resumed_classes, classes_in, order_for_test
from .loaded_weights import check_loaded
from .process import device_indices
from .settings import check_settings


def check_job(cfg: Config, device: str, device_list: str | None, nproc: int,
              checkpoint: str | None = None, nnodes: int | None = None,
              node_rank: int | None = None, addr: str | None = None, validate: bool = True) -> str:
    """Raise the error that would end each of `nproc` processes; returns a line on what they get.

    A job with a `checkpoint` tests it; one without trains and, if `validate`, validates: its data
    are looked at as the training does, and the labels as either does. The variables of a
    scheduler tell what is not given of `nnodes`, `node_rank` and `addr`, of the first node.
    """
    check_settings(cfg)
    devices = check_devices(device, device_list, nproc)
    cluster = check_cluster(kind_of(resolve_device(device)), nproc, nnodes, node_rank, addr)
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise CheckpointError(f'there is no checkpoint {checkpoint}: train first, or name one with '
                              '--checkpoint=FILE')
    names = ('train', 'val') if checkpoint is None else ('test',)
    splits = {name: build_split(cfg, name) for name in (names if validate else names[:1])}
    model = build_idle_model(cfg)
    check_labels_agree(cfg, model, splits)
    if checkpoint is None:
        if cfg.get('resume_from') and Path(cfg.resume_from).is_file():
            check_resumed_classes(cfg, splits['train'])
        check_training_data(cfg, splits)
    else:
        _check_tested(cfg, model, splits['test'], checkpoint)
    sizes = ', '.join(f'{name} {len(dataset):,}' for name, dataset in splits.items())
    line = f'processes on this machine: {nproc} ({devices}); images: {sizes}'
    return f'{line}; {cluster}' if cluster else line


def _check_tested(cfg: Config, model: nn.Module, dataset: Dataset, checkpoint: str) -> None:
    """Raise CheckpointError where the checkpoint is of other classes, or lacks weights."""
    outline = read_meta(checkpoint)
    if cfg.get('match_weights', True):
        check_loaded(model, get_state_dict(outline), checkpoint)
    order_for_test(classes_in(outline), dataset, checkpoint, cfg.get('match_classes', True))


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
