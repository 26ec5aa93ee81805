"""`data.on_error`: whether a training sample that cannot be loaded stops the run or is skipped."""
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch.distributed as dist
from torch.utils.data import Dataset

from mmcv_replace.runner import BaseRunner, Hook
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import printable

from .deterministic_dataset import DeterministicDataset, seeded
from .workers import ShieldedLoader

# A damaged or missing file raises these, with the file as `sample_file` where a data set sets it;
# any other error is a fault of the code, never skipped.
LOAD_ERRORS = (DataError, OSError)
# Number of samples in a row that may fail.
MAX_ATTEMPTS = 100
# Where checkpoints keep the skipped files: `hook_msgs` of their meta data.
KEY = 'skipped_files'

# File -> why it was skipped.
Skipped = dict[str, str]


class DroppedSamplesError(DataError):
    """A pipeline that drops every sample: not the fault of a file, so it is never skipped."""


class SkippingDataset(DeterministicDataset):
    """A deterministic data set that gives another sample in place of one that cannot be loaded.

    Which one, and how it is augmented, is drawn from the seed, the epoch, the index and the number
    of the attempt: the same in each run, with any number of workers. The items are pairs (sample,
    files that were skipped before it).
    """

    def __init__(self, dataset: Dataset, seed: int = 0, max_skipped: int = 100) -> None:
        super().__init__(dataset, seed)
        self.max_skipped = max_skipped

    def load(self, index: int) -> tuple[Any, Skipped]:
        skipped: Skipped = {}
        for attempt in range(MAX_ATTEMPTS):
            # Further attempts are seeded by indices that no sample has.
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
    """A loader of a SkippingDataset: gives batches, and adds what they skipped to `skipped`.

    What a worker process has skipped comes with its batch.
    """

    def __init__(self, dataset: SkippingDataset, collate_fn: Callable[[Sequence[Any]], Any],
                 **kwargs: Any) -> None:
        super().__init__(dataset, collate_fn=partial(_collate_pairs, collate_fn), **kwargs)
        self.max_skipped = dataset.max_skipped
        self.skipped: Skipped = {}

    def __iter__(self) -> Iterator[Any]:
        return map(self._take, super().__iter__())

    def _take(self, loaded: tuple[Any, Skipped]) -> Any:
        batch, skipped = loaded
        self.skipped.update(skipped)
        return batch


def _collate_pairs(collate: Callable[[Sequence[Any]], Any],
                   pairs: Sequence[tuple[Any, Skipped]]) -> tuple[Any, Skipped]:
    """A batch of the samples, and the files that were skipped for them."""
    samples, skipped = zip(*pairs, strict=True)
    return collate(samples), _join(skipped)


class SkippedFilesHook(Hook):
    """Logs each skipped file once in the whole job, and the number of them at its end.

    Raises DataError on all processes where all of them together have skipped more files than the
    loader's `max_skipped`. Several processes exchange their files every `interval` iterations. The
    checkpoints keep the files, so that a resumed run continues to count.
    """

    def __init__(self, loader: ReportingLoader, interval: int = 50) -> None:
        self.loader = loader
        self.interval = interval

    def before_train_iter(self, runner: BaseRunner) -> None:
        if runner.world_size == 1 or runner.iter % self.interval == 0:
            self.report(runner)

    def after_epoch(self, runner: BaseRunner) -> None:
        self.report(runner)

    def after_run(self, runner: BaseRunner) -> None:
        known = runner.hook_msgs.get(KEY)
        if known:
            runner.logger.warning('data.on_error: %d files were skipped in this run:\n  %s',
                                  len(known), '\n  '.join(known))

    def report(self, runner: BaseRunner) -> None:
        """Log files that any process skipped for the first time; all processes must call it."""
        known: Skipped = runner.hook_msgs.setdefault(KEY, {})
        skipped = [self.loader.skipped]
        if runner.world_size > 1:
            skipped = [None] * runner.world_size
            dist.all_gather_object(skipped, self.loader.skipped)
        for file, why in _join(skipped).items():
            if file not in known:
                known[file] = why
                runner.logger.warning('data.on_error: skipped (file %d of at most %d): %s',
                                      len(known), self.loader.max_skipped, why)
        self.loader.skipped.clear()
        if len(known) > self.loader.max_skipped:
            raise too_many_skipped(known, self.loader.max_skipped)


def too_many_skipped(skipped: Skipped, max_skipped: int) -> DataError:
    """The error of a run that meets more bad files than it may skip; it lists them."""
    reasons = ''.join(f'\n  {why}' for why in skipped.values())
    return DataError(
        f'{len(skipped)} files could not be loaded; data.on_error lets the run skip {max_skipped}: '
        'mend them, take them off the lists (python tools/check_dataset.py CONFIG --write-clean '
        f'DIR), or raise max_skipped:{reasons}')


def _join(parts: Iterable[Skipped]) -> Skipped:
    return {file: why for part in parts for file, why in part.items()}
