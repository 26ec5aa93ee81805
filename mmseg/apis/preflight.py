"""`tools/preflight.py`: check a job in one process before all of its processes are started."""
import json
import os
from pathlib import Path

from mmcv_replace.device import DeviceKind, kind_of, resolve_device
from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.checkpoints.weights import weights_in
from mmcv_replace.runner.clusters import ClusterError
from mmcv_replace.runner.clusters.launch import launch_place
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError, ConfigError, DeviceError
from mmseg.datasets.pipelines.channel_check import check_channels_agree

from .data_check import check_training_data
from .datasets import build_split
from .labels.contract import check_labels_agree
from .labels.trained_classes import check_resumed_classes, classes_in, order_for_test
from .model import build_model_to_inspect, check_loaded
from .own.data import follow_own_data, trying_own_data
from .process import device_indices
from .settings import check_settings


def check_job(cfg: Config, device: str, device_list: str | None, nproc: int,
              checkpoint: str | None = None, nnodes: int | None = None,
              node_rank: int | None = None, addr: str | None = None, validate: bool = True) -> str:
    """Raise the error that each of the `nproc` processes of the job would end with.

    Returns a line that lists devices, data sets and nodes. A job with a `checkpoint` is a test of
    it; one without is a training, with evaluation if `validate`. Settings, labels and data are
    checked as the job itself does. `addr` is the address of the first node; values that are None
    are taken from the variables of a scheduler.
    """
    check_settings(cfg)
    if checkpoint is not None:
        follow_own_data(cfg, Path(checkpoint).parent)
    with trying_own_data(cfg):
        return _check_job(cfg, device, device_list, nproc, checkpoint, nnodes, node_rank, addr,
                          validate)


def _check_job(cfg: Config, device: str, device_list: str | None, nproc: int,
               checkpoint: str | None, nnodes: int | None, node_rank: int | None,
               addr: str | None, validate: bool) -> str:
    devices = check_devices(device, device_list, nproc)
    cluster = check_cluster(kind_of(resolve_device(device)), nproc, nnodes, node_rank, addr)
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise CheckpointError(f'there is no checkpoint {checkpoint}: train first, or name one with '
                              '--checkpoint=FILE')
    names = ('train', 'val') if checkpoint is None else ('test',)
    splits = {name: build_split(cfg, name) for name in (names if validate else names[:1])}
    model = build_model_to_inspect(cfg)
    check_labels_agree(cfg, model, splits)
    check_channels_agree(model, splits)
    if checkpoint is None:
        if cfg.get('resume_from') and Path(cfg.resume_from).is_file():
            check_resumed_classes(cfg, splits['train'])
        check_training_data(cfg, splits)
    else:
        outline = read_meta(checkpoint)
        if cfg.get('match_weights', True):
            check_loaded(model, weights_in(outline), checkpoint)
        order_for_test(classes_in(outline), splits['test'], checkpoint,
                       cfg.get('match_classes', True))
    sizes = ', '.join(f'{name} {len(dataset):,}' for name, dataset in splits.items())
    line = f'processes on this machine: {nproc} ({devices}); images: {sizes}'
    return f'{line}; {cluster}' if cluster else line


def check_devices(device: str, device_list: str | None, nproc: int) -> str:
    """Raise DeviceError if this machine has no device for a process; returns the devices' names."""
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


def check_cluster(kind: DeviceKind, nproc: int, nnodes: int | None = None,
                  node_rank: int | None = None, addr: str | None = None) -> str:
    """A description of the job's nodes, '' for a single node without a scheduler.

    `nnodes`, `node_rank` and `addr`, of the first node, override the variables of a scheduler.
    Raises ConfigError for variables that contradict each other, and for a rank table that does not
    match the job of `nproc` processes on each node.
    """
    try:
        place = launch_place(os.environ, nproc, nnodes, node_rank, addr)
    except ClusterError as error:
        raise ConfigError(str(error)) from error
    lines = []
    if place.scheduler != 'nobody':
        where = '' if place.addr is None else f', which meet at {place.addr}'
        lines.append(f'{place.scheduler}: node {place.node_rank} of {place.nnodes}{where}')
    table = os.environ.get(kind.rank_table or '', '')
    if table:
        check_rank_table(kind.rank_table, Path(table), place.nnodes, nproc)
        lines.append(f'{kind.rank_table}: {table}, {place.nnodes * nproc} devices')
    return '; '.join(lines)


def check_rank_table(variable: str, path: Path, nnodes: int, nproc: int) -> None:
    """Raise ConfigError for a rank table that does not list `nnodes` x `nproc` devices.

    The format is HCCL's "ranktable", version 1.0 and later: `server_list` holds for each node a
    `device` list, whose entries have a `rank_id`. The library ignores a missing file silently, and
    fails late for a wrong one.
    """
    remedy = f'mend it, or unset {variable}: the processes then find each other by themselves'
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
        status, servers = table.get('status', 'completed'), table['server_list']
        ranks = [[int(device['rank_id']) for device in server['device']] for server in servers]
    except (OSError, ValueError) as error:
        raise ConfigError(f'{variable}={path} cannot be read ({error}): {remedy}') from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f'{variable}={path} is no table of ranks ({error!r}; server_list lists '
                          f'nodes, each with devices that have a rank_id): {remedy}') from error
    if status != 'completed':
        raise ConfigError(f'{variable}={path} has the status {status!r}, not completed: the '
                          'scheduler is still writing it, so wait for it before the job starts')
    if sorted(sum(ranks, [])) != list(range(nnodes * nproc)) or len(ranks) != nnodes:
        raise ConfigError(
            f'{variable}={path} lists the ranks {ranks} on {len(ranks)} nodes, but the job has '
            f'{nnodes} x {nproc} processes, numbered from 0: {remedy}')
