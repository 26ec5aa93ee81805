"""Streams and events; work is done when its call returns, so they only keep names and times.

torch compares these types exactly, so they are torch's own and not classes derived from them.
"""
import contextlib

import torch

from .devices import index_of


def _device(device):
    return torch.device('npu', index_of(device))


def Stream(device=None, priority=0):
    return torch.Stream(_device(device), priority=priority)


def Event(enable_timing=False, blocking=False, interprocess=False):
    return torch.Event(device='npu', enable_timing=enable_timing, blocking=blocking,
                       interprocess=interprocess)


def current_stream(device=None):
    return torch.accelerator.current_stream(_device(device))


def default_stream(device=None):
    here = current_stream(device)
    return torch.Stream(stream_id=0, device_index=here.device_index, device_type=here.device_type)


def set_stream(stream):
    torch.accelerator.set_stream(stream)


@contextlib.contextmanager
def stream(stream):
    previous = current_stream(stream.device)
    set_stream(stream)
    try:
        yield
    finally:
        set_stream(previous)
