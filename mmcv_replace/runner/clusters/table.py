"""The table of schedulers, a row for each."""
from collections.abc import Callable

from . import nodes, starters
from .nodes import SIGNS, VOLCANO_SIGNS, by_node
from .place import TORCH, Scheduler, torch_process
from .variables import Variables


def number(*names: str, lowest: int = 0) -> Callable[[Variables], int | None]:
    """Reads the first of these variables that is set; see `Variables.number`."""
    return lambda env: env.number(*names, lowest=lowest)


# Schedulers that start every process. One may have been started inside of those below it, or of
# any in OF_NODES, whose variables are then still set.
STARTERS = (
    Scheduler(
        'torchrun', 'RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_.*|TORCHELASTIC_RUN_ID',
        lambda env: env.has('TORCHELASTIC_RUN_ID', *TORCH), launcher='pytorch',
        process=torch_process, local_size=number('LOCAL_WORLD_SIZE', lowest=1),
        nnodes=number('GROUP_WORLD_SIZE', lowest=1), node_rank=number('GROUP_RANK')),
    Scheduler(
        'MPI', 'OMPI_COMM_WORLD_.*|PMI_.*|MPI_LOCAL.*|MASTER_(ADDR|PORT)',
        lambda env: starters.mpi_process(env) is not None, launcher='mpi',
        process=starters.mpi_process, local_size=starters.mpi_local_size,
        addr=starters.mpi_addr, port=starters.mpi_port),
    Scheduler(
        'slurm', 'SLURM_(PROCID|NTASKS|LOCALID|NODEID|NNODES|STEP_.*|TASKS_PER_NODE)',
        starters.is_slurm_task, launcher='slurm',
        process=starters.slurm_process, local_size=starters.slurm_local_size,
        nnodes=starters.slurm_nodes, node_rank=number('SLURM_NODEID'),
        addr=starters.slurm_addr, port=starters.slurm_port),
)
# The variables of torch for one process, whoever has set them.
BY_HAND = Scheduler(
    'the environment', SIGNS,
    lambda env: env.has(*TORCH) and not nodes.is_ascend(env), launcher='pytorch',
    process=torch_process, local_size=number('LOCAL_WORLD_SIZE', lowest=1))
# Schedulers that start one command on each node.
OF_NODES = (
    Scheduler(
        'the Ascend Operator', SIGNS, nodes.is_ascend,
        nnodes=nodes.ascend_nodes, node_rank=number('RANK'), local_size=nodes.ascend_local_size),
    Scheduler(
        'PET_NNODES (torchrun, Kubeflow)', f'PET_.*|{SIGNS}', lambda env: 'PET_NNODES' in env,
        nnodes=nodes.pet_nodes, node_rank=nodes.pet_rank, local_size=nodes.pet_local_size,
        addr=lambda env: env.text('PET_MASTER_ADDR'), port=number('PET_MASTER_PORT', lowest=1),
        rendezvous=nodes.pet_rendezvous),
    Scheduler(
        'Volcano', VOLCANO_SIGNS, nodes.is_volcano,
        nnodes=nodes.volcano_nodes, node_rank=nodes.volcano_rank, addr=nodes.volcano_addr),
    Scheduler(
        'PAI', SIGNS,
        lambda env: by_node(env) and 'NPROC_PER_NODE' in env and not nodes.is_volcano(env),
        nnodes=number('WORLD_SIZE', lowest=1), node_rank=number('RANK'),
        local_size=number('NPROC_PER_NODE', lowest=1)),
    Scheduler(
        'Kubeflow', f'{SIGNS}|KUBERNETES_SERVICE_HOST',
        lambda env: (by_node(env) and 'KUBERNETES_SERVICE_HOST' in env
                     and 'NPROC_PER_NODE' not in env and not nodes.is_volcano(env)),
        nnodes=number('WORLD_SIZE', lowest=1), node_rank=number('RANK')),
)
TABLE = (*STARTERS, *OF_NODES, BY_HAND)
