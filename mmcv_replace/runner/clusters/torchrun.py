"""Reads the variables of torchrun, and its options in variables PET_*."""
import re
from dataclasses import replace

from .place import Place, Process
from .variables import ClusterError, Variables

TORCH = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')


def process(env: Variables) -> Process | None:
    if not env.has(*TORCH):
        return None
    return env.number('RANK'), env.number('WORLD_SIZE', lowest=1), env.number('LOCAL_RANK')


def pet_nodes(env: Variables) -> int:
    """Number of nodes from PET_NNODES, which is that, or MIN:MAX of an elastic job."""
    nodes = env.text('PET_NNODES')
    match = re.fullmatch('(?:([1-9][0-9]*):)?([1-9][0-9]*)', nodes)
    if match is None or int(match[1] or 1) > int(match[2]):
        raise ClusterError(f'PET_NNODES={nodes} is neither a number of nodes nor MIN:MAX')
    return int(match[2])


def pet_rank(env: Variables) -> int | None:
    rank = env.number('PET_NODE_RANK')
    if rank is None and _meets_by_itself(env):
        return 0  # the rendezvous assigns the ranks
    if rank is None and 'LOCAL_RANK' not in env:
        return env.number('RANK')  # set by the training-operator to the number of the pod
    return rank


def pet_local_size(env: Variables) -> int | None:
    size = env.text('PET_NPROC_PER_NODE')  # or auto, gpu, cpu
    return int(size) if size is not None and re.fullmatch('[1-9][0-9]*', size) else None


def pet_rendezvous(place: Place, env: Variables) -> Place:
    """The place with the endpoint as its address, or with a rendezvous backend of torchrun."""
    nodes, endpoint = env.text('PET_NNODES'), env.text('PET_RDZV_ENDPOINT')
    if not _meets_by_itself(env):
        if ':' in nodes and len(set(nodes.split(':'))) > 1:
            raise ClusterError(f'PET_NNODES={nodes} is an elastic job, which needs '
                               f'PET_RDZV_BACKEND=c10d: {env.listing("PET_.*")}')
        if endpoint is None or place.addr is not None:
            return place
        host, _, port = endpoint.rpartition(':')
        if not (host and port.isdigit()):
            raise ClusterError(f'PET_RDZV_ENDPOINT={endpoint} is not HOST:PORT')
        return replace(place, addr=host, port=int(port))
    if endpoint is None:
        raise ClusterError(f'PET_RDZV_BACKEND={env.text("PET_RDZV_BACKEND")} needs '
                           f'PET_RDZV_ENDPOINT=HOST:PORT: {env.listing("PET_.*")}')
    words = ['--rdzv_backend', env.text('PET_RDZV_BACKEND'), '--rdzv_endpoint', endpoint]
    if 'PET_RDZV_ID' in env:
        words += ['--rdzv_id', env.text('PET_RDZV_ID')]
    return replace(place, rendezvous=tuple(words), elastic=nodes if ':' in nodes else None)


def _meets_by_itself(env: Variables) -> bool:
    return env.text('PET_RDZV_BACKEND') not in (None, 'static')
