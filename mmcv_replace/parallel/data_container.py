"""Values of a sample that need more than plain batching: images to pad, or meta data to list."""
from typing import Any

import torch

from ..utils.errors import ConfigError


class DataContainer:
    """A value with instructions for `collate` and `scatter`.

    `data`: the value; after `collate` a list with one entry for each chunk of the batch. `stack`:
    tensors are padded at the bottom and right of their last `pad_dims` dimensions with
    `padding_value` and stacked (`pad_dims=None` stacks without padding); otherwise they are listed.
    `cpu_only`: the value never leaves the host. Raises ConfigError for another `pad_dims`.
    """

    def __init__(self, data: Any, stack: bool = False, padding_value: float = 0,
                 cpu_only: bool = False, pad_dims: int | None = 2) -> None:
        if pad_dims not in (None, 1, 2, 3):
            raise ConfigError(f'DataContainer pads the last 1, 2 or 3 dimensions, or none of them '
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
        """The value."""
        return self._data

    @property
    def datatype(self) -> type | str:
        """Type of the value; for a tensor its type name, such as 'torch.FloatTensor'."""
        return self.data.type() if isinstance(self.data, torch.Tensor) else type(self.data)

    @property
    def stack(self) -> bool:
        """Whether `collate` stacks the tensors of a chunk."""
        return self._stack

    @property
    def padding_value(self) -> float:
        """What fills the padding."""
        return self._padding_value

    @property
    def cpu_only(self) -> bool:
        """Whether the value stays on the host."""
        return self._cpu_only

    @property
    def pad_dims(self) -> int | None:
        """Number of the last dimensions that may be padded; None for no padding."""
        return self._pad_dims

    def size(self, *args: int) -> torch.Size | int:
        """Size of the tensor, as `Tensor.size` gives it; AttributeError for another value."""
        return self._tensor('size').size(*args)

    def dim(self) -> int:
        """Number of dimensions of the tensor; AttributeError for another value."""
        return self._tensor('dim').dim()

    def _tensor(self, wanted: str) -> torch.Tensor:
        if not isinstance(self.data, torch.Tensor):
            raise AttributeError(f'a DataContainer of a {type(self.data).__name__} has no '
                                 f'{wanted}(): only one of a tensor has')
        return self.data

    def like(self, data: Any) -> 'DataContainer':
        """Another value with the same instructions."""
        return type(self)(data, self.stack, self.padding_value, self.cpu_only, self.pad_dims)

    def pin_memory(self) -> 'DataContainer':
        """The same in page-locked memory, unless it stays on the host.

        A DataLoader with `pin_memory=True` calls it.
        """
        return self if self.cpu_only else self.like(_pin(self.data))


def _pin(data: Any) -> Any:
    if isinstance(data, torch.Tensor):
        return data.pin_memory()
    if isinstance(data, (list, tuple)):
        return type(data)(_pin(item) for item in data)
    return data
