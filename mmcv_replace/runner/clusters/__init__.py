"""Finds out which scheduler started this process: one row for each in table.py.

A scheduler starts either every process of a job (slurm, MPI, torchrun), or one command on each
node, which starts the processes there (launch.py, for the scripts). Environment variables identify
the part of the job. Their names are the same and their meanings differ: RANK is a process under
torchrun, and a node under the Ascend Operator, Volcano, Kubeflow and PAI; WORLD_SIZE counts
processes, devices or nodes.

Sources, read in 2026: MindCluster's ascend-operator (setPytorchEnv; LOCAL_RANK is "0,1,...,7"),
Kubeflow's training-operator (setPodEnv; WORLD_SIZE is pods x processes, PET_MASTER_ADDR is not set)
and trainer (plug-in torch, pkg/constants), Volcano's plug-ins env, svc and pytorch, PAI's "General
environment variables" (Baidu's AIHC sets the same), srun(1), Open MPI's and Hydra's documentation,
torch/distributed/run.py and argparse_util.py.

Only the standard library is used here, so that scripts do not wait for the import of torch.
"""
from collections.abc import Mapping

from .place import TORCH, Place, Scheduler
from .starters import MPI, SLURM
from .table import BY_HAND, OF_NODES, STARTERS, TABLE
from .variables import ClusterError, Variables

__all__ = ['TABLE', 'ClusterError', 'Place', 'Scheduler', 'find', 'launcher_of', 'row_of',
           'torch_variables']

DEFAULT_PORT = 29500
LAUNCH = 'bash tools/dist_train.sh CONFIG NPROC'


def find(environ: Mapping[str, str]) -> Place | None:
    """The part of the job that the environment describes; None if no scheduler is recognised.

    Raises ClusterError, which lists the variables, for impossible or contradictory values.
    """
    env = Variables(environ)
    starter = next((row for row in STARTERS if row.recognised(env)), None)
    if starter is not None:
        place = starter.place(env)
        if starter.name == 'torchrun' or place.local_size != 1:
            return place
    rows = [starter] if starter else []
    rows += [row for row in (*OF_NODES, *([] if starter else [BY_HAND])) if row.recognised(env)]
    if not rows:
        return None
    first = rows[0].place(env)
    for row in rows[1:]:
        other = row.place(env)
        if (first.nnodes, first.node_rank) != (other.nnodes, other.node_rank):
            seen = env.listing(f'{rows[0].signs}|{row.signs}')
            raise ClusterError(
                f'the environment is ambiguous: {first.scheduler} says node {first.node_rank} of '
                f'{first.nnodes}, but {other.scheduler} says node {other.node_rank} of '
                f'{other.nnodes}. Seen: {seen}. Unset what is left over, or give NNODES, NODE_RANK '
                'and MASTER_ADDR to tools/dist_*.sh')
    return first


def row_of(place: Place) -> Scheduler:
    """The row of the table that found a place."""
    return next(row for row in TABLE if row.name == place.scheduler)


def launcher_of(environ: Mapping[str, str]) -> str:
    """The value of --launcher for a process that was started without one.

    'none' is a single process, 'node' one process on each of several nodes. Raises ClusterError for
    a single process where a scheduler expects several on a node.
    """
    place, env = find(environ), Variables(environ)
    if place is None:
        # Some of torch's variables: init_dist reports which are missing.
        return 'pytorch' if 'RANK' in env and (env.number('WORLD_SIZE') or 1) > 1 else 'none'
    if place.process is not None:
        return row_of(place).launcher if place.process[1] > 1 else 'none'
    if place.nnodes > 1 and place.local_size == 1 and not place.rendezvous:
        return 'node'
    if place.nnodes > 1 or (env.number('WORLD_SIZE') or 1) > 1:
        size = '' if place.local_size is None else f' with {place.local_size} processes each'
        raise ClusterError(
            f'this is one process, but {place.scheduler} says node {place.node_rank} of '
            f'{place.nnodes}{size} ({row_of(place).seen(env)}): start the processes of each node '
            f'by {LAUNCH}, or with NNODES=1 before it those of this node alone')
    return 'none'


def torch_variables(launcher: str, environ: Mapping[str, str]) -> dict[str, str]:
    """torch's variables (RANK, ...) for a process that 'slurm', 'mpi' or 'node' started.

    An unknown MASTER_ADDR is left out. Raises ClusterError if another launcher started it.
    """
    env = Variables(environ)
    if launcher == 'node':
        place = find(environ)
        process = place.node_rank, place.nnodes, 0
    else:
        row = next(row for row in STARTERS if row.launcher == launcher)
        process = row.process(env)
        if process is None:
            names = ' or '.join(', '.join(names) for names in
                                {'slurm': (SLURM,), 'mpi': MPI}[launcher])
            raise ClusterError(f'launcher {launcher!r} needs the variables {names}, which are not '
                               'set: start this command through that launcher')
        if process[1] > 1 and 'SLURM_JOB_ID' in env and not (
                launcher == 'mpi' or 'SLURM_STEP_ID' in env):
            raise ClusterError(f'this is the shell of a slurm job, and none of its {process[1]} '
                               'tasks: start the command through srun')
        place = row.place(env)
    found = dict(zip(TORCH, map(str, process), strict=True))
    if place.addr is not None:
        found['MASTER_ADDR'] = place.addr
    return found | {'MASTER_PORT': str(place.port or DEFAULT_PORT)}
