"""The worker processes of a loader: how they start, and that only the training stops them."""
from collections.abc import Iterator
from typing import Any

import cv2
from torch.utils.data import DataLoader

from mmcv_replace.host import keep_freed_memory
from mmcv_replace.runner.preemption import holding_back_requests, outlive_requests


class ShieldedLoader(DataLoader):
    """A DataLoader whose workers do not end before the training that they load for.

    Forked workers begin with SIGTERM blocked, and with them all threads that torch makes there.
    `outlive_requests`, called in each worker, decides on it from then on.
    """

    def __iter__(self) -> Iterator[Any]:
        with holding_back_requests():
            return super().__iter__()


def start_worker(worker_id: int) -> None:
    """Prepare a worker process.

    OpenCV keeps to one thread, as the workers together already use every core. Freed memory is
    kept: the arrays of a sample are as large as those of the previous one, and getting them from
    the kernel anew takes a third of a worker's time. A request to stop, which goes to every
    process of a job, is left to the training process.
    """
    cv2.setNumThreads(0)
    keep_freed_memory()
    outlive_requests()
