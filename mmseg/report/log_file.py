"""The one reader of TIMESTAMP.log.json, the log that TextLoggerHook writes."""
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcv_replace.utils.errors import DataError

PATTERN = '*.log.json'
NOTES = 5  # faulty lines that are told one by one
PLACE = ('mode', 'epoch', 'iter')  # of each record, beside its numbers


@dataclass(frozen=True)
class LogFile:
    """What one log holds.

    `meta`: the facts of the run, its first object, and why it was stopped early. `records`: of
    training ('mode' is 'train') and validation ('val'), with 'epoch', 'iter' and numbers by name;
    NaN stands for null, which is written for a number that was not finite. `notes`: what was left
    out, for the user.
    """

    path: Path
    meta: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of_mode(self, mode: str) -> list[dict[str, Any]]:
        """The records of 'train' or 'val'."""
        return [record for record in self.records if record['mode'] == mode]


def read_log(path: str | Path) -> LogFile:
    """Read a log of this toolkit or of mmsegmentation 0.x.

    A line that is not whole, as where a run was killed, is noted and left out. Raises DataError for
    a file that cannot be read.
    """
    log = LogFile(Path(path))
    try:
        lines = log.path.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError as error:
        raise DataError(f'cannot read the log {path}: {error.strerror or error}; name a '
                        'TIMESTAMP.log.json of a work directory') from error
    wrong = []
    for number, line in enumerate(lines, start=1):
        if line.strip('\0 '):
            fault = _add(log, line)
            if fault is not None:
                wrong.append(f'{log.path.name}: line {number} {fault}, and is left out')
    log.notes.extend(wrong[:NOTES])
    if len(wrong) > NOTES:
        log.notes.append(f'{log.path.name}: {len(wrong) - NOTES:,} more such lines')
    return log


def _add(log: LogFile, line: str) -> str | None:
    """Add what a line says to a log; what is wrong with the line, if anything."""
    try:
        entry = json.loads(line)
    except ValueError:
        return 'is cut off or no JSON'
    if not isinstance(entry, dict):
        return 'is no JSON object'
    if 'mode' not in entry:
        log.meta.update(entry)
    elif not all(isinstance(entry.get(key), int) for key in ('epoch', 'iter')):
        return 'lacks the number of its epoch or iteration'
    else:
        log.records.append({key: entry[key] for key in PLACE} | dict(_numbers(entry)))
    return None


def _numbers(entry: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a record; those of several optimizers as lr.NAME."""
    for name, value in entry.items():
        if name in PLACE:
            continue
        if value is None:
            yield name, math.nan
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
        elif isinstance(value, dict):
            yield from ((f'{name}.{part}', number) for part, number in _numbers(value))
