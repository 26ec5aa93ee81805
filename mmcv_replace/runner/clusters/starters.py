"""Reads the variables of schedulers that start every process of a job."""
import os
import re
import zlib

from .place import Process, port_of
from .variables import ClusterError, Variables

# Of Open MPI, and of Hydra and Intel MPI.
MPI = (('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
       ('PMI_RANK', 'PMI_SIZE', 'MPI_LOCALRANKID'))
SLURM = ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')


def mpi_process(env: Variables) -> Process | None:
    return next((tuple(map(env.number, names)) for names in MPI if env.has(*names)), None)


def mpi_local_size(env: Variables) -> int | None:
    return env.number('OMPI_COMM_WORLD_LOCAL_SIZE', 'MPI_LOCALNRANKS', lowest=1)


def mpi_addr(env: Variables) -> str | None:
    """MPI does not tell the address of the first process; on a single node it is this one."""
    ranks, size = mpi_process(env), mpi_local_size(env)
    one_node = ranks is not None and (ranks[0] == ranks[2] if size is None else ranks[1] == size)
    return '127.0.0.1' if one_node else None


def mpi_port(env: Variables) -> int | None:
    job = env.text('PMIX_NAMESPACE')  # Open MPI's
    return None if job is None else port_of(zlib.crc32(job.encode()))


def is_slurm_task(env: Variables) -> bool:
    """Whether srun started this process; shells of salloc, sbatch and `srun --pty` are not tasks.

    A task that srun starts from a shell on a node inherits SLURM_PTY_PORT, but not the terminal.
    """
    return env.has('SLURM_STEP_ID', *SLURM) and not ('SLURM_PTY_PORT' in env and has_terminal())


def has_terminal() -> bool:
    """Whether this process has a controlling terminal, even if its output is redirected."""
    try:
        os.close(os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def slurm_process(env: Variables) -> Process | None:
    if not env.has(*SLURM):
        return None
    return (env.number('SLURM_PROCID'),
            env.number('SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS', lowest=1),
            env.number('SLURM_LOCALID'))


def slurm_nodes(env: Variables) -> int | None:
    return env.number('SLURM_STEP_NUM_NODES', 'SLURM_NNODES', 'SLURM_JOB_NUM_NODES', lowest=1)


def slurm_local_size(env: Variables) -> int | None:
    """Number of tasks on this node; '4(x2),3' is four on each of two nodes, three on the next."""
    text = env.text('SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE')
    if text is None:
        tasks, hosts = slurm_process(env), slurm_nodes(env)
        if tasks is None or hosts is None or tasks[1] % hosts:
            return None
        return tasks[1] // hosts
    counts: list[int] = []
    for part in text.split(','):
        match = re.fullmatch(r'([0-9]+)(?:\(x([0-9]+)\))?', part)
        if match is None:
            raise ClusterError(f'slurm: {text!r} is not a list of tasks on each node')
        counts += [int(match[1])] * int(match[2] or 1)
    node = env.number('SLURM_NODEID') or 0
    return counts[node] if node < len(counts) else None


def slurm_addr(env: Variables) -> str | None:
    hosts = env.text('SLURM_STEP_NODELIST', 'SLURM_JOB_NODELIST', 'SLURM_NODELIST')
    return expand_hosts(hosts)[0] if hosts else None


def slurm_port(env: Variables) -> int | None:
    job, step = env.text('SLURM_JOB_ID') or '', env.text('SLURM_STEP_ID') or ''
    return port_of(int(job) * 8 + (int(step) if step.isdigit() else 0)) if job.isdigit() else None


def expand_hosts(hosts: str) -> list[str]:
    """'n[1-2,07],login' -> ['n1', 'n2', 'n07', 'login']; ClusterError for any other text."""
    parts = re.findall(r'(?:[^,\[\]]|\[[^\[\]]*\])+', hosts)  # commas in brackets do not separate
    if not parts or ','.join(parts) != hosts:
        raise ClusterError(f'{hosts!r} is not a list of hosts of slurm')
    names: list[str] = []
    for part in parts:
        ends = ['']
        for text, ranges in re.findall(r'([^\[\]]+)|\[([^\[\]]*)\]', part):
            ends = [end + piece for end in ends
                    for piece in ([text] if text else _numbers(ranges, hosts))]
        names += ends
    return names


def _numbers(ranges: str, hosts: str) -> list[str]:
    numbers: list[str] = []
    for item in ranges.split(','):
        match = re.fullmatch('([0-9]+)(?:-([0-9]+))?', item)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ClusterError(f'{hosts!r} is not a list of hosts of slurm: [{ranges}]')
        first, last = match[1], match[2] or match[1]
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return numbers
