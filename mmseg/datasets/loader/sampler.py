"""The order of the samples: a function of the seed and the epoch."""
from collections.abc import Iterator, Sized

import numpy as np
from torch.utils.data import DistributedSampler, RandomSampler, Sampler, SequentialSampler


class SampleIndex(int):
    """Index of a sample with its `epoch`, which it also takes to a worker process."""

    epoch: int

    def __new__(cls, index: int, epoch: int) -> 'SampleIndex':
        self = super().__new__(cls, index)
        self.epoch = epoch
        return self

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return SampleIndex, (int(self), self.epoch)


class EpochSampler(Sampler[SampleIndex]):
    """The indices of one epoch for this process: every `world_size`-th, starting at `rank`.

    `shuffle` draws a new order for each epoch, the same in every process. With `pad_to_even` some
    samples come twice so that all processes have the same number, as synchronous training
    requires; without it every sample comes exactly once over all processes. Its subclasses are also
    the samplers of torch that other code expects in their place.
    """

    repeatable = True  # iterated again, it gives the same indices

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int = 0, rank: int = 0,
                 world_size: int = 1, pad_to_even: bool = True) -> None:
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.pad_to_even = pad_to_even
        self.epoch = 0
        self.start = 0
        self.stop: int | None = None  # number of samples after which an epoch ends early

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Set the epoch, and how many of its samples this process skips at the start.

        An interrupted epoch continues in this way, without loading samples that are done.
        """
        self.epoch = epoch
        self.start = start

    def __len__(self) -> int:
        """Samples of this process in a full epoch, without regard to `start`."""
        total = len(self.dataset)
        if self.pad_to_even:
            return -(-total // self.world_size)
        return len(range(self.rank, total, self.world_size))

    def __iter__(self) -> Iterator[SampleIndex]:
        order = np.arange(len(self.dataset))
        if self.shuffle:
            # RandomState is frozen: the same order with every version of NumPy.
            words = np.random.SeedSequence((self.seed % 2**64, self.epoch)).generate_state(4)
            np.random.RandomState(words).shuffle(order)
        if self.pad_to_even:
            order = np.resize(order, len(self) * self.world_size)
        epoch = self.epoch
        for index in order[self.rank::self.world_size][self.start:self.stop]:
            yield SampleIndex(index, epoch)


class SharedSampler(EpochSampler, DistributedSampler):
    """The samples of a process in a distributed job, as a DistributedSampler."""

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int = 0, rank: int = 0,
                 world_size: int = 1, pad_to_even: bool = True) -> None:
        DistributedSampler.__init__(self, dataset, world_size, rank, shuffle, seed)
        EpochSampler.__init__(self, dataset, shuffle, seed, rank, world_size, pad_to_even)
        self.num_samples = len(self)


class ShuffledSampler(EpochSampler, RandomSampler):
    """All samples in an order that changes with the epoch, as a RandomSampler."""

    # torch's constructor refuses data sets without a sample, which are told of later.
    replacement = False
    generator = None
    _num_samples = None

    def __init__(self, dataset: Sized, seed: int = 0) -> None:
        super().__init__(dataset, shuffle=True, seed=seed)
        self.data_source = dataset


class OrderedSampler(EpochSampler, SequentialSampler):
    """All samples in their order, as a SequentialSampler."""

    def __init__(self, dataset: Sized, seed: int = 0) -> None:
        super().__init__(dataset, shuffle=False, seed=seed)
        self.data_source = dataset


def make_sampler(dataset: Sized, dist: bool, shuffle: bool, seed: int, rank: int,
                 world_size: int) -> EpochSampler:
    """The sampler of a loader: shuffled for training, which pads the shares of all processes."""
    if dist:
        return SharedSampler(dataset, shuffle, seed, rank, world_size, pad_to_even=shuffle)
    return (ShuffledSampler if shuffle else OrderedSampler)(dataset, seed)
