"""Where an exception was raised, to judge errors by their origin instead of their text."""
import opcode
from types import TracebackType

import torch

_CV_NO_MEMORY = -4  # cv2.Error.StsNoMem
# Texts of torch's RuntimeErrors for the memory of the host; the last is for overflowing sizes.
_NO_MEMORY = ('allocate memory', 'out of memory', 'not enough memory',
              'Storage size calculation overflowed')


def innermost(error: BaseException) -> TracebackType | None:
    """The innermost Python frame in the traceback; None if the error was not raised."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place


def is_of_compiled_code(error: BaseException) -> bool:
    """Whether compiled code raised the error, and not a `raise` statement of Python."""
    place = innermost(error)
    if place is None:
        return False
    instruction = opcode.opname[place.tb_frame.f_code.co_code[place.tb_lasti]]
    return instruction not in ('RAISE_VARARGS', 'RERAISE')


def is_dead_worker(error: BaseException) -> bool:
    """Whether torch's DataLoader reports that a worker process died (not an error inside one)."""
    place = innermost(error)
    module = '' if place is None else str(place.tb_frame.f_globals.get('__name__'))
    return (isinstance(error, RuntimeError) and module.startswith('torch.utils.data.')
            and str(error).startswith('DataLoader worker (pid'))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error means that the host or a device ran out of memory."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if type(error).__module__ == 'cv2':
        return getattr(error, 'code', None) == _CV_NO_MEMORY
    return isinstance(error, RuntimeError) and is_of_compiled_code(error) and (
        any(text in str(error) for text in _NO_MEMORY))
