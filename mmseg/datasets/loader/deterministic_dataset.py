"""Random numbers that depend on nothing but the seed, the epoch and the sample."""
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from mmcv_replace.utils.errors import UserError

from ..base_wrapper import BaseDatasetWrapper
from .failures import Failure


@contextmanager
def seeded(seed: int, epoch: int, index: int) -> Iterator[None]:
    """Seed the CPU generators of Python, NumPy and torch inside, and restore them afterwards.

    In a worker of a DataLoader they are not restored: nothing else draws there, and saving their
    states takes longer than seeding.
    """
    if get_worker_info() is not None:
        _seed(seed, epoch, index)
        yield
        return
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    _seed(seed, epoch, index)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _seed(*numbers: int) -> None:
    # Hashed, because generators give related numbers for similar seeds.
    words = np.random.SeedSequence([number % 2**64 for number in numbers]).generate_state(3)
    first, second, third = words.tolist()
    random.seed(first)
    np.random.seed(second)
    # torch.manual_seed would also seed the accelerators, which a worker must not touch.
    torch.default_generator.manual_seed(third)


class DeterministicDataset(BaseDatasetWrapper):
    """A data set that loads each sample under a seed of its own.

    The samples are the same whichever process loads them, in whatever order. Attributes such as
    CLASSES or `evaluate` are those of the data set inside.
    """

    # Set in the workers of a ShieldedLoader, which raises what these send.
    sends_errors = False

    def __init__(self, dataset: Dataset, seed: int = 0) -> None:
        self.dataset = dataset
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        """Load a sample; the epoch is that of a `SampleIndex`, 0 for a plain int."""
        try:
            return self.load(index)
        except UserError as error:
            failure = Failure.of(error) if self.sends_errors else None
            if failure is None:
                raise
            return failure

    def load(self, index: int) -> Any:
        """Load a sample, or raise its error."""
        with seeded(self.seed, getattr(index, 'epoch', 0), int(index)):
            return self.dataset[int(index)]

    def __getattr__(self, name: str) -> Any:
        # Protocols (pickle, torch's batched __getitems__) must not reach around __getitem__.
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)
