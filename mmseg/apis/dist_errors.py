"""What ends a job from outside: lost processes, named with their rank."""
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist

from mmcv_replace.device import KINDS
from mmcv_replace.runner import get_dist_info
from mmcv_replace.runner.hooks import describe_ranks, nondeterministic_operator
from mmcv_replace.runner.preemption import finish_speaking
from mmcv_replace.utils.error_origin import is_dead_worker, is_of_compiled_code
from mmcv_replace.utils.errors import (
    ConfigError,
    DataError,
    LostPeerError,
    UserError,
    add_note,
)


@contextmanager
def naming_lost_peers() -> Iterator[None]:
    """Turn a failed exchange between processes into an error that says who stayed behind.

    So with a process that loaded data; any other error is told which rank it is of.
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
        told = note in getattr(error, '__notes__', ())
        if world_size > 1 and not (isinstance(error, UserError) or told):
            add_note(error, note)
        raise


@contextmanager
def naming_nondeterminism() -> Iterator[None]:
    """Turn what torch raises in strict deterministic mode into an error that says what to do."""
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
    # Some backends raise plain RuntimeErrors, from inside of a collective, a backward pass or where
    # one waits for either. A statement of Python that says the same is somebody's own error.
    return type(error) is RuntimeError and is_of_compiled_code(error) and any(
        re.search(kind.exchange_error, str(error)) for kind in KINDS if kind.exchange_error)


def _describe(error: Exception) -> str:
    return (f'rank {dist.get_rank()}: an exchange with the other processes failed: '
            f'{_first_line(error)}\nThe processes, those that stayed behind first:\n'
            f'{describe_ranks() or "unknown"}\nLook for the error of the first one in the log, or '
            'whether its host hangs; dist_params = dict(timeout=SECONDS) sets how long to wait')


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
