"""What happens to a training sample that cannot be loaded: the run stops, or takes another one."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import printable

from .deterministic_dataset import SeededDataset, seeded
from .shielded_loader import ShieldedLoader

# What is wrong with a file raises these; any other error is one of the code and never skipped.
LOAD_ERRORS = (DataError, OSError)
# So many samples in a row may fail.
MAX_ATTEMPTS = 100

# File -> why it was skipped.
Skipped = dict[str, str]


class DroppedSamplesError(DataError):
    """A pipeline that drops every sample: no fault of a file, so it is never skipped."""


@contextmanager
def naming_file(file: str) -> Iterator[None]:
    """Note in an error of loading which file's sample it comes from."""
    try:
        yield
    except LOAD_ERRORS as error:
        error.sample_file = file
        raise


class SkippingDataset(SeededDataset):
    """A seeded dataset that gives another sample in place of one that cannot be loaded.

    Which one, and how it is augmented, is drawn from the seed, the epoch, the index and the number
    of the attempt: the same in each run, with any number of workers. The items are pairs of a
    sample and what was skipped on the way to it.
    """

    def __init__(self, dataset: Dataset, seed: int = 0, max_skipped: int = 100) -> None:
        super().__init__(dataset, seed)
        self.max_skipped = max_skipped

    def __getitem__(self, index: int) -> tuple[Any, Skipped]:
        skipped: Skipped = {}
        for attempt in range(MAX_ATTEMPTS):
            # Indices that no sample has stand for the further attempts.
            number = int(index) + attempt * len(self)
            with seeded(self.seed, getattr(index, 'epoch', 0), number):
                place = np.random.randint(len(self)) if attempt else int(index)
                try:
                    return self.dataset[place], skipped
                except DroppedSamplesError:
                    raise
                except LOAD_ERRORS as error:
                    why = printable(str(error))
                    skipped[printable(getattr(error, 'sample_file', why))] = why
            if len(skipped) > self.max_skipped:
                break
        raise too_many_skipped(skipped, self.max_skipped)


class ReportingLoader(ShieldedLoader):
    """A loader of a SkippingDataset: gives batches, and gathers in `skipped` what was skipped.

    What a worker process has skipped comes with its batch.
    """

    def __init__(self, dataset: SkippingDataset, collate_fn: Callable[[Sequence[Any]], Any],
                 **kwargs: Any) -> None:
        super().__init__(dataset, collate_fn=_Collate(collate_fn), **kwargs)
        self.max_skipped = dataset.max_skipped
        self.skipped: Skipped = {}

    def __iter__(self) -> Iterator[Any]:
        return map(self._take, super().__iter__())

    def _take(self, loaded: tuple[Any, Skipped]) -> Any:
        batch, skipped = loaded
        self.skipped.update(skipped)
        return batch


class _Collate:
    """Batches the samples of pairs, and joins what was skipped for them."""

    def __init__(self, collate: Callable[[Sequence[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, pairs: Sequence[tuple[Any, Skipped]]) -> tuple[Any, Skipped]:
        samples, skipped = zip(*pairs, strict=True)
        return self.collate(samples), {file: why for part in skipped for file, why in part.items()}


def too_many_skipped(skipped: Mapping[str, str], max_skipped: int) -> DataError:
    """The error of a run that meets more bad files than it may skip; it lists them."""
    reasons = ''.join(f'\n  {why}' for why in skipped.values())
    return DataError(
        f'{len(skipped)} files could not be loaded; data.on_error lets the run skip {max_skipped}: '
        'mend them, take them off the lists (python tools/check_dataset.py CONFIG --write-clean '
        f'DIR), or raise max_skipped:{reasons}')
