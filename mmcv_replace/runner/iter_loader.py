"""An endless stream of batches out of a data loader."""
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from ..utils.errors import DataError


def set_sampler_epoch(data_loader: DataLoader, epoch: int) -> None:
    """Tell the sampler which pass over the data comes next, where it wants to know."""
    sampler = getattr(data_loader, 'sampler', None)
    if hasattr(sampler, 'set_epoch'):
        sampler.set_epoch(epoch)


def no_batch_error() -> DataError:
    """The error for a data loader without any batch."""
    return DataError('the data loader gives no batch: the data set is empty, or it has fewer '
                     'images than one batch and drop_last is set; lower data.samples_per_gpu '
                     'or use more images')


class IterLoader:
    """Starts the data loader over when it ends; `epoch` is the index of the pass under way."""

    def __init__(self, dataloader: DataLoader, epoch: int = 0) -> None:
        self._dataloader = dataloader
        self._epoch = epoch
        self._batches: Iterator[Any] | None = None

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def dataset(self) -> Any:
        return self._dataloader.dataset

    def __len__(self) -> int:
        return len(self._dataloader)

    def __iter__(self) -> 'IterLoader':
        return self

    def __next__(self) -> Any:
        if self._batches is None:
            self._start_pass()
        try:
            return next(self._batches)
        except StopIteration:
            self._epoch += 1
            self._start_pass()
        try:
            return next(self._batches)
        except StopIteration:
            raise no_batch_error() from None

    def _start_pass(self) -> None:
        set_sampler_epoch(self._dataloader, self._epoch)
        self._batches = iter(self._dataloader)
