"""Reads the variables of schedulers that start one command on each node."""
import re

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
    return env.text('MASTER_ADDR') or next(iter(_pods(env)), None)
