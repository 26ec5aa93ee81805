"""What a user decides about an import."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unlabelled = Literal['background', 'ignore']


@dataclass(frozen=True)
class Options:
    """Choices that are the same for all tools; the defaults are those of the command line.

    `images`: folder of the images, where they are not beside the annotations. `classes`: their
    names in the order of the indices, or the name of a file with one a line. `unlabelled`: what
    pixels are that no object covers, by default what the format means. `ignore`: classes whose
    pixels count as having none. `crowd` (COCO): whether crowd regions are ignored, or of their
    class. Images with a bad object are left out with `skip_bad`, those without an object with
    `skip_empty`.
    """

    images: str | None = None
    classes: Sequence[str] | None = None
    unlabelled: Unlabelled | None = None
    ignore: Sequence[str] = ()
    crowd: Literal['ignore', 'class'] = 'ignore'
    skip_bad: bool = False
    skip_empty: bool = False
    nproc: int = 1
