"""Seeds of the processes that load data."""
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def keep_random_state() -> Iterator[None]:
    """Draws from the generators of Python and NumPy within this context change none after it."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def worker_init_fn(worker_id: int, num_workers: int, rank: int, seed: int) -> None:
    """Give a worker of a DataLoader random numbers of its own: seed + rank * workers + its id.

    For loaders that users build themselves; those of mmseg seed each sample.
    """
    own = num_workers * rank + worker_id + seed
    np.random.seed(own % 2**32)
    random.seed(own)
    torch.manual_seed(own)
