"""Values of a sample that need more than plain batching: images to pad, or meta data to list."""
from dataclasses import dataclass, replace
from typing import Any

import torch


@dataclass(eq=False, repr=False)
class DataContainer:
    """A value with instructions for `collate` and `scatter`.

    `data`: the value; after `collate` a list with one entry for each chunk of the batch. `stack`:
    tensors are padded at the bottom and right of their last `pad_dims` dimensions with
    `padding_value` and stacked (`pad_dims=None` stacks without padding); otherwise they are listed.
    `cpu_only`: the value never leaves the host. Raises ValueError for another `pad_dims`.
    """

    data: Any
    stack: bool = False
    padding_value: float = 0
    cpu_only: bool = False
    pad_dims: int | None = 2

    def __post_init__(self) -> None:
        if self.pad_dims not in (None, 1, 2, 3):
            raise ValueError(f'DataContainer pads the last 1, 2 or 3 dimensions, or none of them '
                             f'(pad_dims=None), not pad_dims={self.pad_dims!r}')

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.data!r})'

    def __len__(self) -> int:
        return len(self.data)

    @property
    def datatype(self) -> type | str:
        """Type of the value; for a tensor its type name, such as 'torch.FloatTensor'."""
        return self.data.type() if isinstance(self.data, torch.Tensor) else type(self.data)

    def size(self, *args: int) -> torch.Size | int:
        """Size of the tensor, as `Tensor.size` gives it."""
        return self.data.size(*args)

    def dim(self) -> int:
        """Number of dimensions of the tensor."""
        return self.data.dim()

    def like(self, data: Any) -> 'DataContainer':
        """Another value with the same instructions."""
        return replace(self, data=data)

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
