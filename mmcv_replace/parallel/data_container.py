"""What a pipeline hands over when plain batching would not do: padded images, or meta data."""
from typing import Any

import torch


class DataContainer:
    """A value with instructions for `collate` and `scatter`.

    `stack`: tensors are padded at the bottom and right of their last `pad_dims` dimensions with
    `padding_value` and stacked (`pad_dims=None` stacks without padding); otherwise they are listed.
    `cpu_only`: the value never leaves the host.
    """

    def __init__(self, data: Any, stack: bool = False, padding_value: float = 0,
                 cpu_only: bool = False, pad_dims: int | None = 2) -> None:
        if pad_dims not in (None, 1, 2, 3):
            raise ValueError(f'DataContainer pads the last 1, 2 or 3 dimensions, or none of them '
                             f'(pad_dims=None), not pad_dims={pad_dims!r}')
        self._data = data
        self._stack = stack
        self._padding_value = padding_value
        self._cpu_only = cpu_only
        self._pad_dims = pad_dims

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.data!r})'

    def __len__(self) -> int:
        return len(self._data)

    @property
    def data(self) -> Any:
        """The value itself; after `collate` a list with one entry for each chunk of the batch."""
        return self._data

    @property
    def datatype(self) -> type | str:
        """Type of the value; for a tensor its type name, such as 'torch.FloatTensor'."""
        return self._data.type() if isinstance(self._data, torch.Tensor) else type(self._data)

    @property
    def stack(self) -> bool:
        return self._stack

    @property
    def padding_value(self) -> float:
        return self._padding_value

    @property
    def cpu_only(self) -> bool:
        return self._cpu_only

    @property
    def pad_dims(self) -> int | None:
        return self._pad_dims

    def size(self, *args: int) -> torch.Size | int:
        """As of the tensor inside."""
        return self._data.size(*args)

    def dim(self) -> int:
        """As of the tensor inside."""
        return self._data.dim()

    def like(self, data: Any) -> 'DataContainer':
        """Another value with the same instructions."""
        return type(self)(data, self._stack, self._padding_value, self._cpu_only, self._pad_dims)

    def pin_memory(self) -> 'DataContainer':
        """Called by a DataLoader with `pin_memory=True`: page-locks what will go to the device."""
        return self if self._cpu_only else self.like(_pin(self._data))


def _pin(data: Any) -> Any:
    if isinstance(data, torch.Tensor):
        return data.pin_memory()
    if isinstance(data, (list, tuple)):
        return type(data)(_pin(item) for item in data)
    return data
