"""A run: what its records say, in one series."""
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmseg.core.evaluation.records import EvaluationRecord

from .log_file import PLACE, LogFile

# In the text of a config, for runs whose log does not say it.
LENGTH = re.compile(r'max_(?:iters|epochs)=(\d+)')


@dataclass(frozen=True)
class Resume:
    """Where a run went on: the last place before it, and the log that begins with it."""

    at: float  # iteration or epoch
    log: str  # timestamp
    lost: float  # iterations or epochs that were done again


@dataclass
class Run:
    """One training with all its resumes.

    `train` and `val`: records by their place 'x', which is the iteration, or the epoch and its part
    where `by_epoch`; of a place that was reached again the later record is kept. `done` of the
    `evaluations` is such a place too, a fraction where they count iterations and the log epochs.
    """

    name: str
    folder: Path
    logs: list[LogFile]
    by_epoch: bool = False
    epoch_length: int | None = None  # iterations
    train: list[dict[str, Any]] = field(default_factory=list)
    val: list[dict[str, Any]] = field(default_factory=list)
    resumes: list[Resume] = field(default_factory=list)
    evaluations: list[EvaluationRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def meta(self) -> dict[str, Any]:
        """The facts of the last part of the run."""
        return self.logs[-1].meta

    @property
    def unit(self) -> str:
        return 'epoch' if self.by_epoch else 'iteration'

    @property
    def last(self) -> float:
        """The last place that a record is of; 0 without one."""
        return max((record['x'] for record in self.train + self.val), default=0)

    @property
    def length(self) -> int | None:
        """Iterations or epochs that the run was to have; None if unknown."""
        start = self.meta.get('start')
        if isinstance(start, dict) and start.get('length') is not None:
            return start['length']
        found = LENGTH.search(str(self.meta.get('config', '')))
        return int(found[1]) if found else None

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end; a run whose length is not known has not."""
        return self.length is not None and self.last >= self.length

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped early, as by EarlyStoppingHook; None if it was not."""
        return self.meta.get('stopped')

    def keys(self, mode: str) -> list[str]:
        """Names of the numbers in the records of a mode, in the order in which they appear."""
        return list(dict.fromkeys(name for record in getattr(self, mode) for name in record
                                  if name not in (*PLACE, 'x')))

    def curve(self, mode: str, key: str) -> tuple[list[float], list[float]]:
        """Places and values of a number; NaN where it was not finite."""
        pairs = [(record['x'], record[key]) for record in getattr(self, mode) if key in record]
        return [x for x, _ in pairs], [y for _, y in pairs]
