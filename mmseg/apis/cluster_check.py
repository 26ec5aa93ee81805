"""What the environment says of a job's nodes, checked before their processes start."""
import json
import os
from pathlib import Path

from mmcv_replace.device import DeviceKind
from mmcv_replace.runner.clusters import ClusterError
from mmcv_replace.runner.clusters.launch import launch_place
from mmcv_replace.utils.errors import ConfigError


def check_cluster(kind: DeviceKind, nproc: int, nnodes: int | None = None,
                  node_rank: int | None = None, addr: str | None = None) -> str:
    """A line on the job's nodes, '' for one node that nobody describes.

    What the user says (`nnodes`, `node_rank`, `addr` of the first node) beats the variables.
    Raises ConfigError for variables that contradict each other, and for a table of ranks that does
    not describe the job of `nproc` processes a node.
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
    """Raise ConfigError for a file that does not list the devices of `nnodes` x `nproc` processes.

    The format is that of HCCL's "ranktable", version 1.0 and later: `server_list` with a `device`
    list a node, each with its `rank_id`. The library ignores a missing file silently, and a wrong
    one ends the job late.
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
