"""Positions in the training data, and a data loader that starts over at its end."""
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from ..utils import warn_once
from ..utils.errors import DataError

_END = object()  # in place of a batch


def set_sampler_epoch(data_loader: DataLoader, epoch: int, samples: int = 0) -> int:
    """Set the pass over the data (epoch) in the loader's sampler, if that has `set_epoch`.

    `samples` of that pass, counted over all processes, are skipped. Returns how many batches of
    this process that is; 0 if the sampler cannot do that.
    """
    sampler = getattr(data_loader, 'sampler', None)
    if samples and not hasattr(sampler, 'start'):
        warn_once(f'{type(sampler).__name__} cannot begin in the middle of a pass over the data: '
                  'the pass begins anew; the loaders of build_dataloader can')
        samples = 0
    if samples:
        start = samples // sampler.world_size
        sampler.set_epoch(epoch, start)
        return start // data_loader.batch_size
    if hasattr(sampler, 'set_epoch'):
        sampler.set_epoch(epoch)
    return 0


def position_in_data(data_loader: DataLoader, epoch: int, batches: int) -> tuple[int, int] | None:
    """(epoch, samples of it that all processes consumed); None if the sampler cannot start there.

    Counted in samples, so that it is valid for another batch size or number of processes too.
    """
    sampler = getattr(data_loader, 'sampler', None)
    if not hasattr(sampler, 'start'):
        return None
    return epoch, batches * data_loader.batch_size * sampler.world_size


def no_batch_error() -> DataError:
    """The error for a data loader without any batch."""
    return DataError('the data loader gives no batch: the data set is empty, or it has fewer '
                     'images than one batch and drop_last is set; lower data.samples_per_gpu '
                     'or use more images')


class IterLoader:
    """An endless iterator over a data loader; `epoch` is the index of the current pass.

    The first pass skips `samples` (of all processes together).
    """

    def __init__(self, dataloader: DataLoader, epoch: int = 0, samples: int = 0) -> None:
        self.loader = dataloader
        self._epoch = epoch
        self._samples = samples
        self._taken = 0  # batches of the current pass
        self._batches: Iterator[Any] | None = None

    @property
    def epoch(self) -> int:
        """Index of the current pass."""
        return self._epoch

    @property
    def dataset(self) -> Any:
        return self.loader.dataset

    @property
    def position(self) -> tuple[int, int] | None:
        """Where a resumed loader has to start; see `position_in_data`."""
        if self._batches is None:
            return self._epoch, self._samples
        return position_in_data(self.loader, self._epoch, self._taken)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> 'IterLoader':
        return self

    def __next__(self) -> Any:
        if self._batches is None:
            self._start_pass(self._samples)
        batch = next(self._batches, _END)
        if batch is _END:
            self._epoch += 1
            self._start_pass()
            batch = next(self._batches, _END)
            if batch is _END:
                raise no_batch_error()
        self._taken += 1
        return batch

    def _start_pass(self, samples: int = 0) -> None:
        self._taken = set_sampler_epoch(self.loader, self._epoch, samples)
        self._batches = iter(self.loader)
