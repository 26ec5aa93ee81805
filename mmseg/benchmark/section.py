"""One comparison: a piece of work, and the subjects that do it."""
import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Section:
    """One table of the report: every subject runs the same `case` with the same `options`.

    Times are per `unit` of work, which has `images` images.
    """

    title: str
    case: str
    options: Mapping[str, Any]
    unit: str = 'image'
    images: int = 1
    # Further options of this toolkit; each of `variants` (label -> options) adds a row of it.
    own: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Further options of the plain form; None where there is none.
    plain: Mapping[str, Any] | None = None
    # Further rows of the plain form: suffix of its name -> options.
    plain_variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    resident: bool = True  # whether to report the memory of the process
    group: str = ''  # the family, of `zoo`
    # Default for --threads; None leaves the choice to each subject.
    threads: int | None = None


# Prepares files in the folder and returns the comparisons.
Plan = Callable[[argparse.Namespace, Path], Sequence[Section]]
