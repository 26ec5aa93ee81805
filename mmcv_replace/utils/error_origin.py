"""Where an exception comes from: what its text cannot tell, since anybody may write any text."""
import opcode
from types import TracebackType

import torch

_CV_NO_MEMORY = -4  # cv2.Error.StsNoMem
# What torch says of the host, for which it has no type; the last where the size is no number.
_NO_MEMORY = ('allocate memory', 'out of memory', 'not enough memory',
              'Storage size calculation overflowed')


def innermost(error: BaseException) -> TracebackType | None:
    """The last place in Python that the error has passed, where it was raised or called for."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place


def module_of(error: BaseException) -> str:
    """Name of the module in which the error arose; empty for one that was not raised."""
    place = innermost(error)
    return '' if place is None else str(place.tb_frame.f_globals.get('__name__', ''))


def is_of_compiled_code(error: BaseException) -> bool:
    """Whether no statement of Python raised it, but a function of compiled code."""
    place = innermost(error)
    if place is None:
        return False
    instruction = opcode.opname[place.tb_frame.f_code.co_code[place.tb_lasti]]
    return instruction not in ('RAISE_VARARGS', 'RERAISE')


def is_dead_worker(error: BaseException) -> bool:
    """Whether torch's DataLoader says that one of its processes died; not what failed in one."""
    return (isinstance(error, RuntimeError) and module_of(error).startswith('torch.utils.data.')
            and str(error).startswith('DataLoader worker (pid'))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the host or a device had no memory left."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if type(error).__module__ == 'cv2':
        return getattr(error, 'code', None) == _CV_NO_MEMORY
    return isinstance(error, RuntimeError) and is_of_compiled_code(error) and (
        any(text in str(error) for text in _NO_MEMORY))
