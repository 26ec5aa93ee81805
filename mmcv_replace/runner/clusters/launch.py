"""Finds out for test/launch.sh which node of a job a shell is on; it does not import torch."""
import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from . import LAUNCH, ClusterError, Place, Variables, find, row_of
from .nodes import SIGNS, by_node


def launch_place(environ: Mapping[str, str], nproc: int, nnodes: int | None = None,
                 node_rank: int | None = None, addr: str | None = None,
                 port: int | None = None) -> Place:
    """Which node this is, for a shell that starts `nproc` processes on it.

    The other arguments are the user's and override the variables. Raises ClusterError if neither
    gives an answer, or an ambiguous one.
    """
    given = Place('the user', nnodes or 1, node_rank or 0, port=port)
    try:
        place = _node(environ, nproc)
    except ClusterError:
        if nnodes is None:
            raise
        place = given  # the number of nodes is what the variables do not tell
    if nnodes not in (None, place.nnodes):
        # The variables describe another job; their address is of no use for a single node.
        addr, place = (addr if nnodes > 1 else None), replace(given, port=place.port)
    if not (nnodes is None and node_rank is None and port is None):
        place = replace(place, rendezvous=(), elastic=None)
    place = replace(place, addr=addr or place.addr, port=port or place.port,
                    node_rank=place.node_rank if node_rank is None else node_rank)
    if place.node_rank >= place.nnodes:
        raise ClusterError(f'NODE_RANK={place.node_rank}: of NNODES={place.nnodes} it is 0 to '
                           f'{place.nnodes - 1}')
    if place.nnodes > 1 and place.addr is None and not place.rendezvous:
        if nnodes:
            raise ClusterError(f'NNODES={place.nnodes} needs MASTER_ADDR=IP too')
        raise ClusterError(
            f'{place.scheduler} says that there are {place.nnodes} nodes and not where the first '
            f'is ({row_of(place).seen(Variables(environ))}): set MASTER_ADDR=IP, or NNODES=1 for '
            'this node alone')
    return place


def _node(environ: Mapping[str, str], nproc: int) -> Place:
    env, place = Variables(environ), find(environ)
    if place is None:
        return _nobody(env, nproc)
    if place.process is None or place.process[1] == 1:
        return place
    if place.local_size == 1 and place.scheduler != 'torchrun':
        return place
    count = 'several' if place.local_size is None else place.local_size
    raise ClusterError(
        f'{place.scheduler} has started {count} processes on this node already, and each would '
        f'start {nproc} more ({row_of(place).seen(env)}): start one command a node, or '
        'tools/train.py and tools/test.py themselves')


def _nobody(env: Variables, nproc: int) -> Place:
    """Without a known scheduler RANK is the node's, and WORLD_SIZE counts nodes or processes."""
    port = env.number('MASTER_PORT', lowest=1)
    if not by_node(env):
        return Place('nobody', port=port)
    size, rank = env.number('WORLD_SIZE', lowest=1), env.number('RANK')
    if size > 1 and nproc > 1 and size % nproc == 0:
        raise ClusterError(
            f'the environment is ambiguous: WORLD_SIZE={size} is {size} nodes, or {size // nproc} '
            f'of {nproc} processes. Seen: {env.listing(SIGNS)}. Give NNODES and NODE_RANK too')
    if rank >= size:
        raise ClusterError(f'node {rank} of {size}, counted from 0: {env.listing(SIGNS)}')
    if size == 1:
        return Place('nobody', port=port)
    return Place('the environment', size, rank, addr=env.text('MASTER_ADDR'), port=port)


def _idle_nodes(environ: Mapping[str, str], place: Place, nnodes: int | None) -> str:
    """A note for the shell of a slurm job if further nodes of the job stay unused."""
    env = Variables(environ)
    nodes = env.number('SLURM_JOB_NUM_NODES', 'SLURM_NNODES') if 'SLURM_JOB_ID' in env else None
    if place.scheduler != 'nobody' or nnodes is not None or (nodes or 1) == 1:
        return ''
    return (f'note: this shell is no task of its slurm job, which has {nodes} nodes: only this one '
            f'is used. srun --ntasks-per-node=1 {LAUNCH} uses all\n')


def main(argv: Sequence[str] | None = None) -> int:
    """Print the result of `launch_place`, a NAME=VALUE on each line."""
    parser = argparse.ArgumentParser(prog='clusters', description=main.__doc__)
    parser.add_argument('--nproc', type=int, required=True)
    parser.add_argument('--nnodes', type=int)
    parser.add_argument('--node_rank', type=int)
    parser.add_argument('--addr')
    parser.add_argument('--port', type=int)
    parser.add_argument('--interface', action='store_true', help='find the one to the first node')
    args = parser.parse_args(argv)
    try:
        place = launch_place(os.environ, args.nproc, args.nnodes, args.node_rank, args.addr,
                             args.port)
        sys.stderr.write(_idle_nodes(os.environ, place, args.nnodes))
    except ClusterError as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    found = [('scheduler', place.scheduler), ('nnodes', place.elastic or place.nnodes),
             ('node_rank', place.node_rank), ('local_size', place.local_size or ''),
             ('addr', place.addr or ''), ('port', place.port or ''),
             *(('rendezvous', word) for word in place.rendezvous)]
    if args.interface and place.nnodes > 1 and place.addr is not None:
        from .network import interface_to  # which not every system can import

        found.append(('interface', interface_to(place.addr) or ''))
    sys.stdout.write(''.join(f'{name}={value}\n' for name, value in found))
    return 0
