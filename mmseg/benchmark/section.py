"""One comparison: a piece of work and who does it."""
import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Section:
    """The same `case` with the same `options` for every subject; one table of the report.

    Times are of one `unit`, which has `images` images.
    """

    title: str
    case: str
    options: Mapping[str, Any]
    unit: str = 'image'
    images: int = 1
    # What this toolkit needs besides; each further entry of `variants` (label -> options) is
    # another row of it.
    own: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # What the plain form needs besides; None where there is none.
    plain: Mapping[str, Any] | None = None
    # Further rows of the plain form: what stands behind its name -> options.
    plain_variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    resident: bool = True  # whether the memory of the process says something
    # Threads of each subject where the command line does not say; None leaves it to them.
    threads: int | None = None


# Prepares files in the folder, and says what is to be compared.
Plan = Callable[[argparse.Namespace, Path], Sequence[Section]]
