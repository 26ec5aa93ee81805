"""Worker processes of a loader: how they start and fail, and that only the training stops them."""
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
from torch.utils.data import DataLoader, Dataset, get_worker_info

from mmcv_replace.host import keep_freed_memory
from mmcv_replace.runner.preemption import holding_back_requests, outlive_requests

from .deterministic_dataset import DeterministicDataset
from .failures import collate_or_fail, raising


class ShieldedLoader(DataLoader):
    """A DataLoader whose workers do not end before the training that they load for.

    Forked workers begin with SIGTERM blocked, and with them all threads that torch makes there.
    `outlive_requests`, called in each worker, decides on it from then on. Errors of users are
    raised as they were in a worker.
    """

    def __init__(self, dataset: Dataset, collate_fn: Callable[[Sequence[Any]], Any],
                 **kwargs: Any) -> None:
        super().__init__(dataset, collate_fn=partial(collate_or_fail, collate_fn), **kwargs)

    def __iter__(self) -> Iterator[Any]:
        with holding_back_requests():
            batches = super().__iter__()
        return raising(batches)


def start_worker(worker_id: int) -> None:
    """Prepare a worker process.

    OpenCV keeps to one thread, as the workers together already use every core. Freed memory is
    kept: the arrays of a sample are as large as those of the previous one, and getting them from
    the kernel anew takes a third of a worker's time. A request to stop, which goes to every
    process of a job, is left to the training process.
    """
    dataset = getattr(get_worker_info(), 'dataset', None)
    if isinstance(dataset, DeterministicDataset):
        dataset.sends_errors = True
    cv2.setNumThreads(0)
    keep_freed_memory()
    outlive_requests()
