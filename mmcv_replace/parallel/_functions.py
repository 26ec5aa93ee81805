"""Move tensors and lists of tensors to devices that are named by their numbers."""
from collections.abc import Sequence

from torch import Tensor

from ..utils.errors import ArgumentError
from .targets import device_at

Tensors = Tensor | Sequence['Tensors']


def scatter(input: Tensors, devices: Sequence[int], streams: Sequence[object] | None = None
            ) -> Tensors:
    """Move a tensor to the first device; of a list, one equal run of items to each device.

    -1 is the host. `streams` is mmcv's: copies are queued in the current stream, where what uses
    them waits for them. Raises ArgumentError for anything but tensors and lists of them.
    """
    if isinstance(input, Tensor):
        return input.to(device_at(devices[0]), non_blocking=True)
    if not isinstance(input, list):
        raise _wrong(input)
    run = max(1, -(-len(input) // len(devices)))
    return [scatter(item, [devices[index // run]]) for index, item in enumerate(input)]


def get_input_device(input: Tensors) -> int:
    """Number of the device of a tensor, or of the first one in a list that is not on the host.

    -1 is the host. Raises ArgumentError for anything but tensors and lists of them.
    """
    if isinstance(input, Tensor):
        return input.get_device()
    if not isinstance(input, list):
        raise _wrong(input)
    return next((device for device in map(get_input_device, input) if device != -1), -1)


class Scatter:
    """`scatter` as an operation with a `forward`, as torch's own class of this name has."""

    @staticmethod
    def forward(target_gpus: Sequence[int], input: Tensors) -> tuple[Tensors, ...]:
        """The moved tensor, or those of a list, in a tuple."""
        moved = scatter(input, target_gpus)
        return tuple(moved) if isinstance(moved, list) else (moved,)


def _wrong(input: object) -> ArgumentError:
    return ArgumentError(f'tensors and lists of tensors can be moved to devices, and this is a '
                         f'{type(input).__name__}: {input!r:.100}')
