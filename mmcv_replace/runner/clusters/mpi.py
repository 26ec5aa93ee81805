"""Reads the variables of Open MPI, Hydra and Intel MPI."""
import zlib

from .place import Process, port_of
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
    return '127.0.0.1' if one_node else None


def port(env: Variables) -> int | None:
    job = env.text('PMIX_NAMESPACE')  # Open MPI's
    return None if job is None else port_of(zlib.crc32(job.encode()))
