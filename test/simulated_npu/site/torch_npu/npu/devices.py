"""The devices and the current one."""
import torch

_C = torch.ops.simulated_npu


def is_available():
    return _C.device_count() > 0


def device_count():
    return _C.device_count()


def init():
    _C.initialize()


_lazy_init = init


def is_initialized():
    return _C.initialized()


def _is_in_bad_fork():
    return _C.in_bad_fork()


def index_of(device=None):
    """Number of a device that is given as number, name or torch.device; the current one if None."""
    if device is None:
        return current_device()
    if isinstance(device, int):
        return device
    device = torch.device(device)
    if device.type != 'npu':
        raise ValueError(f'Expected a npu device, but got: {device}')
    return current_device() if device.index is None else device.index


def current_device():
    init()
    return _C.current_device()


def set_device(device):
    init()
    _C.set_device(index_of(device))


def synchronize(device=None):
    index_of(device)
    _C.synchronize()


def get_device_name(device=None):
    index_of(device)
    return 'Ascend (simulated)'


class device:
    """Context in which another device is the current one; a negative index changes nothing."""

    def __init__(self, device):
        self.index = -1 if device is None else index_of(device)
        self.previous = -1

    def __enter__(self):
        if self.index >= 0:
            self.previous = current_device()
            set_device(self.index)

    def __exit__(self, *_):
        if self.previous >= 0:
            set_device(self.previous)
