"""Reads the variables of Open MPI, Hydra and Intel MPI."""
import zlib

from .place import FIRST_PORT, PORTS, Process
from .variables import Variables

MPI = (('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
       ('PMI_RANK', 'PMI_SIZE', 'MPI_LOCALRANKID'))


def process(env: Variables) -> Process | None:
    return next((tuple(map(env.number, names)) for names in MPI if env.has(*names)), None)


def local_size(env: Variables) -> int | None:
    return env.number('OMPI_COMM_WORLD_LOCAL_SIZE', 'MPI_LOCALNRANKS', lowest=1)


def addr(env: Variables) -> str | None:
    """MPI does not tell the address of the first process; on a single node it is this one."""
    ranks, size = process(env), local_size(env)
    one_node = ranks is not None and (ranks[0] == ranks[2] if size is None else ranks[1] == size)
    return env.text('MASTER_ADDR') or ('127.0.0.1' if one_node else None)


def port(env: Variables) -> int | None:
    """Derived from Open MPI's name of the job, so that jobs on one machine differ."""
    told, job = env.number('MASTER_PORT', lowest=1), env.text('PMIX_NAMESPACE')
    if told is not None or job is None:
        return told
    return FIRST_PORT + zlib.crc32(job.encode()) % PORTS
