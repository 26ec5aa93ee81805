"""The devices to which models and batches are moved, by their names or numbers."""
import torch

from .. import device

Target = torch.device | str | int


def device_at(target: Target) -> torch.device:
    """The device of a name, or the one that mmcv means by a number.

    -1 is the host, other numbers count the accelerators from 0; where there is no accelerator every
    number is the host. Raises DeviceError for a number that does not exist.
    """
    if not isinstance(target, int):
        return torch.device(target)
    kind = next(kind for kind in device.KINDS if kind.available())
    if target < 0 or kind.type == 'cpu':
        return torch.device('cpu')
    return device.resolve_device(f'{kind.type}:{target}')
