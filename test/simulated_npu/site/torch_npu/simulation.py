"""What a test asks the simulation, and cannot ask a real device.

Counters are by kind, then by operator:
    ops: every operator that ran on a device
    host_sync: the host waited for the device (.item(), blocking copies to the host, nonzero...)
    blocking_upload: a copy to the device that waits, for want of non_blocking or page-locked memory
    boolean_index: a mask was an index, a shape that depends on the data
    float64_cast: a tensor on the device was cast to float64, and is float32
"""
import contextlib

import torch

from .npu.options import SETTINGS

_C = torch.ops.simulated_npu
KINDS = {'op': 'ops', 'host_sync': 'host_sync', 'blocking_upload': 'blocking_upload',
         'boolean_index': 'boolean_index', 'float64_cast': 'float64_cast'}


def counters():
    """Numbers since the start or the last reset: {kind: {operator: number}}."""
    result = {name: {} for name in KINDS.values()}
    for key, number in _C.counters().items():
        kind, _, operator = key.partition('/')
        result[KINDS[kind]][operator] = number
    return result


def reset():
    _C.reset_counters()


@contextlib.contextmanager
def counting():
    """Count from zero inside; the yielded dict is filled at the end."""
    counted = {}
    reset()
    try:
        yield counted
    finally:
        counted.update(counters())


@contextlib.contextmanager
def forbidding(kind):
    """Make an operation of that kind an error where it happens."""
    if kind not in KINDS:
        raise ValueError(f'unknown kind {kind!r}: choose {", ".join(KINDS)}')
    _C.forbid(kind, True)
    try:
        yield
    finally:
        _C.forbid(kind, False)


def settings():
    """What the program set of `torch.npu.set_compile_mode`, `config`, `conv` and `matmul`."""
    return dict(SETTINGS)
