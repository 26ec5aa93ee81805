"""Batches that are on the device before they are asked for."""
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from .scatter import send


class DevicePrefetcher:
    """A data loader whose batches are moved to the device one ahead of their use.

    So the copy of the next batch is under way before the work on this one is queued; it does not
    wait where the loader pins its memory. `transform` is applied to each batch after the move. A
    batch keeps its `DataContainer`s, and attributes such as `sampler` are those of the loader. An
    error of the loader comes one batch early.
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
            ahead.append(self._send(batch))
            if len(ahead) > 1:
                yield ahead.pop(0)
        yield from ahead

    def __getattr__(self, name: str) -> Any:
        if name == 'loader' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.loader, name)

    def _send(self, batch: Any) -> Any:
        batch = send(batch, self.device)
        return batch if self.transform is None else self.transform(batch)
