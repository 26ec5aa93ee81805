"""Copy batches to the device ahead of their use."""
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from .scatter_gather import send


class DevicePrefetcher:
    """Iterates over a data loader and starts to copy each batch to the device one batch ahead.

    The copy overlaps with the work on the batch before where the loader pins its memory.
    `transform` is applied to each batch after its copy. A batch keeps its `DataContainer`s. Other
    attributes, such as `sampler`, are the loader's. An error of the loader is raised one batch
    early.
    """

    def __init__(self, loader: DataLoader, device: torch.device,
                 transform: Callable[[Any], Any] | None = None) -> None:
        self.loader = loader
        self.device = device
        self.transform = transform

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        ahead = []
        for batch in self.loader:
            batch = send(batch, self.device)
            ahead.append(batch if self.transform is None else self.transform(batch))
            if len(ahead) > 1:
                yield ahead.pop(0)
        yield from ahead

    def __getattr__(self, name: str) -> Any:
        if name == 'loader' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.loader, name)
