"""What is to be shown, and how."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets.tracing import find_samples

MOST = 100_000  # numbers in a range


@dataclass(frozen=True)
class BrowseOptions:
    """Which samples of a data set are shown, and in which form."""

    split: str = 'train'
    number: int = 8  # of samples, spread evenly over the data set; 0: all
    indices: Sequence[int] = ()  # of samples, in place of a number of them
    names: Sequence[str] = ()  # file names of images, or patterns of these
    epochs: Sequence[int] = (0,)  # counted from 0, of each sample
    seed: int | None = None  # None: that of the config, or of the newest run
    skip_types: Sequence[str] = ()  # steps that are taken out of the pipelines
    output_dir: str | Path | None = None  # None: the folder `browse` in the work dir
    page: bool = True  # one HTML page
    png: bool = False  # a PNG for each sample
    show: bool = False  # windows
    show_interval: float = 2  # seconds that a window stays; 0: until a key is pressed
    opacity: float = 0.5  # of the labels
    bands: Sequence[int] | None = None  # shown as red, green and blue, or one in grey
    max_side: int = 400  # pixels of the longer side of a picture

    def __post_init__(self) -> None:
        if not 0 < self.opacity <= 1:
            raise ConfigError(f'--opacity {self.opacity}: give a share above 0 and at most 1')
        for option, value in (('--number', self.number), ('--show-interval', self.show_interval)):
            if value < 0:
                raise ConfigError(f'{option} {value}: give 0 or more')
        if self.max_side < 16:
            raise ConfigError(f'--max-side {self.max_side}: give 16 pixels or more')
        if self.seed is not None and not 0 <= self.seed < 2**32:
            raise ConfigError(f'--seed {self.seed}: a seed is from 0 to {2**32 - 1}')

    def choose(self, dataset: Dataset) -> list[int]:
        """The indices of the samples to show. DataError where there are none such."""
        total = len(dataset)
        if not total:
            raise DataError(f'data.{self.split} has no sample to show')
        beyond = [index for index in self.indices if index >= total]
        if beyond:
            raise DataError(f'--index {beyond[0]}: data.{self.split} has {total} samples, 0 to '
                            f'{total - 1}')
        chosen = [*self.indices, *(index for name in self.names
                                   for index in find_samples(dataset, name))]
        if chosen:
            return list(dict.fromkeys(chosen))
        number = min(self.number or total, total)
        return np.linspace(0, total, number, endpoint=False).astype(int).tolist()


def read_numbers(texts: Sequence[str], option: str) -> list[int]:
    """The numbers of an option such as `3 8 10-12`; ConfigError for what is none."""
    numbers: list[int] = []
    for text in texts:
        first, dash, last = text.partition('-')
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or (
                dash and int(last) < int(first)):
            raise ConfigError(f'{option} {text}: give numbers from 0 on, or ranges such as 0-7')
        found = range(int(first), int(last if dash else first) + 1)
        if found[-1] - found[0] >= MOST:
            raise ConfigError(f'{option} {text}: give at most {MOST:,} numbers')
        numbers += found
    return numbers
