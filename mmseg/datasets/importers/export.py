"""What a reader finds in the export of a labelling tool, before anything is painted."""
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import printable

from .legend import Legend
from .options import Unlabelled
from .raster.points import Size

SHOWN = 3


@dataclass(frozen=True)
class Shape:
    """An object: `mask(size)` is what it covers of an image [height, width], as bool [H, W].

    A `label` of None stands for pixels without a class. `place` begins error messages.
    """

    label: str | None
    place: str
    mask: Callable[[Size], np.ndarray]


@dataclass(frozen=True)
class Painting:
    """Class indices uint8 [H, W], and what happened on the way.

    `contested`: pixels that objects of several classes cover; `vanished`: objects without a pixel.
    """

    label_map: np.ndarray
    contested: int = 0
    vanished: int = 0


class PlacedError(DataError):
    """A DataError whose text begins with the place of an object, such as a line of a file."""


@dataclass(frozen=True)
class Sample:
    """An image with its annotation.

    `name` is that of the image below the written folder. `size` is [height, width] as the
    annotation says, None where it does not. `paint(size, legend)` gives the Painting. `labels` are
    the classes of its objects, as far as they are known before. `content` gives the bytes of an
    image that is in no file.
    """

    image: Path
    name: str
    place: str
    size: Size | None
    paint: Callable[[Size, Legend], Painting]
    labels: frozenset[str] = frozenset()
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class Export:
    """All samples, the names of the classes in the tool's order, and the rule that it follows.

    `rule` says how outlines become pixels and which of two objects is above. `notes` count what is
    left out.
    """

    samples: Sequence[Sample]
    names: Sequence[str]
    rule: str
    unlabelled: Unlabelled = 'background'
    notes: Counter[str] = field(default_factory=Counter)


class Problems:
    """What is wrong with single images: all are gathered before the import ends."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def of_sample(self) -> Iterator[None]:
        """Note a DataError of the block, whose sample is then not read."""
        try:
            yield
        except DataError as error:
            self.found.append(str(error))

    def check(self, skip: bool) -> None:
        """Raise DataError with the first ones, unless they may be left out."""
        if self.found and not skip:
            raise DataError(f'{self.describe()}\nNothing was written. Correct this in the labelling'
                            ' tool and export again, or leave these images out with --skip-bad')

    def describe(self) -> str:
        """Their number, and the first of them, one a line."""
        more = len(self.found) - SHOWN
        shown = ''.join(f'\n  {printable(text)}' for text in self.found[:SHOWN])
        return (f'{len(self.found)} problem{"s" * (len(self.found) != 1)} in the annotations:'
                f'{shown}' + (f'\n  ... and {more} more' if more > 0 else ''))
