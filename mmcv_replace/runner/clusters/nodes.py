"""Reads the variables of schedulers that start one command on each node."""
import re
from dataclasses import replace

from .place import Place
from .variables import ClusterError, Variables

SIGNS = 'RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|NPROC_PER_NODE|MASTER_(ADDR|PORT)'
VOLCANO_SIGNS = f'VC_TASK_INDEX|VK_TASK_INDEX|VC_.*_HOSTS|HOSTNAME|{SIGNS}'


def by_node(env: Variables) -> bool:
    """Whether RANK is that of a node: with that of a process there is a LOCAL_RANK."""
    return (env.has('RANK', 'WORLD_SIZE')
            and not any(name in env for name in ('LOCAL_RANK', 'PET_NNODES')))


# --- the Ascend Operator: LOCAL_RANK lists the devices, WORLD_SIZE counts those of all nodes -----

def _devices(env: Variables) -> list[str]:
    match = re.fullmatch(r'\{?([0-9]+(?:,[0-9]+)*)\}?', env.text('LOCAL_RANK') or '')
    return [] if match is None else match[1].split(',')


def is_ascend(env: Variables) -> bool:
    """Whether LOCAL_RANK is a list; a list of one device is like that of a process."""
    return (env.has('RANK', 'WORLD_SIZE') and bool(_devices(env))
            and not env.text('LOCAL_RANK').isdigit())


def ascend_local_size(env: Variables) -> int:
    size, devices = env.number('LOCAL_WORLD_SIZE', lowest=1), len(_devices(env))
    if size not in (None, devices):
        raise ClusterError(f'LOCAL_WORLD_SIZE={size}, but LOCAL_RANK names {devices} devices: '
                           f'{env.listing(SIGNS)}')
    return devices


def ascend_nodes(env: Variables) -> int:
    devices, local = env.number('WORLD_SIZE', lowest=1), ascend_local_size(env)
    if devices % local:
        raise ClusterError(f'WORLD_SIZE={devices} devices are no number of nodes of {local}: '
                           f'{env.listing(SIGNS)}')
    return devices // local


# --- Volcano: the plug-in pytorch sets RANK and WORLD_SIZE, env an index, svc the hosts ----------

def is_volcano(env: Variables) -> bool:
    return ('VC_TASK_INDEX' in env or 'VK_TASK_INDEX' in env or bool(_pods(env))) and (
        by_node(env) or bool(_pods(env)))


def _tasks(env: Variables) -> list[str]:
    """Names of the variables that list the pods of a task, the master's first."""
    names = [name for name in env if re.fullmatch('VC_.+_HOSTS', name)]
    return sorted(names, key=lambda name: (name != 'VC_MASTER_HOSTS', name))


def _pods(env: Variables) -> list[str]:
    return [pod for task in _tasks(env) for pod in re.split(r'[,\s]+', env.text(task)) if pod]


def volcano_nodes(env: Variables) -> int:
    """Number of nodes: fewer than pods if some run other tasks, such as TensorBoard."""
    pods = len(_pods(env))
    nodes = env.number('WORLD_SIZE', lowest=1) if by_node(env) else pods
    if 0 < pods < nodes:
        raise ClusterError(f'Volcano lists {pods} pods, but WORLD_SIZE={nodes}: '
                           f'{env.listing(VOLCANO_SIGNS)}')
    return nodes


def volcano_rank(env: Variables) -> int | None:
    """The index counts within a task; with several tasks the pod's name decides."""
    if by_node(env):
        return env.number('RANK')
    names = [pod.split('.')[0] for pod in _pods(env)]
    if env.text('HOSTNAME') in names:
        return names.index(env.text('HOSTNAME'))
    return env.number('VC_TASK_INDEX', 'VK_TASK_INDEX') if len(_tasks(env)) == 1 else None


def volcano_addr(env: Variables) -> str | None:
    return next(iter(_pods(env)), None)


# --- torchrun's options in variables, as Kubeflow sets them --------------------------------------

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
