"""One process of a job: its device, its rank, and the command-line options for them."""
import argparse
import os
from dataclasses import dataclass

import torch

from mmcv_replace.device import resolve_device
from mmcv_replace.device_start import start_device
from mmcv_replace.runner import get_dist_info, init_dist
from mmcv_replace.runner.dist_utils import adopt_launcher, recognise_launcher
from mmcv_replace.runner.hooks import note_iteration
from mmcv_replace.utils import Config, DictAction
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.rank import get_local_rank

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


@dataclass(frozen=True)
class Process:
    """The device of this process and its place in the job."""

    device: torch.device
    distributed: bool = False
    rank: int = 0
    world_size: int = 1


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of all commands with a model: config, options, data, device, launcher."""
    parser.add_argument('config', help='config file, such as configs/pspnet/pspnet_r50-d8_...py')
    parser.add_argument(
        '--cfg-options', '--options', dest='cfg_options', nargs='+', action=DictAction,
        metavar='KEY=VALUE', help='change config values: data.samples_per_gpu=2 '
        'data.train.pipeline.2.img_scale="(512,128)"')
    parser.add_argument('--data-root', '--data_path', '--data-path', dest='data_root',
                        help='dataset folder, such as data/VOCdevkit/VOC2012')
    parser.add_argument('--device', default='auto',
                        help='auto (default), npu, gpu, cuda or cpu, with an index: npu:1')
    parser.add_argument('--device-list', '--device_list', dest='device_list',
                        help="indices for the processes of this host, such as '0,1,2,3'")
    parser.add_argument('--addr', help='address of the first host (MASTER_ADDR)')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none',
                        help='what started the processes; torchrun, srun and mpirun are recognised')
    parser.add_argument('--local_rank', '--local-rank', dest='local_rank', type=int, default=None,
                        help='set by torch.distributed.launch')


def start_process(cfg: Config, device: str = 'auto', launcher: str = 'none',
                  device_list: str | None = None, local_rank: int | None = None,
                  addr: str | None = None) -> Process:
    """Choose the device and, in a distributed job, join the process group.

    `device_list`: indices such as '0,1', one for each process of this host; `addr`: address of the
    first host. Without a `launcher` that of the environment is recognised. Raises ConfigError for
    options that do not fit together.
    """
    if local_rank is not None and not os.environ.get('LOCAL_RANK', '').isdigit():
        os.environ['LOCAL_RANK'] = str(local_rank)
    if addr is not None:
        os.environ.setdefault('MASTER_ADDR', addr)
    if launcher == 'none':
        launcher = recognise_launcher()
    if launcher != 'none':
        adopt_launcher(launcher)
    if launcher == 'node':
        launcher = 'pytorch'  # adopt_launcher has set the variables of it
    chosen = resolve_device(_with_index(device, device_list, launcher))
    start_device(chosen, cfg.get(chosen.type))
    if launcher == 'none':
        return Process(chosen)
    init_dist(launcher, device=chosen, **(cfg.get('dist_params') or {}))
    note_iteration(0)
    rank, world_size = get_dist_info()
    return Process(chosen, True, rank, world_size)


def device_indices(device_list: str) -> list[int]:
    """The indices in a text such as '0,1,2,3'; raises ConfigError for any other text."""
    items = [item.strip() for item in device_list.split(',') if item.strip()]
    if not items or not all(item.isdigit() for item in items):
        raise ConfigError(f"--device-list={device_list} is not a list of indices like '0,1,2,3'")
    return [int(item) for item in items]


def _with_index(device: str, device_list: str | None, launcher: str) -> str:
    if device_list is None or ':' in device or device == 'cpu':
        return device
    indices = device_indices(device_list)
    local_rank = get_local_rank()
    if launcher == 'none' and len(indices) > 1:
        raise ConfigError(f'--device-list names {len(indices)} devices but this is one process; '
                          'start one process a device: bash tools/dist_train.sh CONFIG '
                          f'{len(indices)}, or torchrun --nproc_per_node={len(indices)} '
                          'tools/train.py CONFIG --launcher pytorch')
    if local_rank >= len(indices):
        raise ConfigError(f'--device-list {device_list!r} has no device for local rank '
                          f'{local_rank}: name one device for each process of this host')
    base = resolve_device(device).type if device == 'auto' else device
    return base if base == 'cpu' else f'{base}:{indices[local_rank]}'
