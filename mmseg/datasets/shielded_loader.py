"""A DataLoader whose workers do not end before the training that they load for."""
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from mmcv_replace.runner.preemption import holding_back_requests


class ShieldedLoader(DataLoader):
    """Forked workers begin with SIGTERM blocked, and with them all threads that torch makes there.

    `outlive_requests`, called in each worker, decides on it from then on.
    """

    def __iter__(self) -> Iterator[Any]:
        with holding_back_requests():
            return super().__iter__()
