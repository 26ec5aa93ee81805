"""Errors of distributed jobs: name the ranks of lost processes and nondeterministic operators."""
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist

from mmcv_replace.device import KINDS
from mmcv_replace.runner import get_dist_info
from mmcv_replace.runner.hooks import describe_ranks, nondeterministic_operator
from mmcv_replace.runner.preemption import finish_speaking
from mmcv_replace.utils.error_origin import is_dead_worker, is_of_compiled_code
from mmcv_replace.utils.errors import ConfigError, DataError, LostPeerError, UserError, add_note


@contextmanager
def naming_lost_peers() -> Iterator[None]:
    """Replace the error of a failed collective by LostPeerError, which lists the slowest ranks.

    The death of a data loading process becomes DataError; other errors get a note with their rank.
    """
    try:
        yield
    except Exception as error:
        rank, world_size = get_dist_info()
        if is_dead_worker(error):
            raise DataError(
                f'rank {rank}: a process that loads its data died: {_first_line(error)}. Mostly it '
                'is killed for want of memory: lower data.workers_per_gpu, or enlarge /dev/shm '
                '(docker run --shm-size)') from error
        if _is_exchange(error):
            finish_speaking()
            raise LostPeerError(_describe(error)) from error
        note = f'raised in the process of rank {rank}'
        noted = note in getattr(error, '__notes__', ())
        if world_size > 1 and not (isinstance(error, UserError) or noted):
            add_note(error, note)
        raise


@contextmanager
def naming_nondeterminism() -> Iterator[None]:
    """Replace torch's error for a nondeterministic operator in strict mode by a ConfigError."""
    try:
        yield
    except RuntimeError as error:
        operator = nondeterministic_operator(str(error))
        if operator is None or isinstance(error, UserError):
            raise
        raise ConfigError(
            f"deterministic='strict': torch has no deterministic implementation of {operator} "
            'for this device. Replace the layer or loss that uses it, train on another device, or '
            'use plain --deterministic, which only names it in the log') from error


def _is_exchange(error: Exception) -> bool:
    if not dist.is_initialized():
        return False
    if isinstance(error, dist.DistError):
        return True
    # Some backends raise plain RuntimeErrors in compiled code, from a collective, a backward pass,
    # or while waiting for one. The same text raised by a Python statement is another error.
    return type(error) is RuntimeError and is_of_compiled_code(error) and any(
        re.search(kind.exchange_error, str(error)) for kind in KINDS if kind.exchange_error)


def _describe(error: Exception) -> str:
    return (f'rank {dist.get_rank()}: an exchange with the other processes failed: '
            f'{_first_line(error)}\nThe processes, those that stayed behind first:\n'
            f'{describe_ranks() or "unknown"}\nLook for the error of the first one in the log, or '
            'whether its host hangs; dist_params = dict(timeout=SECONDS) sets how long to wait')


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
